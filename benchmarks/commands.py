"""Commands of the measurements from the checkout."""

import tempfile
from datetime import date
from os import getloadavg
from pathlib import Path
from typing import Any

import click
import msgspec

from edge.backends.onnxruntime import processor
from edge.bench import recording
from edge.cli.bench import FILE, parse_stream_counts
from edge.cli.options import Seconds
from edge.cli.terminal import complaints, console
from edge.errors import UsageError
from edge.session.config import HOP_S
from train.packages import explain_missing

from .capacity.commands import capacity_group, print_lines
from .commits import report
from .commits.revisions import find_last_release, find_revision
from .commits.run import Options, compare_revisions
from .films import run as films
from .fleet import run as fleet
from .peers import pictures, table
from .peers.run import compare_all
from .people import run as people

ROOT = Path(__file__).parents[1]
"""Checkout whose commits are compared."""


@click.group()
def main() -> None:
    """Measure a commit beside an earlier one, the shipped model beside what others ship, and what nodes carry.

    \b
    Examples:
      python -m benchmarks commits HEAD --against 908b201 --page docs/results.md
      python -m benchmarks peers --data corpora
      python -m benchmarks films
      python -m benchmarks fleet
      python -m benchmarks triton
      python -m benchmarks people --file talk.mp4
      python -m benchmarks capacity simulate
    """


@main.command("commits")
@click.argument("after", default="HEAD")
@click.option("--against", "before", help="Commit to compare with.  [default: the last tag before]")
@click.option("--file", type=FILE, help="Recording with audio and video.  [default: the demo's]")
@click.option(
    "--streams",
    "stream_counts",
    metavar="NUMBERS",
    callback=parse_stream_counts,
    default="1,8",
    show_default=True,
    help="Numbers of streams, a run each, e.g. 1,4.",
)
@click.option("--rounds", type=click.IntRange(1), default=8, show_default=True, help="Runs of each; intervals need 6.")
@click.option("--seconds", type=Seconds(1, 3600), default=20, show_default=True, help="Steady state of each run.")
@click.option("--json", "json_file", type=FILE, help="Write every figure into this file.")
@click.option("--markdown", "markdown_file", type=FILE, help="Write the report into this file.")
@click.option("--page", type=FILE, help=f"Write it into this page, below its line {report.BEGIN.strip()}.")
def commits_command(
    after: str,
    before: str | None,
    json_file: Path | None,
    markdown_file: Path | None,
    page: Path | None,
    **options: Any,
) -> None:
    """Compare the commit AFTER with an earlier one: CPU time, latency, memory and start of live runs.

    Each is installed into an environment of its own, and both run in turn on the same recording. Exit status 7: a
    measure is worse, its interval wholly beyond the margin. Takes 20 minutes.

    \b
    Example:
      python -m benchmarks commits HEAD --against 908b201 --json new.json
    """
    for path in filter(None, (json_file, markdown_file)):
        if not path.parent.is_dir():
            raise UsageError(f"no such folder: {path.parent}; make it first")
    if page:
        report.split_page(page)
    new = find_revision(ROOT, after)
    old = find_revision(ROOT, before) if before else find_last_release(ROOT, after)
    found = compare_revisions(ROOT, old, new, Options(**options), complaints.print)
    text = report.markdown(found)
    print_lines(text)
    if json_file:
        json_file.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1))
    if markdown_file:
        markdown_file.write_text(text)
    if page:
        report.write_on_page(page, text)
    if worse := list(report.regressions(found)):
        raise report.Regression("\n".join(["regressions:", *worse]))


@main.command("peers")
@click.option("--data", type=FILE, envvar="FOAL_DATA", required=True, help="Folder of the corpora [FOAL_DATA].")
@click.option("--rounds", type=click.IntRange(1), default=6, show_default=True, help="Processes of each model.")
def peers_command(data: Path, rounds: int) -> None:
    """Compare the shipped model with emotion models of npm and PyPI on held-out faces.

    Packages are installed, pinned, into a folder that is removed again. Needs Node 18 or later, and corpora of faces.

    \b
    Example:
      python -m benchmarks peers --data corpora
    """
    sets = pictures.face_sets(data)
    measured = compare_all(sets, rounds, complaints.print)
    print_lines(f"{date.today():%Y-%m-%d}, {processor()}, one thread, medians of {rounds} rounds:")
    console.print()
    print_lines(table.markdown(measured, sets))


