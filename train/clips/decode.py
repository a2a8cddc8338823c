"""What an utterance looks and sounds like, cut from its files as the runtime would take it in."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np

from edge.clock import to_ns
from edge.preprocess.framing import Image
from edge.preprocess.media import Frame, Samples
from edge.preprocess.windowing import FrameGrid
from edge.sources.media import probe, read_first_window, timed
from edge.sources.video_track import Pixels

from ..corpora.utterance import Half, Utterance, VideoSegment

LEAD_S = 0.5
"""How long before a cut the keyframe lies that decoding begins at: around one, frames may be stored out of order."""


def decode_frames(cut: VideoSegment, grid_rate_hz: float, longest_s: float) -> Iterator[Frame]:
    """The frames that the runtime would use, timed from the cut's beginning; none where the file has no picture."""
    _, has_video = probe(cut.path)
    if not has_video:
        return
    begin_ns = to_ns(cut.begin_s)
    last_ns = begin_ns + to_ns(longest_s)
    end_ns = last_ns if cut.end_s is None else min(last_ns, to_ns(cut.end_s))
    grid = FrameGrid(grid_rate_hz)
    for image, time_s in decode_from(cut.path, cut.begin_s):
        time_ns = max(0, to_ns(time_s))
        if time_ns >= end_ns:
            return
        if time_ns >= begin_ns and grid.wants(time_ns - begin_ns):
            yield Frame(half_of(image(), cut.half), time_ns - begin_ns)


def decode_audio(utterance: Utterance, rate_hz: int, longest_s: float) -> Samples:
    """Its sound from the beginning, float32 mono; empty where the file has none."""
    has_audio, _ = probe(utterance.path)
    if not has_audio:
        return np.zeros(0, np.float32)
    return read_first_window(utterance.path, rate_hz, longest_s)


def half_of(image: Image, half: Half) -> Image:
    """A picture's left or right columns, or all of them."""
    middle = image.shape[1] // 2
    return {"whole": image, "left": image[:, :middle], "right": image[:, middle:]}[half]


def decode_from(path: Path, begin_s: float) -> Iterator[tuple[Pixels, float]]:
    """Pictures and their times from the file's beginning, from a keyframe before `begin_s` on."""
    sought = timed(path, max(0.0, begin_s - LEAD_S))
    first = next(sought, None)
    if first and first[1] <= max(0.0, begin_s):
        yield from chain([first], sought)
    else:
        # Some containers have no index to seek by, and the keyframe that is found lies behind.
        yield from timed(path, 0.0)
