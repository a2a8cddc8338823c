"""The command line of a run, as settings laid over those of `--config`. What is not said is not there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ..backends.registry import choices
from ..errors import UsageError
from ..session.config import HOP_S, Config, load_config, parse_stream, read
from ..wire.addresses import AUTO, DEFAULT_ADDRESS, MAX_PORT
from .options import Seconds, audio_track_option, video_track_option

Command = Callable[..., Any]
OF_A_STREAM = ("camera", "mic", "file", "demo", "audio_track", "video_track", "av_offset_ms")
"""Options that describe one stream, or what every `--stream` does not say itself."""


class Hop(Seconds):
    """Seconds, or `auto`."""

    name = "seconds|auto"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse what is neither."""
        return AUTO if value == AUTO else super().convert(value, param, ctx)


OPTIONS = (
    click.option(
        "--config", "config_file", type=click.Path(readable=False, path_type=Path), help="Settings from a YAML file."
    ),
    click.option(
        "--stream",
        "streams",
        multiple=True,
        help="A stream, e.g. name=lobby,camera=0,mic=default; may be repeated. Or one stream's name.  [default: main]",
    ),
    click.option(
        "--camera", help="Number, device path, GStreamer string or address (rtsp://...); off for none.  [default: 0]"
    ),
    click.option("--mic", help="default, a number or a name; off for none.  [default: default]"),
    click.option("--file", help="A recording, or its address, in place of the devices, in its own time."),
    audio_track_option,
    video_track_option,
    click.option("--demo", is_flag=True, default=None, help="The program's own clip in place of the devices."),
    click.option("--av-offset-ms", type=float, help="Added to the sound's capture times; see devices --measure-sync."),
    click.option(
        "--fast",
        is_flag=True,
        default=None,
        help="Recordings as quickly as possible; on one machine the same predictions every time.",
    ),
    click.option("--bundle", help="Folder of the model.  [default: foal-nano]"),
    click.option(
        "--framing",
        type=click.Choice(["whole", "face"]),
        help="What of a picture is looked at.  [default: the bundle's]",
    ),
    click.option(
        "--hop",
        "hop_s",
        type=Hop(0.05, 60),
        help=f"Seconds between predictions; auto: what the machine sustains.  [default: {HOP_S}]",
    ),
    click.option("--bind", help=f"Where to publish; or off.  [default: {DEFAULT_ADDRESS}; with --fast off]"),
    click.option("--control", help="Where to answer status, last, clock, schema; or off.  [default: the port after]"),
    click.option("--allow-stop", is_flag=True, default=None, help="Let the control port end the program."),
    click.option("--keys", help="Folder of CURVE keys, made by foal-edge keys: strangers are refused."),
    click.option("--insecure", is_flag=True, default=None, help="Let a public address do without keys."),
    click.option("--format", type=click.Choice(["msgpack", "json"]), help="Of messages.  [default: msgpack]"),
    click.option(
        "--backend",
        type=click.Choice(choices()),
        help="What runs the model; auto: TensorRT where it and an NVIDIA GPU are, else ONNX Runtime.  [default: auto]",
    ),
    click.option("--threads", type=click.IntRange(0), help="Cores for inference; 0 for all.  [default: 0]"),
    click.option("--metrics-port", type=click.IntRange(0, MAX_PORT), help="Prometheus page on this loopback port."),
    click.option("--record", help="Keep the messages in this folder."),
    click.option("--record-media", is_flag=True, default=None, help="Record sound and pictures too, for replay."),
)


def run_options(command: Command) -> Command:
    """A command with the options of a run."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def read_config(config_file: Path | None, streams: tuple[str, ...], **options: Any) -> Config:
    """What the command line says, over what the file says."""
    said = {name: value for name, value in options.items() if value is not None}
    of_a_stream = {name: said.pop(name) for name in OF_A_STREAM if name in said}
    if streams:
        said["streams"] = [parse_stream(text, of_a_stream) for text in streams]
    elif of_a_stream:
        if config_file and "streams" in read(config_file):
            flags = ", ".join(f"--{name.replace('_', '-')}" for name in of_a_stream)
            raise UsageError(f"{flags} beside the streams of {config_file}; say it there, or give --stream")
        said["streams"] = [of_a_stream]
    return load_config(config_file, said)
