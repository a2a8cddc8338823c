"""The command line: `foal-edge [OPTIONS]`, and its commands."""

import io
import logging
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import click
from rich.progress import track

from ..backends.select import open_backend
from ..bundle.load import load
from ..bundle.manifest import FramingName
from ..errors import FoalError, SourceError, UsageError
from ..evaluation.score import read_table, score
from ..live.recognizer import Recognizer
from ..preprocess.framing import make_framing
from ..session.config import Config
from ..session.run import run
from ..sources.track_selection import TrackNumbers
from ..system.logs import LogFormat, configure
from ..system.printable import paragraph
from ..system.redaction import censored
from ..system.resources import exhaustion, raise_limit
from ..system.signals import FORCED_STATUS, interruptible
from ..system.standard_streams import stderr
from ..wire.messages import Message
from . import tables as show
from .bench import bench
from .devices import devices
from .engines import doctor, engines
from .options import (
    audio_track_option,
    backend_option,
    bundle_option,
    framing_option,
    log_options,
    make_engine_builder,
    threads_option,
    video_track_option,
)
from .printer import Printer
from .replay import replay
from .run_options import read_config, run_options
from .subscribe import keys, listen, status
from .terminal import complaints, console, no_room

log = logging.getLogger(__name__)


def run_command() -> None:
    """Run; what the user can mend is said in one paragraph, without a traceback."""
    configure("text", verbose=False)
    raise_limit(log.warning)
    try:
        status = main(standalone_mode=False)
    except click.ClickException as error:
        said = io.StringIO()
        error.show(said)
        stderr.write(paragraph(censored(said.getvalue()), indent="") + "\n")
        status = error.exit_code
    except click.Abort:
        status = FORCED_STATUS
    except FoalError as error:
        log.error("%s", error)
        status = error.exit_status
    except (MemoryError, RuntimeError, OSError) as error:
        if (lack := exhaustion(error) or no_room(error)) is None:
            raise
        log.error("%s", lack)
        status = lack.exit_status
    sys.exit(status)


def print_version(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    """The installed version, or that there is none."""
    if not wanted:
        return
    try:
        click.echo(f"foal-edge {version('foal-edge')}")
    except PackageNotFoundError:
        click.echo("foal-edge, run from its source")
    context.exit()


@click.group(invoke_without_command=True)
@run_options
@click.option("--quiet", is_flag=True, help="Publish only, print nothing.")
@log_options
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=print_version, help="Show the version."
)
@click.pass_context
def main(context: click.Context, /, quiet: bool, log_format: LogFormat, verbose: bool, **options: Any) -> None:
    """Watch and listen, and publish twice a second what the person seems to feel.

    Without a command it runs until Ctrl-C, or to the end of a recording. `foal-edge listen` shows what it publishes.
    """
    configure(log_format, verbose=verbose)
    if context.invoked_subcommand is not None:
        return
    config = read_config(**options)
    with interruptible() as stop:
        try:
            play(config, stop, log.info if log_format == "json" else complaints.print, quiet=quiet)
        except SourceError as error:
            if not stop.is_set():
                raise
            log.info("%s", error)  # nobody waits for it any more


def play(config: Config, stop: threading.Event, on_start: Callable[[str], None], *, quiet: bool) -> None:
    """Run, and print a line a message unless `quiet`."""
    engine_builder = make_engine_builder(stop.is_set, quiet=quiet)
    if quiet:
        run(config, stop, engine_builder, ignore, ignore)
        return
    with closing(Printer(print_message, stop, waits=config.fast)) as printer:
        run(config, stop, engine_builder, on_start, printer)


@main.command("score")
@click.argument("table", type=click.Path(readable=False, path_type=Path), metavar="MANIFEST.csv")
@bundle_option
@framing_option
@backend_option
@threads_option
@audio_track_option
@video_track_option
@click.option("--no-audio", is_flag=True, help="Go by the picture alone.")
@click.option("--no-video", is_flag=True, help="Go by the sound alone.")
def score_command(
    table: Path,
    bundle: Path,
    framing: FramingName | None,
    backend: str,
    threads: int,
    audio_track: int | None,
    video_track: int | None,
    no_audio: bool,
    no_video: bool,
) -> None:
    """Predict labelled clips or still pictures (columns path,label) and print how many are right."""
    if no_audio and no_video:
        raise UsageError("--no-audio and --no-video leave nothing to go by; give one of them")
    loaded = load(bundle)
    manifest = loaded.manifest
    clips = read_table(table, manifest.labels)
    with interruptible() as stop:
        opened = open_backend(loaded, backend, threads, make_engine_builder(stop.is_set))
    if stop.is_set():
        raise click.Abort
    complaints.print(f"{manifest.name} {manifest.version} on {opened.backend.name} ({opened.reason})")
    result = score(
        track(clips, "predicting", console=complaints, transient=True),
        Recognizer(manifest, opened.backend),
        partial(
            make_framing,
            framing or manifest.video.framing,
            manifest.video.height,
            manifest.video.width,
        ),
        audio=not no_audio,
        video=not no_video,
        numbers=TrackNumbers(audio_track, video_track),
    )
    if result.accuracy is not None:
        console.print(show.accuracy_table({table.name: result.accuracy}))
        console.print(show.confusion_table(table.name, manifest.labels, result.accuracy))
    if result.failed:
        listed = "\n".join(f"  {reason}" for reason in result.failed)
        raise SourceError(f"{len(result.failed)} of {len(clips)} clips could not be predicted:\n{listed}")


main.add_command(engines)
main.add_command(doctor)
main.add_command(devices)
main.add_command(replay)
main.add_command(bench)
main.add_command(listen)
main.add_command(status)
main.add_command(keys)


def print_message(message: Message) -> None:
    """One line a message."""
    console.print(show.line(message))


def ignore(_: object) -> None:
    """Say nothing."""
