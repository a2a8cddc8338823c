"""Command `foal-edge bench`, whose options and run `python -m export bench` shares."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, get_args

import click

from ..bench import compare, plots, roofline, tables
from ..bench.candidates import OpenBaselines, open_candidates
from ..bench.plot_style import require_matplotlib
from ..bench.report import Roofline, read_report, write_report
from ..bench.run import BenchOptions, Part, measure
from ..bundle.load import SHIPPED, Bundle, load
from ..errors import FoalError
from ..models.names import find_bundle_folder
from ..session.config import HOP_S
from ..sources.track_selection import TrackNumbers
from ..system.files import check_folder_of
from .engine_builder import make_engine_builder
from .groups import Command, Examples, Group
from .options import (
    BACKEND_METAVAR,
    Seconds,
    audio_track_option,
    parse_backend,
    threads_option,
    video_track_option,
)
from .terminal import complaints, console

QUICK_S, USUAL_S = 5.0, 240.0
MAX_STREAMS = 64
QUICK_PARTS: tuple[Part, ...] = ("stages", "scenarios", "naive", "live")
PARTS: tuple[Part, ...] = get_args(Part)
FILE = click.Path(readable=False, path_type=Path)
EXAMPLES: Examples = (
    ("bench --quick", "Measure the shipped model for a few minutes."),
    ("bench --bundle a --bundle b --streams 1,4,16 --json new.json --plot plots", "Measure two bundles; keep figures."),
    ("bench compare old.json new.json", "Compare two measurements."),
)


def parse_stream_counts(_context: click.Context, _option: click.Parameter, value: str) -> list[int]:
    """Parse numbers of streams between commas; click.BadParameter where they are none.

    This is a function and no `click.ParamType`: that class is generic from click 8.4 on, and was not before.
    """
    try:
        numbers = [int(part) for part in value.split(",")]
    except ValueError:
        numbers = []
    if not numbers or min(numbers) < 1 or max(numbers) > MAX_STREAMS:
        raise click.BadParameter(f"{value!r} is no list of numbers of streams, 1 to {MAX_STREAMS}, e.g. 1,4,8")
    return numbers


OPTIONS = (
    click.option(
        "--backend",
        "backends",
        multiple=True,
        metavar=BACKEND_METAVAR,
        callback=parse_backend,
        help="Backend that runs the model; may be repeated, the others are compared with the first.  [default: auto]",
    ),
    threads_option,
    click.option("--file", type=FILE, help="Recording with audio and video.  [default: the demo's]"),
    audio_track_option,
    video_track_option,
    click.option(
        "--hop",
        "hop_s",
        type=Seconds(0.05, 60),
        default=HOP_S,
        show_default=True,
        help="Seconds between predictions.",
    ),
    click.option(
        "--streams",
        "stream_counts",
        metavar="NUMBERS",
        callback=parse_stream_counts,
        default="1,8",
        show_default=True,
        help="Numbers of streams, a live run each, e.g. 1,4,8,12.",
    ),
    click.option(
        "--only",
        "parts",
        multiple=True,
        type=click.Choice(PARTS),
        help="Part to measure; may be repeated.  [default: all]",
    ),
    click.option(
        "--seconds",
        type=Seconds(0.1, 86400),
        help="Longest duration of one series, which ends as soon as its samples support its percentile.  "
        f"[default: {USUAL_S:g}]",
    ),
    click.option(
        "--idle",
        "idle_s",
        type=Seconds(0, 86400),
        default=60.0,
        show_default=True,
        help="Pause before the window that is measured after idling.",
    ),
    click.option(
        "--quick", is_flag=True, help=f"Take a few minutes: {QUICK_S:g} s per series, no idling, no cold starts."
    ),
    click.option("--json", "json_file", type=FILE, help="Write all figures and samples into this file."),
    click.option("--plot", "plot_folder", type=FILE, help="Write plots into this folder (needs matplotlib)."),
)


def bench_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a benchmark to a command."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


@click.group("bench", cls=Group, invoke_without_command=True, examples=EXAMPLES)
@click.option(
    "--bundle",
    "folders",
    multiple=True,
    type=FILE,
    help="Folder or name of a bundle; may be repeated.  [default: foal-nano]",
)
@bench_options
@click.pass_context
def bench_command(context: click.Context, /, folders: Sequence[Path], **options: Any) -> None:
    """Measure latency and throughput of backends and bundles on this device.

    Takes about ten minutes, with --quick a few. `foal-edge bench compare` compares two measurements.
    """
    if context.invoked_subcommand is None:
        run_benchmark([load(find_bundle_folder(path)) for path in folders or [SHIPPED]], lambda _: (), None, **options)


@bench_command.command("compare", cls=Command, examples=EXAMPLES[2:])
@click.argument("before", type=FILE, metavar="A.json")
@click.argument("after", type=FILE, metavar="B.json")
def compare_command(before: Path, after: Path) -> None:
    """Compare two measurements: ratios of the medians from A to B, with their intervals."""
    for part in compare.compare(read_report(before), read_report(after)):
        console.print(part)


def run_benchmark(
    bundles: Sequence[Bundle],
    open_baselines: OpenBaselines,
    measure_roofline: Callable[[], Roofline] | None,
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
    **options: Any,
) -> None:
    """Measure, print the tables, and write the report and the plots that are asked for.

    `open_baselines` opens further backends; `measure_roofline` takes the place of the processor's. FoalError, after all
    is printed and written, where a part failed.
    """
    for path in filter(None, (json_file, plot_folder)):
        check_folder_of(path)
    if plot_folder:
        require_matplotlib()
    settings = BenchOptions(
        parts=parts or (QUICK_PARTS if quick else PARTS),
        seconds=seconds or (QUICK_S if quick else USUAL_S),
        numbers=TrackNumbers(audio_track, video_track),
        **options,
    )
    engine_builder = make_engine_builder(lambda: False)
    candidates = open_candidates(bundles, backends or ["auto"], threads, engine_builder, open_baselines)
    report = measure(settings, candidates, measure_roofline or partial(roofline.measure, threads), complaints.print)
    if json_file:
        write_report(report, json_file)
    for table in tables.tables(report):
        console.print(table)
    for plot in plots.write_plots(report, plot_folder) if plot_folder else ():
        complaints.print(f"wrote {plot}")
    if report.failed:
        raise FoalError("\n".join(["these parts failed:", *report.failed]))
