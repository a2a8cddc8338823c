"""Media delivered by sources: blocks of samples, frames, discontinuities.

Times are integer nanoseconds of capture.
"""

from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..clock import to_ns
from .images import Image
from .pictures import Picture

Samples = NDArray[np.float32]
Embedding = NDArray[np.floating[Any]]

BLOCK_S = 0.02
"""Length of the blocks that sources deliver, in seconds."""
BLOCK_NS = to_ns(BLOCK_S)
AUDIO_LOST_S, VIDEO_LOST_S = 0.5, 1.0
"""Seconds without a block after which a microphone is lost, and without a frame after which a camera is."""
LARGEST_SIDE_PX = 1 << 14
"""Largest height and width of a frame."""
LATEST_NS = 1 << 62
"""Latest possible time, a century and a half: anything later is no time."""


class Block(msgspec.Struct, frozen=True):
    """Run of mono audio samples at the bundle's rate."""

    samples: Samples
    """float32 `[n]`, full scale 1."""
    end_ns: int
    """Capture time of the end of its last sample."""


class UnconvertedImage(Protocol):
    """Image that is converted when it is called for: a decoded one takes half of the memory while it waits."""

    @property
    def nbytes(self) -> int:
        """Size of the converted image in bytes."""
        ...

    def __call__(self) -> Image:
        """Return the image, uint8 `[H, W, 3]` RGB, converted anew at each call; any thread may call."""
        ...

    def keep(self) -> None:
        """Convert the image now and keep it, so that what is framed is to the last bit what is recorded."""
        ...

    def picture(self) -> Picture:
        """Return the image as it is framed, converted as little as can be."""
        ...


class Frame(msgspec.Struct, frozen=True):
    """Image of a camera or a recording."""

    picture: Image | UnconvertedImage
    """uint8 `[H, W, 3]`, RGB, or what is converted to it."""
    end_ns: int
    """Capture time."""

    @property
    def image(self) -> Image:
        """uint8 `[H, W, 3]`, RGB; take it once, as it may be converted now."""
        return self.picture if isinstance(self.picture, np.ndarray) else self.picture()

    @property
    def framed(self) -> Picture:
        """Picture that is framed: the image, or what the decoder gave of it."""
        return self.picture if isinstance(self.picture, np.ndarray) else self.picture.picture()

    def keep(self) -> None:
        """Convert the image now where it is unconverted, so that what is framed is what is recorded."""
        if not isinstance(self.picture, np.ndarray):
            self.picture.keep()


class Discontinuity(msgspec.Struct, frozen=True):
    """Beginning of a new time line: no window joins media from before it with media from after it."""

    end_ns: int
    """Capture time from which evidence counts again."""


Media = Block | Frame | Discontinuity


def check(item: Media) -> None:
    """Raise ValueError if an item of a source is no media: its driver or its decoder is broken."""
    if isinstance(item, Block):
        is_float32 = isinstance(item.samples, np.ndarray) and item.samples.dtype == np.float32
        if not is_float32 or item.samples.ndim != 1:
            raise ValueError(f"a block is {form(item.samples)}, float32 [n] is expected")
    elif isinstance(item, Frame):
        if not (callable(item.picture) or is_image(item.picture)):
            raise ValueError(
                f"a frame is {form(item.picture)}, uint8 [H, W, 3] is expected, its sides 1 to {LARGEST_SIDE_PX}"
            )
    elif not isinstance(item, Discontinuity):
        raise ValueError(f"{item!r:.80} is neither a block nor a frame")
    if not isinstance(item.end_ns, int) or abs(item.end_ns) > LATEST_NS:
        raise ValueError(f"a time is {item.end_ns!r}, nanoseconds are expected")


def is_image(array: object) -> bool:
    """Return whether an array is uint8 `[H, W, 3]`, neither empty nor larger than any camera's."""
    if not isinstance(array, np.ndarray) or array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3:
        return False
    return all(1 <= side <= LARGEST_SIDE_PX for side in array.shape[:2])


def form(array: object) -> str:
    """Return type and shape of an array, for messages."""
    return f"{array.dtype} {list(array.shape)}" if isinstance(array, np.ndarray) else type(array).__name__
