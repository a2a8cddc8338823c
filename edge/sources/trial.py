"""Trial of a device: opened for a moment, to see what it gives."""

import math
from collections.abc import Iterator
from contextlib import closing, contextmanager

import numpy as np

from ..clock import to_ns
from ..preprocess.media import Block, Frame
from .base import Source

LISTENED_S = 1.0
"""Length of the audio whose level is measured, after the first block: a microphone may begin with a click."""


@contextmanager
def opened(source: Source) -> Iterator[Source]:
    """Open a device for a block of code; SourceError if it cannot be opened."""
    source.open()
    with closing(source):
        yield source


def frame_size(camera: Source) -> tuple[int, int]:
    """Return width and height in pixels of a camera's first frame; SourceError if it gives none."""
    with opened(camera):
        frame = next(item for item in camera.read() if isinstance(item, Frame))
    height, width = frame.image.shape[:2]
    return width, height


def level_dbfs(microphone: Source) -> float:
    """Return the RMS level of a second of a microphone, in dB relative to full scale; minus infinity for silence.

    SourceError if it gives nothing.
    """
    blocks: list[Block] = []
    with opened(microphone):
        for item in microphone.read():
            if not isinstance(item, Block):
                continue
            blocks.append(item)
            if item.end_ns - blocks[0].end_ns >= to_ns(LISTENED_S):
                break
    power = float(np.mean(np.square(np.concatenate([block.samples for block in blocks[1:]]), dtype=np.float64)))
    return 10 * math.log10(power) if power > 0 else -math.inf
