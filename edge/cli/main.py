"""Command line: `foal-edge [OPTIONS]` and its commands, each imported when it is called.

This module and those that it imports at the top stay light: help and version load neither OpenCV nor numpy.
"""

import io
import logging
import sys
from typing import Any

import click

from ..errors import FoalError
from ..system.logs import LogFormat, configure
from ..system.printable import paragraph
from ..system.redaction import censored
from ..system.resources import exhaustion, raise_limit
from ..system.signals import FORCED_STATUS
from ..system.standard_streams import stderr
from .groups import Examples, Group, LazyCommand
from .lines import explain_full
from .opencv import check_opencv
from .options import LOG_FORMAT, log_options, plain_option
from .run_options import HEADINGS, read_config, run_options

SECTIONS = {
    "Run": {
        "replay": LazyCommand("Replay a run recorded with --record"),
    },
    "Recordings": {
        "annotate": LazyCommand("Annotate recordings as quickly as possible, a row per window"),
        "report": LazyCommand("Write one page of an annotation or a recording: time line, states, events, settings"),
    },
    "Inspect": {
        "listen": LazyCommand("Print what a running foal-edge publishes", needs_opencv=False),
        "view": LazyCommand("Show running instances of foal-edge on a page", needs_opencv=False),
        "status": LazyCommand("Print the state of a running foal-edge", needs_opencv=False),
        "proxy": LazyCommand("Publish the messages of many nodes at one address", needs_opencv=False),
        "bridge": LazyCommand("Hand what is published to LSL, OSC, MQTT or a bag of ROS 2", needs_opencv=False),
        "schema": LazyCommand("Print the JSON Schema of all messages", needs_opencv=False),
        "devices": LazyCommand("List cameras and microphones, or measure their skew"),
    },
    "Measure": {
        "score": LazyCommand("Predict labelled clips and print how many are right"),
        "bench": LazyCommand("Measure latency and throughput of backends and bundles on this device"),
    },
    "Models": {
        "doctor": LazyCommand("Prove a bundle on this device and print times and versions"),
        "engines": LazyCommand("Build the TensorRT engines of a bundle"),
    },
    "Service": {
        "keys": LazyCommand("Make CURVE keys for a publisher and its clients", needs_opencv=False),
    },
}
EXAMPLES: Examples = (
    ("", "Run with the first camera and the default microphone until Ctrl-C."),
    ("--demo", "Run the built-in clip once."),
    ("--camera rtsp://10.0.0.7/live --mic off", "Run with a network camera and without audio."),
    ("--stream name=lobby,camera=0 --stream name=door,camera=1,mic=off", "Run two streams on one model."),
    ("--file talk.mp4 --fast", "Predict a recording as fast as possible."),
    ("annotate talk.mp4 -o tables", "Write a table of a recording's predictions."),
    ("--record kept --record-media", "Record messages, audio and video for `foal-edge replay`."),
    ("--bind tcp://0.0.0.0:5556 --keys my-keys", "Publish to other machines, encrypted."),
    ("--config edge.yaml --log-format json --quiet", "Run as a service with settings from a file."),
)

log = logging.getLogger(__name__)


def run_command() -> None:
    """Run the command line and exit; errors that the user can mend are printed as one paragraph."""
    configure(LOG_FORMAT, verbose=False)
    raise_limit(log.warning)
    try:
        status = main(standalone_mode=False)
    except click.ClickException as error:
        text = io.StringIO()
        error.show(text)
        stderr.write(paragraph(censored(text.getvalue()), indent="") + "\n")
        status = error.exit_code
    except click.Abort:
        status = FORCED_STATUS
    except FoalError as error:
        log.error("%s", error)
        status = error.exit_status
    except (MemoryError, RuntimeError, OSError, ImportError) as error:
        if (lack := exhaustion(error) or explain_full(error)) is None:
            raise
        log.error("%s", lack)
        status = lack.exit_status
    sys.exit(status)


def print_version(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    """Print the installed version, or that there is none, and exit."""
    if not wanted:
        return
    from ..system.versions import version_line  # here, since only this option needs it

    click.echo(version_line())
    context.exit()


@click.group(cls=Group, invoke_without_command=True, examples=EXAMPLES, sections=SECTIONS, headings=HEADINGS)
@run_options
@log_options
@click.option("--quiet", is_flag=True, help="Publish only, print nothing; a log in JSON stays.")
@plain_option
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=print_version, help="Show the version."
)
@click.pass_context
def main(
    context: click.Context, /, quiet: bool, plain: bool, log_format: LogFormat, verbose: bool, **options: Any
) -> None:
    """Publish twice a second the emotion that voice and face appear to show.

    Without a command foal-edge runs until Ctrl-C, or to the end of a recording. `foal-edge listen` prints what it
    publishes; `foal-edge COMMAND --help` explains a command.
    """
    configure(log_format, verbose=verbose)
    if context.invoked_subcommand is not None:
        return
    check_opencv()
    from .run import run_until_stopped  # here, since help and the other commands need none of it

    run_until_stopped(read_config(**options), log_format, quiet=quiet, plain=plain)
