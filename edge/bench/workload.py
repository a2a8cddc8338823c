"""Workload of the benchmark: a recording's images, and its windows with the crops that are new in each."""

from collections import deque
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace

from ..bundle.manifest import VideoSpec
from ..clock import SECOND_NS, to_ns
from ..errors import SourceError
from ..live.driver import read_windows
from ..live.recognizer import Recognizer
from ..live.stream import Stream
from ..live.token_window import TokenWindow
from ..preprocess.framing import Framing
from ..preprocess.images import Image, resize
from ..preprocess.media import Embedding, Frame, Media, Samples
from ..sources.base import Recording

MAX_S = 60.0
"""Length of the recording that is used, at most."""


@dataclass(frozen=True)
class LiveWindow:
    """Evidence of one window when it falls due."""

    samples: Samples
    """float32 `[n]`, n <= S."""
    embeddings: Embedding
    """float32 `[n, Dv]`, n <= Tv: embeddings of earlier frames and of the new ones."""
    tokens: TokenWindow | None
    """Audio tokens of earlier windows, and what gives the new ones; None if the audio encoder takes whole windows."""
    new_crops: Sequence[Image]
    """uint8 `[H, W, 3]`: crops of the frames that are new since the window before."""
    all_crops: Sequence[Image]
    """uint8 `[H, W, 3]`: crops of all its frames, as many as there are embeddings."""

    def with_embeddings(self, embeddings: Embedding) -> "LiveWindow":
        """Return a copy with other embeddings of its frames."""
        return replace(self, embeddings=embeddings)


def read_first_minute(recording: Recording) -> list[Media]:
    """Return the media of a recording's first minute; SourceError where it has none, or lasts less than a second."""
    media: list[Media] = []
    for item in recording.read():
        media.append(item)
        if item.end_ns >= to_ns(MAX_S):
            break
    if not media:
        raise SourceError(f"{recording.name} has neither audio nor video; give another recording")
    if media[-1].end_ns < SECOND_NS:
        lasts_s = media[-1].end_ns / SECOND_NS
        raise SourceError(f"{recording.name} lasts {lasts_s:.2g} s, at least 1 s is expected; give --file a longer one")
    return media


def images(media: Sequence[Media]) -> list[Image]:
    """Return the images, each uint8 `[H, W, 3]`; SourceError where there are none."""
    found = [item.image for item in media if isinstance(item, Frame)]
    if not found:
        raise SourceError("the recording has no video; give --file one with audio and video")
    return found


def cut_windows(media: Sequence[Media], recognizer: Recognizer, framing: Framing, hop_s: float) -> list[LiveWindow]:
    """Return the windows of whole length, or the longest where the recording is shorter than that.

    Where no face is found the whole images take the place of crops: the time does not depend on their content.
    """
    manifest = recognizer.manifest
    stream = Stream(manifest, framing, audio=True, video=True, begin_ns=0, hop_ns=to_ns(hop_s))
    windows: list[LiveWindow] = []
    recent: deque[Image] = deque(maxlen=manifest.frames)
    for window, new_crops in read_windows(stream, media, recognizer):
        recent += new_crops
        if window is not None:
            new = new_crops or substitute_crops(media, manifest.video, hop_s)
            every = list(recent)[len(recent) - len(window.embeddings) :]
            tokens = deepcopy(window.tokens)
            windows.append(LiveWindow(window.samples.copy(), window.embeddings.copy(), tokens, new, every))
            if window.tokens is not None:
                recognizer.recognize([window])  # the next window finds its tokens kept
    if not windows:
        raise SourceError(f"the recording is shorter than a hop of {hop_s:g} s; give --file a longer one")
    longest = max(len(window.samples) for window in windows)
    return [window for window in windows if len(window.samples) == longest]


def substitute_crops(media: Sequence[Media], video: VideoSpec, hop_s: float) -> list[Image]:
    """Return the images of one hop, resized to the size of crops."""
    return [resize(found, video.height, video.width) for found in images(media)[: max(1, round(video.rate_hz * hop_s))]]