@main.command("films")
@click.option("--file", "film", type=FILE, help="Film with audio and video.  [default: one of the demo's face, 30 s]")
@click.option("--rounds", type=click.IntRange(1), default=4, show_default=True, help="Runs of each.")
def films_command(film: Path | None, rounds: int) -> None:
    """Annotate a film with foal-edge and with fer, in turn, and compare their CPU time, start included.

    fer is installed, pinned, into a folder that is removed again; it sees the video alone.

    \b
    Example:
      python -m benchmarks films --file talk.mp4
    """
    found, duration_s = films.compare(film, rounds, complaints.print)
    print_lines(
        f"{date.today():%Y-%m-%d}, {processor()}, {duration_s:.0f} s of film, one thread, medians of {rounds} rounds:"
    )
    console.print()
    print_lines(films.markdown(found, duration_s))


@main.command("fleet")
@click.option(
    "--seconds",
    "phase_s",
    type=Seconds(1, 3600),
    default=10,
    show_default=True,
    help="Length of a phase, and of what follows.",
)
def fleet_command(phase_s: float) -> None:
    """Run ten nodes behind two proxies, in networks of their own, while one is cut off, slow, or stands still.

    Needs root on Linux, `ip` and `tc`. Tells what the healthy nodes lost, and how late their messages were.

    \b
    Example:
      python -m benchmarks fleet --seconds 30
    """
    rows, states = fleet.run(phase_s, complaints.print)
    load = getloadavg()[1]
    print_lines(
        f"{date.today():%Y-%m-%d}, {processor()}, {fleet.RATE_HZ:g} predictions/s of each node, {2 * phase_s:g} s a "
        f"phase, load average {load:.1f}:"
    )
    console.print()
    print_lines(fleet.markdown(rows, states))


@main.command("triton")
@click.option("--file", "film", type=FILE, help="Film with audio and video.  [default: one of the demo's face, 30 s]")
@click.option("--streams", type=click.IntRange(1, 64), default=16, show_default=True, help="Streams of each node.")
@click.option("--hop", "hop_s", type=Seconds(0.05, 60), default=HOP_S, show_default=True, help="Hop of both, seconds.")
@click.option("--seconds", type=Seconds(1, 3600), default=20, show_default=True, help="Length of each part.")
@click.option("--shared-memory", is_flag=True, help="Let tensors lie in memory that nodes and server share.")
@click.option("--fallback", is_flag=True, help="Let the nodes compute while the server does not answer.")
def triton_command(
    film: Path | None, streams: int, hop_s: float, seconds: float, shared_memory: bool, fallback: bool
) -> None:
    """Run two nodes on one Triton server, which is restarted and slow, and kill a node.

    FOAL_TRITON is the Python of an environment with nvidia-pytriton and onnxruntime, 3.10 to 3.12.

    \b
    Example:
      python -m benchmarks triton --streams 16
    """
    with explain_missing("dev"):
        from .triton import scenario
    with tempfile.TemporaryDirectory() as scratch:
        if film is None:
            film = Path(scratch) / "film.mp4"
            recording.write(film, films.DEMO_S)
        told = scenario.Ways(shares_memory=shared_memory, falls_back=fallback)
        found = list(scenario.share(film, streams, hop_s, seconds, Path(scratch), told, complaints.print))
    print_lines(f"{date.today():%Y-%m-%d}, {processor()}, {len(scenario.NODES)} nodes of {streams} streams:")
    console.print()
    print_lines(scenario.markdown(found, hop_s))


@main.command("people")
@click.option("--file", "film", type=FILE, required=True, help="Film of one person who speaks; half a minute or more.")
@click.option("--rounds", type=click.IntRange(1), default=6, show_default=True, help="Runs of each; intervals need 6.")
@click.option("--seconds", type=Seconds(1, 3600), default=10, show_default=True, help="Steady state of each run.")
def people_command(film: Path, rounds: int, seconds: float) -> None:
    """Compare the CPU time of four people before one camera with that of one, live.

    The film of four is made of the one that is given, at its size.

    \b
    Example:
      python -m benchmarks people --file talk.mp4
    """
    found = people.compare(film, rounds, seconds, complaints.print)
    print_lines(f"{date.today():%Y-%m-%d}, {processor()}, medians of {rounds} rounds of {seconds:g} s:")
    console.print()
    print_lines(people.markdown(found))


main.add_command(capacity_group)
