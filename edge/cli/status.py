"""Command `foal-edge status`: asks a running foal-edge for its state."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import SourceError
from ..wire.addresses import AUTO, DEFAULT_ADDRESS, control_address
from ..wire.control_client import TIMEOUT_S, ControlClient
from ..wire.control_messages import AskClock, AskStatus, ClockReply, NodeState, StatusReply, write
from .groups import Command, Examples
from .lines import describe_counts, describe_load, print_line
from .options import Seconds, client_keys_option, load_client_keys

if TYPE_CHECKING:
    from rich.table import Table

DEFAULT_CONTROL = control_address(DEFAULT_ADDRESS, AUTO)
EXAMPLES: Examples = (
    ("status", "Print the state of the foal-edge on this machine."),
    ("status --json --timeout 5", "Print it as JSON, and wait up to 5 seconds for the answer."),
    ("status --max-age 10", "Fail if it has published nothing for 10 seconds, as a health check."),
    ("status --control tcp://robot:5557 --keys desk", "Ask another machine that wants keys."),
)


@click.command("status", cls=Command, examples=EXAMPLES)
@click.option("--control", "address", default=DEFAULT_CONTROL, show_default=True, help="Address of the control port.")
@click.option(
    "--timeout",
    "timeout_s",
    type=Seconds(0.001, 1e6),
    default=TIMEOUT_S,
    show_default=True,
    help="Stop with an error after so many seconds without an answer.",
)
@click.option(
    "--max-age",
    "max_age_s",
    type=Seconds(0.001, 1e6),
    help="Stop with an error if it has published nothing for so many seconds: a run that hangs still answers.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the answer as one JSON document.")
@client_keys_option
def status_command(address: str, timeout_s: float, max_age_s: float | None, as_json: bool, folder: Path | None) -> None:
    """Print the state of a running foal-edge.

    Tells of its streams, devices, hop and load, and of what it dropped.
    """
    with ControlClient(address, load_client_keys(folder), timeout_s) as control:
        reply = control.ask(AskStatus(), StatusReply)
        if max_age_s is not None:
            check_age(reply, control.ask(AskClock(), ClockReply), max_age_s)
    if as_json:
        print_line(write(reply, "json").decode())
        return
    from .terminal import console  # here, since rich takes longer to import than all else

    for part in status_report(reply):
        console.print(part)


def check_age(reply: StatusReply, clock: ClockReply, max_age_s: float) -> None:
    """Raise SourceError if the figures that a run publishes every second are older than `max_age_s`.

    A proxy has none of its own, and none are there in the first second of a run.
    """
    if reply.stats is None or reply.nodes:
        return
    age_s = (clock.mono_ns - reply.stats.mono_publish) / 1e9
    if age_s > max_age_s:
        raise SourceError(
            f"it answers, but has published nothing for {age_s:.1f} s, more than --max-age {max_age_s:g}; "
            "a driver or an engine hangs: look at its log, and start it again"
        )


def people(number: int) -> str:
    """Return a number of people in words."""
    return "1 person" if number == 1 else f"{number} people"


def status_report(reply: StatusReply) -> "Iterator[str | Table]":
    """Give lines and a table: what runs, a row per stream, and the load; of a proxy, a row per node in its place."""
    from rich.table import Table

    width = max(map(len, reply.about), default=0)
    for name, value in reply.about.items():
        yield f"{name:<{width}}  {value}"
    table = Table("stream", "state", "audio", "video", "hop s", "dropped")
    for status in reply.streams:
        dropped = describe_counts(status.dropped)
        video = f"{status.video}, {people(len(status.people))}" if status.people else status.video
        table.add_row(status.stream, status.state, status.audio, video, f"{status.hop_s:g}", dropped)
    yield table
    if reply.nodes:
        yield nodes_table(reply.nodes)
        return
    yield describe_load(reply.stats) if reply.stats is not None else "no figures yet: they come every second"


def nodes_table(nodes: Sequence[NodeState]) -> "Table":
    """Return a table of the nodes of a fleet."""
    from rich.table import Table

    table = Table("node", "state", "received", "missed", "refused", "delay ms", "clock s", "problem")
    for node in nodes:
        table.add_row(
            node.name,
            node.state if node.state != "lost" else f"lost for {node.silence_s:.0f} s",
            str(node.received),
            str(node.missed),
            describe_counts(node.refused),
            "-" if node.delay_ms is None else f"{node.delay_ms:.1f}",
            "-" if node.unix_offset_ns is None else f"{node.unix_offset_ns / 1e9:+.3f}",
            node.problem or "-",
        )
    return table
