"""The command `foal-edge bench`, and what another room adds to it."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, get_args

import click

from ..backends.registry import choices
from ..bench import compare, plots, roof, tables
from ..bench import report as document
from ..bench.candidates import Opening, open_contenders
from ..bench.plot_style import require_matplotlib
from ..bench.report import Roof
from ..bench.run import Part, Plan, measure
from ..bundle.load import SHIPPED, Bundle, load
from ..errors import FoalError, UsageError
from ..session.config import HOP_S
from ..sources.track_selection import Numbers
from .options import Seconds, audio_track_option, make_engine_builder, threads_option, video_track_option
from .terminal import complaints, console

QUICK_S, USUAL_S = 5.0, 240.0
MOST_STREAMS = 64
QUICK_PARTS: tuple[Part, ...] = ("stages", "scenarios", "naive", "live")
PARTS: tuple[Part, ...] = get_args(Part)
FILE = click.Path(readable=False, path_type=Path)


def streams_given(_context: click.Context, _option: click.Parameter, value: str) -> list[int]:
    """The numbers of streams of a list with commas, or a complaint.

    A function and not a `click.ParamType`: that class is generic from click 8.4 on, and was not before.
    """
    try:
        numbers = [int(part) for part in value.split(",")]
    except ValueError:
        numbers = []
    if not numbers or min(numbers) < 1 or max(numbers) > MOST_STREAMS:
        raise click.BadParameter(f"{value!r} is no list of numbers of streams, 1 to {MOST_STREAMS}, e.g. 1,4,8")
    return numbers


OPTIONS = (
    click.option(
        "--backend",
        "backends",
        multiple=True,
        type=click.Choice(choices()),
        help="What runs the model; may be repeated, the first is what others are compared with.  [default: auto]",
    ),
    threads_option,
    click.option("--file", type=FILE, help="A recording with sound and picture.  [default: the demo as a film]"),
    audio_track_option,
    video_track_option,
    click.option("--hop", "hop_s", type=Seconds(0.05, 60), default=HOP_S, show_default=True, help="Of the live runs."),
    click.option(
        "--streams",
        metavar="NUMBERS",
        callback=streams_given,
        default="1,8",
        show_default=True,
        help="How many, a live run each, e.g. 1,4,8,12.",
    ),
    click.option(
        "--only", "parts", multiple=True, type=click.Choice(PARTS), help="This part; may be repeated.  [default: all]"
    ),
    click.option(
        "--seconds",
        type=Seconds(0.1, 86400),
        help=f"Of one series at most; it ends as soon as its samples support its percentile.  [default: {USUAL_S:g}]",
    ),
    click.option(
        "--idle",
        "idle_s",
        type=Seconds(0, 86400),
        default=60.0,
        show_default=True,
        help="Before the window after idling.",
    ),
    click.option(
        "--quick", is_flag=True, help=f"A look of a few minutes: {QUICK_S:g} s a series, no idling, no cold starts."
    ),
    click.option("--json", "json_file", type=FILE, help="All figures and samples, as one document."),
    click.option("--plot", "plot_folder", type=FILE, help="Pictures of them, into this folder (needs matplotlib)."),
)


def bench_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """A command that measures."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


@click.group(invoke_without_command=True)
@click.option(
    "--bundle", "folders", multiple=True, type=FILE, help="Folder of a model; may be repeated.  [default: foal-nano]"
)
@bench_options
@click.pass_context
def bench(context: click.Context, /, folders: Sequence[Path], **options: Any) -> None:
    """Measure latency and throughput on this device, backends and bundles beside each other.

    Takes some ten minutes, --quick a few. `foal-edge bench compare` tells two measurements apart.
    """
    if context.invoked_subcommand is None:
        run([load(path) for path in folders or [SHIPPED]], lambda _: (), None, **options)


@bench.command("compare")
@click.argument("before", type=FILE, metavar="A.json")
@click.argument("after", type=FILE, metavar="B.json")
def compare_command(before: Path, after: Path) -> None:
    """What has changed from A to B, with the intervals of the ratios."""
    for part in compare.compare(document.read(before), document.read(after)):
        console.print(part)


def run(
    bundles: Sequence[Bundle],
    opening: Opening,
    roof_of: Callable[[], Roof] | None,
    *,
    backends: Sequence[str],
    threads: int,
    parts: Sequence[Part],
    seconds: float | None,
    quick: bool,
    json_file: Path | None,
    plot_folder: Path | None,
    audio_track: int | None,
    video_track: int | None,
    **asked: Any,
) -> None:
    """Measure, print, and keep what is asked for; `opening` and `roof_of` are another room's backends and roof."""
    for path in filter(None, (json_file, plot_folder)):
        if not path.parent.is_dir():
            raise UsageError(f"no such folder: {path.parent}; make it first")
    if plot_folder:
        require_matplotlib()
    plan = Plan(
        parts=parts or (QUICK_PARTS if quick else PARTS),
        seconds=seconds or (QUICK_S if quick else USUAL_S),
        numbers=Numbers(audio_track, video_track),
        **asked,
    )
    engine_builder = make_engine_builder(lambda: False)
    contenders = open_contenders(bundles, backends or ["auto"], threads, engine_builder, opening)
    found = measure(plan, contenders, roof_of or partial(roof.measure, threads), complaints.print)
    if json_file:
        document.write(found, json_file)
    for table in tables.tables(found):
        console.print(table)
    for image in plots.draw(found, plot_folder) if plot_folder else ():
        complaints.print(f"wrote {image}")
    if found.failed:
        raise FoalError("\n".join([f"not measured were {len(found.failed)} parts:", *found.failed]))
