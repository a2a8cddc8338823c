"""Contents of a file, told by its header: its tracks, its duration, and whether it is a still image."""

from dataclasses import dataclass
from fractions import Fraction

import av

from ..errors import SourceError
from .decoding import open_container
from .location import Location, display_name
from .track_selection import BEST, TrackNumbers, choose, explain_missing

MICROSECONDS = 1_000_000
STILL = "is a still image: use foal-edge score for labelled images, Recognizer.predict for others (docs/python.md)"
"""Error of a still image where a recording is expected, to be put after its name."""


@dataclass(frozen=True)
class Contents:
    """Contents of a recording or a still image."""

    audio: bool
    """True if it has audio that can be used."""
    video: bool
    """True if it has video that can be used, or is a still image."""
    is_still: bool
    """True for a still image."""
    duration_s: float | None
    """Duration in seconds, as stated or estimated; None where it is not known."""
    frame_rate_hz: Fraction | None
    """Mean frame rate of the video; None where it is not stated."""


def examine(path: Location, numbers: TrackNumbers = BEST) -> Contents:
    """Return what a file holds; raises SourceError if that is neither audio nor video."""
    with open_container(path) as container:
        taken, there = choose(container, numbers), container.streams
        if not (taken.audio or taken.video):
            lacking = f"{explain_missing('audio', there.audio)} and {explain_missing('video', there.video)}"
            raise SourceError(f"{display_name(path)} {lacking}; give a recording or a still image")
        return Contents(
            audio=taken.audio is not None,
            video=taken.video is not None,
            is_still=taken.audio is None and is_still(container, taken.video),
            duration_s=container.duration / MICROSECONDS if container.duration else None,
            frame_rate_hz=taken.video.average_rate if taken.video else None,
        )


def is_still(container: av.container.InputContainer, video: av.VideoStream | None) -> bool:
    """Return whether a file without audio holds a single image."""
    name = container.format.name
    return video is not None and (name == "image2" or name.endswith("_pipe") or video.frames == 1)
