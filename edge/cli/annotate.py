"""Command `foal-edge annotate`: predicts recordings as quickly as possible and writes a table of each."""

import os
import threading
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace

from ..annotation.about import missing_formats
from ..annotation.collection import Entry, collect
from ..annotation.crew import Crew, Task
from ..annotation.formats import FILM, FORMATS, check_formats
from ..bundle.manifest import FramingName
from ..errors import SourceError, UsageError
from ..preprocess.detector_choice import DetectorChoice
from ..session.config import Config, StreamConfig, check_stream
from ..system.signals import interruptible
from ..wire.addresses import OFF
from .annotation_report import AnnotationReport
from .groups import Command, Examples
from .options import (
    DEFAULTS,
    PATH,
    Seconds,
    WholeNumber,
    audio_track_option,
    backend_option,
    bundle_option,
    detector_option,
    framing_option,
    no_audio_option,
    no_video_option,
    people_option,
    threads_option,
    video_track_option,
)

if TYPE_CHECKING:
    from ..annotation.cluster_crew import ClusterCrew

EXAMPLES: Examples = (
    ("annotate talk.mp4 -o tables", "Write tables/talk.emotions.csv, a row per window."),
    ("annotate films more/clip.mkv -o out --format csv --format eaf", "Annotate a folder and a file, for ELAN too."),
    ("annotate talk.mp4 -o tables --video", "Draw boxes and bars into a copy of the film, too."),
    ("annotate talk.mp4 -o tables --people 2", "A row per window and person."),
    ("annotate @list.txt -o out --jobs 2", "Annotate the recordings of a list, two at once."),
    ("annotate /films -o /tables --workers tcp://scheduler:8786", "Annotate on the workers of a Dask cluster."),
)


@click.command("annotate", cls=Command, examples=EXAMPLES)
@click.argument("files", nargs=-1, metavar="FILES...")
@click.option("-o", "--output", type=PATH, required=True, help="Folder of the annotations; made where there is none.")
@click.option("--list", "lists", type=PATH, multiple=True, help="File that names a recording per line, like @FILE.")
@click.option(
    "--format",
    "formats",
    type=click.Choice([name for name in FORMATS if name != FILM]),
    multiple=True,
    default=("csv",),
    show_default=True,
    help="Format of the annotations: tables, captions (vtt), ELAN (eaf), Praat (textgrid); may be repeated.",
)
@click.option("--video", "film", is_flag=True, help="Write a copy of the film, too, with boxes and bars drawn in.")
@click.option("--overwrite", is_flag=True, help="Annotate again what is there already.")
@click.option("--jobs", type=WholeNumber(1), help="Number of recordings at once.  [default: one per core]")
@click.option(
    "--workers",
    metavar="ADDRESS",
    help="Scheduler of a Dask cluster whose workers annotate, e.g. tcp://scheduler:8786.",
)
@bundle_option
@framing_option
@detector_option
@click.option(
    "--hop",
    "hop_s",
    type=Seconds(0.05, 60),
    default=DEFAULTS.first_hop_s,
    show_default=True,
    help="Seconds between predictions.",
)
@backend_option
@threads_option
@audio_track_option
@video_track_option
@no_audio_option
@no_video_option
@people_option
@click.option("--quiet", is_flag=True, help="Print warnings and errors only.")
def annotate_command(
    files: tuple[str, ...],
    output: Path,
    lists: tuple[Path, ...],
    formats: tuple[str, ...],
    film: bool,
    overwrite: bool,
    jobs: int | None,
    workers: str | None,
    quiet: bool,
    **options: Any,
) -> None:
    """Annotate recordings as quickly as possible, a row per window.

    FILES are recordings, folders, and lists of them as @list.txt. What is done already is not done again, so that a
    command that was interrupted can be given again. The numbers are those of --file with --fast.
    """
    if not files and not lists:
        raise UsageError("nothing to annotate; give recordings, folders or --list")
    if jobs and workers is not None:
        raise UsageError("--jobs is for this machine; workers of a cluster have as many as `dask worker` is told")
    wanted = [*formats, *([FILM] if film else [])]
    check_formats(wanted)
    config = make_config(**options)
    entries = collect(files, lists, output)
    if overwrite:
        for entry in entries:
            entry.note.unlink(missing_ok=True)
    size = min(jobs or len(os.sched_getaffinity(0)), len(entries))
    with AnnotationReport(len(entries), is_quiet=quiet) as report:
        with ExitStack() as opened:
            # Before signals set an event: Dask's wait for a scheduler ends by Ctrl-C's exception alone.
            cluster = opened.enter_context(closing(hire_cluster(config, workers))) if workers is not None else None
            stop = opened.enter_context(interruptible())
            crew = cluster or opened.enter_context(closing(Crew(config, size, report.on_note)))
            report.begin(crew.ready.about)
            tasks = find_tasks(entries, crew, wanted)
            report.skip(len(entries) - len(tasks))
            make_folders(tasks)
            crew.run(tasks, report, stop)
        report.finish(output)
    check_ended(report.failed, len(entries), stop)


def hire_cluster(config: Config, address: str) -> "ClusterCrew":
    """Return the workers of a cluster; UsageError where Dask is not installed."""
    try:
        from ..annotation.cluster_crew import ClusterCrew
    except ModuleNotFoundError as error:
        raise UsageError(f"--workers needs Dask ({error}): pip install 'foal-edge[spread]'") from error
    return ClusterCrew(config, address)


def make_config(
    bundle: Path,
    framing: FramingName | None,
    detector: DetectorChoice | None,
    hop_s: float,
    backend: str,
    threads: int,
    audio_track: int | None,
    video_track: int | None,
    no_audio: bool,
    no_video: bool,
    people: int | None,
) -> Config:
    """Return the settings of the command line; UsageError where they leave nothing to go by."""
    if no_audio and no_video:
        raise UsageError("--no-audio and --no-video leave nothing to go by; give one of them")
    stream = StreamConfig(audio_track=audio_track, video_track=video_track, people=people or StreamConfig().people)
    if no_audio or no_video:
        stream = replace(stream, camera=OFF) if no_video else replace(stream, mic=OFF)
    check_stream(stream)
    return Config(
        streams=(stream,),
        fast=True,
        bundle=str(bundle),
        framing=framing,
        detector=detector or DEFAULTS.detector,
        hop_s=hop_s,
        backend=backend,
        threads=threads,
    )


def find_tasks(entries: Sequence[Entry], crew: "Crew | ClusterCrew", formats: Sequence[str]) -> list[Task]:
    """Return what is still to be done."""
    missing = [(entry, missing_formats(entry.recording, entry.note, crew.ready.settings, formats)) for entry in entries]
    return [Task(entry, wanted) for entry, wanted in missing if wanted]


def make_folders(tasks: Sequence[Task]) -> None:
    """Make the folders of annotations; UsageError where that cannot be."""
    for folder in {task.entry.stem.parent for task in tasks}:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"cannot make the folder {folder}: {error.strerror}; give another -o") from error


def check_ended(failed: Sequence[str], count: int, stop: threading.Event) -> None:
    """Raise SourceError where recordings failed, Abort where the user ended the command."""
    if failed:
        listed = "\n".join(f"  {reason}" for reason in failed)
        raise SourceError(f"{len(failed)} of {count} recordings could not be annotated:\n{listed}")
    if stop.is_set():
        raise click.Abort
