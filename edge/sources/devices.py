"""Devices of this machine: the cameras and microphones there are, and the class that opens each kind of camera."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from ..bundle.manifest import VideoSpec
from ..clock import Clock
from .base import Source
from .camera import LocalCamera
from .location import is_address
from .names import DEFAULT
from .network_camera import NetworkCamera
from .portaudio import portaudio

CameraClass = Callable[[str, VideoSpec, Clock, Counter[str]], Source]
"""Class of a kind of camera: called with the user's text, the bundle's video, the clock and the drop counters."""


def camera_class(text: str) -> CameraClass:
    """Return the class for the camera that the user names.

    A new kind of camera is added here: before the branch of addresses if its text has a scheme.
    """
    if is_address(text):
        return NetworkCamera
    return LocalCamera


def make_camera(text: str, video: VideoSpec, clock: Clock, dropped: Counter[str]) -> Source:
    """Build the camera that the user names: `default`, a number, a device path, a GStreamer string or an address.

    Frames that come too late are counted in `dropped`. Nothing is opened yet.
    """
    if text == DEFAULT:
        text = first_camera()
    return camera_class(text)(text, video, clock, dropped)


def first_camera() -> str:
    """Return the number of the first camera, 0 where the system lists none."""
    return next((number for number, _ in list_cameras()), "0")


def list_cameras() -> list[tuple[str, str]]:
    """Return number and name of each V4L2 camera, e.g. `("0", "USB Camera")`; empty on a system without V4L2."""
    nodes = Path("/sys/class/video4linux").glob("video*")
    found = sorted((int(node.name.removeprefix("video")), (node / "name").read_text().strip()) for node in nodes)
    return [(str(number), name) for number, name in found]


def list_microphones() -> list[tuple[str, str]]:
    """Return number and description of each input device; raises SourceError if the system lacks PortAudio."""
    return [
        (str(number), f"{about['name']}, {about['max_input_channels']} channels, {about['default_samplerate']:.0f} Hz")
        for number, about in enumerate(portaudio().query_devices())
        if about["max_input_channels"] > 0
    ]
