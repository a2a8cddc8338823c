"""Frames and audio of an utterance, decoded from its files as the runtime does."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np

from edge.clock import to_ns
from edge.preprocess.images import Image
from edge.preprocess.media import Frame, Samples
from edge.preprocess.windowing import FrameGrid
from edge.sources.image_conversion import DecodedImage
from edge.sources.media import probe, read_first_window, read_timed_images

from ..corpora.utterance import Half, Utterance, VideoSegment

LEAD_S = 0.5
"""Distance from a segment's begin back to where decoding starts: near a keyframe, frames may be stored out of order."""


def decode_frames(cut: VideoSegment, grid_rate_hz: float, longest_s: float) -> Iterator[Frame]:
    """Yield the frames that the runtime would use, timed from the segment's begin; none if the file has no video."""
    _, has_video = probe(cut.path)
    if not has_video:
        return
    begin_ns = to_ns(cut.begin_s)
    last_ns = begin_ns + to_ns(longest_s)
    end_ns = last_ns if cut.end_s is None else min(last_ns, to_ns(cut.end_s))
    grid = FrameGrid(grid_rate_hz)
    for decoded, time_s in decode_from(cut.path, cut.begin_s):
        time_ns = max(0, to_ns(time_s))
        if time_ns >= end_ns:
            return
        if time_ns >= begin_ns and grid.wants(time_ns - begin_ns):
            # a whole picture stays as it was decoded: the runtime frames it so
            picture = decoded if cut.half == "whole" else half_of(decoded(), cut.half)
            yield Frame(picture, time_ns - begin_ns)


def decode_audio(utterance: Utterance, rate_hz: int, longest_s: float) -> Samples:
    """Return the utterance's audio from its begin, float32 mono; empty if the file has none."""
    has_audio, _ = probe(utterance.path)
    if not has_audio:
        return np.zeros(0, np.float32)
    return read_first_window(utterance.path, rate_hz, longest_s)


def half_of(image: Image, half: Half) -> Image:
    """Return the left or right half of a frame, or all of it."""
    middle = image.shape[1] // 2
    return {"whole": image, "left": image[:, :middle], "right": image[:, middle:]}[half]


def decode_from(path: Path, begin_s: float) -> Iterator[tuple[DecodedImage, float]]:
    """Yield frames and their times in the file, from a keyframe before `begin_s` on; calling a frame decodes it."""
    sought = read_timed_images(path, max(0.0, begin_s - LEAD_S))
    first = next(sought, None)
    if first and first[1] <= max(0.0, begin_s):
        yield from chain([first], sought)
    else:
        # Some containers have no index to seek by, and the seek ends after the segment's begin.
        yield from read_timed_images(path, 0.0)
