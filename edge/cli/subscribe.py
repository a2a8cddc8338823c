"""The commands that use the wire: `foal-edge listen`, `foal-edge status` and `foal-edge keys`."""

from collections import deque
from collections.abc import Mapping
from pathlib import Path

import click

from ..errors import SourceError
from ..system.files import is_there
from ..wire.addresses import AUTO, DEFAULT_ADDRESS, control_address
from ..wire.control_client import TIMEOUT_S, ControlClient
from ..wire.control_messages import AskStatus, StatusReply, write
from ..wire.keys import load_client_keys, make_client_keys, make_server_keys
from ..wire.messages import TOPICS, Prediction, encode
from ..wire.subscriber import Subscriber
from . import tables as show
from .options import Seconds
from .terminal import complaints, console, print_document

MOST_KEPT = 10_000
"""Predictions that `listen` keeps for its percentiles."""
DEFAULT_CONTROL = control_address(DEFAULT_ADDRESS, AUTO)

keys_option = click.option(
    "--keys",
    "folder",
    type=click.Path(readable=False, path_type=Path),
    help="This client's keys, where foal-edge runs with some: hand-out/NAME of foal-edge keys.",
)


@click.command()
@click.option("--connect", "address", default=DEFAULT_ADDRESS, show_default=True, help="Where foal-edge publishes.")
@click.option("--topic", default="", help="Only topics that begin so, e.g. emotion.main.")
@click.option("--count", type=click.IntRange(1), help="End after so many predictions.")
@click.option("--json", "as_json", is_flag=True, help="A JSON document a line.")
@click.option(
    "--timeout",
    "timeout_s",
    type=Seconds(0.001, 1e6),
    help="End with an error after so many seconds without a message.",
)
@click.option("--stats", is_flag=True, help="Print the latencies' percentiles at the end.")
@click.option("--latest", is_flag=True, help="Skip what a newer message of its topic has overtaken.")
@keys_option
def listen(
    address: str,
    topic: str,
    count: int | None,
    as_json: bool,
    timeout_s: float | None,
    stats: bool,
    latest: bool,
    folder: Path | None,
) -> None:
    """Print what a running foal-edge publishes."""
    received = 0
    kept: deque[Prediction] = deque(maxlen=MOST_KEPT)
    keys = load_client_keys(folder) if folder else None
    with Subscriber(address, topic, keys, latest) as subscriber:
        try:
            while count is None or received < count:
                message = subscriber.receive(timeout_s)
                if message is None:
                    raise SourceError(
                        f"no message from {address} for {timeout_s} s; is foal-edge running there, "
                        f"and {'are these the keys it wants' if keys else 'does it want --keys'}?"
                    )
                if as_json:
                    print_document(encode(message, "json"))
                else:
                    console.print(show.line(message))
                if isinstance(message, Prediction):
                    received += 1
                    kept.append(message)
        except KeyboardInterrupt:
            complaints.print("stopped")
    if stats and kept:
        console.print(show.latency_table(kept, predictions(subscriber.missed), predictions(subscriber.skipped)))


def predictions(counted: Mapping[tuple[str, str], int]) -> int:
    """How many of the messages counted by session and topic are predictions."""
    return sum(number for (_, topic), number in counted.items() if topic.startswith(f"{TOPICS[Prediction]}."))


@click.command()
@click.option("--control", "address", default=DEFAULT_CONTROL, show_default=True, help="Where its control port is.")
@click.option("--timeout", "timeout_s", type=Seconds(0.001, 1e6), default=TIMEOUT_S, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@keys_option
def status(address: str, timeout_s: float, as_json: bool, folder: Path | None) -> None:
    """Ask a running foal-edge what runs: its devices, hop, load, and what it dropped."""
    keys = load_client_keys(folder) if folder else None
    with ControlClient(address, keys, timeout_s) as control:
        reply = control.ask(AskStatus(), StatusReply)
    if as_json:
        print_document(write(reply, "json"))
        return
    for part in show.status_report(reply):
        console.print(part)


@click.command()
@click.argument("folder", type=click.Path(readable=False, path_type=Path), metavar="DIR")
@click.option("--client", "names", multiple=True, metavar="NAME", help="Let another client in; as often as you like.")
def keys(folder: Path, names: tuple[str, ...]) -> None:
    """Make the keys that foal-edge --keys DIR publishes with, and those of its clients.

    Whoever listens takes the folder DIR/hand-out/NAME to its machine, for foal-edge listen --keys NAME. To shut a
    client out, delete DIR/clients/NAME.key. Keys that are there stay as they are.
    """
    if not names or not is_there(folder / "server.key"):
        make_server_keys(folder)
        console.print(f"the server's keys are in {folder}: foal-edge --keys {folder}")
    for name in names:
        console.print(f"{name}'s keys are in {make_client_keys(folder, name)}: hand that folder over, and keep no copy")
