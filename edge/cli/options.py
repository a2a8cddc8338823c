"""Options that several commands share."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from ..backends.registry import EXPECTED_ADDRESS, choices, expected, is_address
from ..bundle.load import SHIPPED
from ..bundle.manifest import FramingName
from ..errors import UsageError
from ..preprocess.detector_choice import DetectorChoice
from ..session.config import MOST_PEOPLE, Config
from ..system.logs import LogFormat
from ..wire.addresses import DEFAULT_ADDRESS, check_address

if TYPE_CHECKING:
    from ..wire.keys import ClientKeys

DEFAULTS = Config()
"""Settings of a run that nobody changed: the one place of the defaults that help shows."""
LOG_FORMAT: LogFormat = "text"
PATH = click.Path(readable=False, path_type=Path)
"""Type of an option that is a path, which the command itself checks."""
BACKEND_HELP = (
    "Backend that runs the model; auto: with an NVIDIA GPU TensorRT, or else ONNX Runtime on CUDA, whichever is "
    f"installed; otherwise ONNX Runtime on the CPU. {EXPECTED_ADDRESS}: a Triton Inference Server."
)
THREADS_HELP = "CPU threads for inference; 0 for one with a small model, one per core with a large one."
BUNDLE_HELP = f"Folder of the model's bundle, or the name of one that the package has.  [default: {SHIPPED.name}]"


class WholeNumber(click.IntRange):
    """Whole number within bounds, which an error tells; click's own calls what is none `not a valid integer range`."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number; a usage error if it is none or out of bounds."""
        try:
            return int(super().convert(value, param, ctx))
        except click.BadParameter:
            bounds = f"of at least {self.min}" if self.max is None else f"from {self.min} to {self.max}"
            self.fail(f"found {value!r}, expected a whole number {bounds}", param, ctx)


def parse_backend(_context: click.Context, _option: click.Parameter, value: Any) -> Any:
    """Return the name of a backend or the address of a server, or several, as given; click.BadParameter for others."""
    for each in value if isinstance(value, tuple) else (value,):
        if each is not None and each not in choices() and not is_address(each):
            raise click.BadParameter(f"{each!r} is not one of {expected()}")
    return value


BACKEND_METAVAR = f"[{'|'.join([*choices(), EXPECTED_ADDRESS])}]"
"""Names of backends and the form of an address, for help."""
bundle_option = click.option("--bundle", type=PATH, default=SHIPPED, help=BUNDLE_HELP)
bundle_argument = click.argument("bundle", type=PATH, default=SHIPPED)
framing_option = click.option(
    "--framing",
    type=click.Choice(get_args(FramingName)),
    help="Part of each frame that the model sees: all of it, or the largest face.  [default: the bundle's]",
)
detector_option = click.option(
    "--detector",
    type=click.Choice(get_args(DetectorChoice)),
    help="Detector of faces: OpenCV's cascade, or CenterFace, which finds covered and leaning faces, too; auto: "
    f"CenterFace if its weights are installed.  [default: {DEFAULTS.detector}]",
)
threads_option = click.option("--threads", type=WholeNumber(0), default=DEFAULTS.threads, help=THREADS_HELP)
backend_option = click.option(
    "--backend",
    metavar=BACKEND_METAVAR,
    callback=parse_backend,
    default=DEFAULTS.backend,
    show_default=True,
    help=BACKEND_HELP,
)
people_option = click.option(
    "--people",
    type=WholeNumber(1, MOST_PEOPLE),
    help=f"People before the camera who are followed at most, each with predictions of their own.  "
    f"[default: {DEFAULTS.streams[0].people}]",
)
plain_option = click.option(
    "--plain", is_flag=True, help="Print a line a message; without it, a terminal shows a table that stays in place."
)
no_audio_option = click.option("--no-audio", is_flag=True, help="Predict from video alone.")
no_video_option = click.option("--no-video", is_flag=True, help="Predict from audio alone.")
audio_track_option = click.option(
    "--audio-track", type=WholeNumber(0), help="Audio track of a recording, counted from 0.  [default: the best]"
)
video_track_option = click.option(
    "--video-track", type=WholeNumber(0), help="Video track of a recording, counted from 0.  [default: the best]"
)


def log_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of logging to a command."""
    command = click.option("--verbose", is_flag=True, help="Log details for debugging, too.")(command)
    formats = click.Choice(get_args(LogFormat))
    return click.option(
        "--log-format",
        type=formats,
        default=LOG_FORMAT,
        show_default=True,
        help="Format of the log on stderr: lines for people, or a JSON object per line.",
    )(command)


class Seconds(click.FloatRange):
    """Finite number within bounds; click's own ranges let nan through."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number; a usage error if it is not finite or out of bounds."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value} is not a number of seconds", param, ctx)
        return number


def parse_addresses(_context: click.Context, option: click.Parameter, addresses: tuple[str, ...]) -> tuple[str, ...]:
    """Return addresses to connect to, as given; UsageError for what is none, and for one that is given again."""
    for address in addresses:
        check_address(address, option.opts[0], binds=False)
        if (times := addresses.count(address)) > 1:
            raise UsageError(f"{option.opts[0]} {address} is given {times} times; give it once")
    return addresses


connect_option = click.option(
    "--connect",
    "addresses",
    multiple=True,
    default=(DEFAULT_ADDRESS,),
    show_default=True,
    callback=parse_addresses,
    help="Address that foal-edge publishes at; repeated for several, such as two proxies of one fleet.",
)
client_keys_option = click.option(
    "--keys",
    "folder",
    type=PATH,
    help="Folder of this client's keys, needed if foal-edge uses --keys: DIR/hand-out/NAME of `foal-edge keys DIR`.",
)


def load_client_keys(folder: Path | None) -> "ClientKeys | None":
    """Return the keys in the folder of `--keys`; None without one."""
    if folder is None:
        return None
    from ..wire import keys  # here, since most commands go without keys

    return keys.load_client_keys(folder)
