"""Options of a run, and the settings that they make, laid over those of `--config`.

An option that is not given has the value None and changes nothing: the defaults are those of the settings.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import click

from ..errors import UsageError
from ..session.config import Config, StreamConfig, load_config, parse_stream, read
from ..wire.addresses import AUTO, DEFAULT_ADDRESS, MAX_PORT
from ..wire.messages import WireFormat
from .options import (
    BACKEND_HELP,
    BACKEND_METAVAR,
    BUNDLE_HELP,
    DEFAULTS,
    PATH,
    THREADS_HELP,
    Seconds,
    WholeNumber,
    audio_track_option,
    detector_option,
    framing_option,
    parse_backend,
    people_option,
    video_track_option,
)

Command = Callable[..., Any]
STREAM_OPTIONS = ("camera", "mic", "file", "demo", "people", "loop", "audio_track", "video_track", "av_offset_ms")
"""Options that describe the only stream, or whatever a `--stream` leaves out."""
HEADINGS = {
    "Sources": (
        "camera",
        "mic",
        "file",
        "demo",
        "people",
        "loop",
        "audio_track",
        "video_track",
        "av_offset_ms",
        "fast",
    ),
    "Streams and settings": ("streams", "config_file"),
    "Model": ("bundle", "framing", "detector", "hop_s", "backend", "fallback", "threads"),
    "Publishing": (
        "bind",
        "format",
        "control",
        "allow_stop",
        "keys",
        "insecure",
        "metrics_port",
        "view",
        "show_picture",
    ),
    "Recording": ("record", "record_media"),
    "Logging": ("log_format", "verbose", "plain", "quiet"),
}
"""Headings of help, each with the names of its options' parameters."""
STREAM = StreamConfig()


class Hop(Seconds):
    """Number of seconds, or `auto`."""

    name = "seconds|auto"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number or `auto`; a usage error for anything else."""
        return AUTO if value == AUTO else super().convert(value, param, ctx)


OPTIONS = (
    click.option("--camera", help="Number, path, GStreamer string or URL; off for none.  [default: the first one]"),
    click.option("--mic", help=f"Number or name of a microphone; off for none.  [default: {STREAM.mic}]"),
    click.option("--file", help="Recording, by its path or URL, in place of devices; played in real time."),
    click.option("--demo", is_flag=True, default=None, help="Built-in clip in place of devices."),
    people_option,
    click.option("--loop", is_flag=True, default=None, help="Play the recording or the demo again and again."),
    audio_track_option,
    video_track_option,
    click.option(
        "--av-offset-ms",
        type=float,
        help="Milliseconds to add to the capture times of the audio; `foal-edge devices --measure-sync` measures them.",
    ),
    click.option(
        "--fast",
        is_flag=True,
        default=None,
        help="Play recordings as fast as possible; on one machine the predictions are always the same.",
    ),
    click.option(
        "--stream",
        "streams",
        multiple=True,
        help="Stream, e.g. name=lobby,camera=0,mic=default; may be repeated. Or the name of the only stream.  "
        f"[default: {STREAM.name}]",
    ),
    click.option("--config", "config_file", type=PATH, help="YAML file with settings; options overrule it."),
    click.option("--bundle", help=BUNDLE_HELP),
    framing_option,
    detector_option,
    click.option(
        "--hop",
        "hop_s",
        type=Hop(0.05, 60),
        help=f"Seconds between predictions; auto: longer if the machine is too slow.  [default: {DEFAULTS.hop_s}]",
    ),
    click.option(
        "--backend",
        metavar=BACKEND_METAVAR,
        callback=parse_backend,
        help=f"{BACKEND_HELP}  [default: {DEFAULTS.backend}]",
    ),
    click.option(
        "--fallback",
        type=click.Choice(("none", "local")),
        help="While the server of --backend does not answer: drop and count, or compute on this machine.  "
        f"[default: {DEFAULTS.fallback}]",
    ),
    click.option("--threads", type=WholeNumber(0), help=f"{THREADS_HELP}  [default: {DEFAULTS.threads}]"),
    click.option("--bind", help=f"Address to publish at, or off.  [default: {DEFAULT_ADDRESS}; with --fast off]"),
    click.option(
        "--format",
        type=click.Choice(get_args(WireFormat)),
        help=f"Format of the messages.  [default: {DEFAULTS.format}]",
    ),
    click.option(
        "--control",
        help="Address of the control port, which answers status, last, clock and schema; or off.  "
        "[default: the port after --bind's]",
    ),
    click.option("--allow-stop", is_flag=True, default=None, help="Let clients of the control port end the program."),
    click.option("--keys", help="Folder of CURVE keys, made by `foal-edge keys`; only clients with keys may connect."),
    click.option("--insecure", is_flag=True, default=None, help="Allow a public address without keys."),
    click.option(
        "--metrics-port", type=WholeNumber(0, MAX_PORT), help="Loopback port of the Prometheus page; 0 for any."
    ),
    click.option("--view", is_flag=True, default=None, help="Show the run on a page beside it, as `foal-edge view`."),
    click.option(
        "--show-picture",
        is_flag=True,
        default=None,
        help="Publish small pictures of what the cameras see, too, for `foal-edge view`.",
    ),
    click.option("--record", help="Folder to record the messages in."),
    click.option("--record-media", is_flag=True, default=None, help="Record audio and video too, for `replay`."),
)


def run_options(command: Command) -> Command:
    """Add the options of a run to a command."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def read_config(config_file: Path | None, streams: tuple[str, ...], **options: Any) -> Config:
    """Return the settings of the command line, laid over those of the file; UsageError if they make no sense."""
    given = {name: value for name, value in options.items() if value is not None}
    for_streams = {name: given.pop(name) for name in STREAM_OPTIONS if name in given}
    if streams:
        given["streams"] = [parse_stream(text, for_streams) for text in streams]
    elif for_streams:
        if config_file and "streams" in read(config_file):
            flags = ", ".join(f"--{name.replace('_', '-')}" for name in for_streams)
            raise UsageError(
                f"{flags} cannot be given with the streams of {config_file}; write it there, or add --stream"
            )
        given["streams"] = [for_streams]
    return load_config(config_file, given)
