"""Command `foal-edge listen`: prints what a running foal-edge publishes."""

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import SourceError
from ..wire.evidence import Latency
from ..wire.messages import TOPICS, BasePrediction, Message, PersonPrediction, Prediction, encode
from ..wire.subscriber import Subscriber
from .groups import Command, Examples
from .lines import print_line, print_notice
from .options import Seconds, WholeNumber, client_keys_option, connect_option, load_client_keys, plain_option
from .screen import is_terminal, showing
from .times import Times

if TYPE_CHECKING:
    from rich.table import Table

PATIENCE_S = 3.0
"""Time without a message, in seconds, after which the user is told that nothing comes; a run sends every second."""
MOST_KEPT = 10_000
"""Largest number of predictions that the percentiles of `--stats` are taken from: the last ones."""
PERCENTILES = {"p50": 50, "p95": 95, "p99": 99, "max": 100}
EXAMPLES: Examples = (
    ("listen", "Print what runs on this machine, until Ctrl-C."),
    ("listen --topic emotion.main. --count 10 --stats", "Print ten predictions of one stream and their latency."),
    ("listen --json --latest", "Print JSON documents, and skip what is out of date."),
    ("listen --connect tcp://robot:5556 --keys desk", "Listen to another machine that wants keys."),
)


@click.command("listen", cls=Command, examples=EXAMPLES)
@connect_option
@click.option("--topic", default="", help="Beginning of the topics to print, e.g. emotion.main.  [default: all]")
@click.option("--count", type=WholeNumber(1), metavar="N", help="Stop after N predictions, those of people too.")
@plain_option
@click.option("--json", "as_json", is_flag=True, help="Print each message as a JSON document on a line.")
@click.option(
    "--timeout",
    "timeout_s",
    type=Seconds(0.001, 1e6),
    help="Stop with an error after so many seconds without a message.",
)
@click.option("--stats", is_flag=True, help="Print percentiles of the latency at the end.")
@click.option("--latest", is_flag=True, help="Skip messages that a newer one of their topic has overtaken.")
@client_keys_option
def listen_command(
    addresses: tuple[str, ...],
    topic: str,
    count: int | None,
    plain: bool,
    as_json: bool,
    timeout_s: float | None,
    stats: bool,
    latest: bool,
    folder: Path | None,
) -> None:
    """Print what a running foal-edge publishes."""
    received = 0
    silence: str | None = "yet"
    kept: deque[BasePrediction] = deque(maxlen=MOST_KEPT)
    keys, source = load_client_keys(folder), " and ".join(addresses) + (f", topic {topic}" if topic else "")
    with (
        Subscriber(addresses, topic, keys, latest) as subscriber,
        show_json() if as_json else showing(Times(), shows_latency=True, as_table=not plain and is_terminal()) as show,
    ):
        try:
            while count is None or received < count:
                message = await_message(subscriber, timeout_s, source, silence, has_keys=keys is not None)
                silence = None if topic else "any more"
                show(message)
                if isinstance(message, BasePrediction):
                    received += 1
                    kept.append(message)
        except KeyboardInterrupt:
            print_notice("stopped")
    if stats and kept:
        from .terminal import console  # here, since rich takes longer to import than all else

        table = latency_table(kept, count_predictions(subscriber.missed), count_predictions(subscriber.skipped))
        console.print(table)


@contextmanager
def show_json() -> Iterator[Callable[[Message], None]]:
    """Give the function that prints a message as a JSON document on a line."""
    yield lambda message: print_line(encode(message, "json").decode())


def await_message(
    subscriber: Subscriber, timeout_s: float | None, source: str, silence: str | None, *, has_keys: bool
) -> Message:
    """Return the next message; SourceError after the timeout. Where none comes for a while, that is said once.

    `source` names the addresses and the topic for people. `silence` is `yet` or `any more`; None where silence means
    nothing, as of a topic on which messages are rare.
    """
    doubt = "are these the keys it wants" if has_keys else "does it want --keys"
    patience_s = timeout_s if silence is None else min(PATIENCE_S, timeout_s or PATIENCE_S)
    message = subscriber.receive(patience_s)
    if message is None and patience_s != timeout_s:
        print_notice(f"nothing from {source} {silence}: is foal-edge running there, and {doubt}? Waiting for it")
        message = subscriber.receive(None if timeout_s is None else timeout_s - PATIENCE_S)
    if message is None:
        raise SourceError(f"no message from {source} for {timeout_s:g} s; is foal-edge running there, and {doubt}?")
    return message


def count_predictions(counts: Mapping[tuple[str, str], int]) -> int:
    """Return how many of the messages counted by session and topic are predictions."""
    kinds = TOPICS[Prediction], TOPICS[PersonPrediction]
    return sum(number for (_, topic), number in counts.items() if topic.split(".")[0] in kinds)


def latency_table(predictions: Collection[BasePrediction], missed: int, skipped: int) -> "Table":
    """Return a table of each stage's percentiles in ms, with the numbers of predictions missed and skipped."""
    from rich.table import Table

    title = f"{len(predictions)} predictions, {missed} missed" + (f", {skipped} skipped" if skipped else "")
    table = Table("ms", *PERCENTILES, title=title)
    for stage in Latency.__struct_fields__:
        values = sorted(getattr(prediction.latency_ms, stage) for prediction in predictions)
        table.add_row(stage, *(f"{percentile(values, share):.1f}" for share in PERCENTILES.values()))
    return table


def percentile(values: Sequence[float], share: float) -> float:
    """Return a percentile (0 to 100) of sorted values, interpolated between neighbours."""
    rank = (len(values) - 1) * share / 100
    low = int(rank)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (rank - low)
