"""List of this machine's devices, each tried for a moment: the size of a camera's frame, a microphone's level."""

import math
from collections import Counter
from collections.abc import Callable, Iterator

from ..bundle.load import SHIPPED, load
from ..clock import SystemClock
from ..errors import SourceError
from ..session.inputs import WITHOUT_DEVICES
from ..sources.devices import list_cameras, list_microphones, make_camera
from ..sources.microphone import Microphone
from ..sources.trial import frame_size, level_dbfs

METER_COLUMNS = 20
QUIETEST_DBFS = -80.0
"""Level at which the meter begins."""


def device_lines(*, tries: bool) -> Iterator[str]:
    """Yield each camera and microphone with the option that selects it, and where it is tried, what it gives."""
    cameras = list_cameras()
    yield "cameras:" if cameras else "cameras: none"
    yield from described("--camera", cameras, try_camera if tries else None)
    microphones = list_microphones()
    yield "microphones:" if microphones else "microphones: none"
    yield from described("--mic", microphones, try_microphone if tries else None)
    if not cameras and not microphones:
        yield WITHOUT_DEVICES


def described(option: str, found: list[tuple[str, str]], attempt: Callable[[str], str] | None) -> Iterator[str]:
    """Yield a line for each device."""
    for number, about in found:
        yield f"  {option} {number}  {about}" + (f"  {attempt(number)}" if attempt else "")


def try_camera(number: str) -> str:
    """Return the size of a camera's frame, or why it gives none."""
    video = load(SHIPPED).manifest.video
    try:
        width, height = frame_size(make_camera(number, video, SystemClock(), Counter()))
    except SourceError as error:
        return f"cannot be used: {error}"
    return f"{width} x {height} pixels"


def try_microphone(number: str) -> str:
    """Return the level of a second of a microphone as a meter, or why it gives none."""
    audio = load(SHIPPED).manifest.audio
    try:
        return meter(level_dbfs(Microphone(number, audio, SystemClock(), Counter())))
    except SourceError as error:
        return f"cannot be used: {error}"


def meter(level: float) -> str:
    """Return a level in dBFS as a meter, `[########            ] -48 dBFS`."""
    if level == -math.inf:
        return f"[{' ' * METER_COLUMNS}] digital silence: is it muted?"
    share = min(1.0, max(0.0, 1 - level / QUIETEST_DBFS))
    return f"[{'#' * round(share * METER_COLUMNS):<{METER_COLUMNS}}] {level:.0f} dBFS"
