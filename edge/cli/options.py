"""What several commands share: options, and where they print."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import click
from rich.console import Console

from ..backends.registry import AUTO, choices
from ..backends.tensorrt.builder import EngineBuilder
from ..backends.tensorrt.progress import progress_bar
from ..bundle.load import SHIPPED
from ..system.logs import LogFormat
from .terminal import complaints

bundle_option = click.option(
    "--bundle",
    type=click.Path(readable=False, path_type=Path),
    default=SHIPPED,
    help="Folder of the model.  [default: foal-nano]",
)
framing_option = click.option(
    "--framing", type=click.Choice(["whole", "face"]), help="What of a picture is looked at.  [default: the bundle's]"
)
threads_option = click.option("--threads", type=click.IntRange(0), default=0, help="Cores for inference; 0 for all.")
backend_option = click.option(
    "--backend",
    type=click.Choice(choices()),
    default=AUTO,
    show_default=True,
    help="What runs the model; auto: TensorRT where it and an NVIDIA GPU are, else ONNX Runtime.",
)
audio_track_option = click.option(
    "--audio-track", type=click.IntRange(0), help="Which of a recording's sound tracks, from 0.  [default: the best]"
)
video_track_option = click.option(
    "--video-track", type=click.IntRange(0), help="Which of a recording's picture tracks, from 0.  [default: the best]"
)


def log_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """A command that says how it logs."""
    command = click.option("--verbose", is_flag=True, help="Log what is tried as well.")(command)
    formats = click.Choice(get_args(LogFormat))
    return click.option("--log-format", type=formats, default="text", show_default=True, help="Of stderr.")(command)


class Seconds(click.FloatRange):
    """A finite number within bounds: the ranges of click let nan through."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Refuse what is no number of seconds."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value} is no number of seconds", param, ctx)
        return number


def make_engine_builder(is_stopped: Callable[[], bool], *, quiet: bool = False) -> EngineBuilder:
    """Builds engines, a bar each; nothing is printed where `quiet`."""
    printed = Console(quiet=True) if quiet else complaints
    return EngineBuilder(lambda title: progress_bar(title, printed, is_stopped), printed.print, is_stopped)
