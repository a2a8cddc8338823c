"""What cameras and microphones this machine has."""

from pathlib import Path

from .portaudio import portaudio


def cameras() -> list[tuple[str, str]]:
    """Number and name of each V4L2 camera, e.g. `("0", "USB Camera")`; empty where the system has no V4L2."""
    nodes = Path("/sys/class/video4linux").glob("video*")
    found = sorted((int(node.name.removeprefix("video")), (node / "name").read_text().strip()) for node in nodes)
    return [(str(number), name) for number, name in found]


def microphones() -> list[tuple[str, str]]:
    """Number and description of each input device; SourceError where the system lacks PortAudio."""
    return [
        (str(number), f"{about['name']}, {about['max_input_channels']} channels, {about['default_samplerate']:.0f} Hz")
        for number, about in enumerate(portaudio().query_devices())
        if about["max_input_channels"] > 0
    ]
