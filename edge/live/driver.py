"""Driver of streams, one or many: frames to embeddings, and on to windows."""

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from time import perf_counter
from typing import NamedTuple, Protocol

from ..preprocess.images import Image
from ..preprocess.media import Embedding, Media
from .recognizer import Recognizer
from .stream import Stream
from .window import Window


class FrameQueue(Protocol):
    """Frames of one stream that wait for the image encoder: a `Stream`, or a `StreamRunner` that guards one."""

    @property
    def crops(self) -> Sequence[Image]:
        """Crops uint8 `[H, W, 3]` that wait for their embeddings."""
        ...

    def has_frames(self, before_ns: float) -> bool:
        """Return whether frames captured before a time wait to be cropped."""
        ...

    def crop_frames(self, before_ns: float) -> None:
        """Crop the frames captured before a time."""
        ...

    def add_embeddings(self, embeddings: Embedding, took_s: float) -> None:
        """Take the embeddings `[n, Dv]` of `crops`, computed in `took_s` seconds."""
        ...


class CutWindow(NamedTuple):
    """Window of a stream with the crops that are new in it."""

    window: Window | None
    """Window; None where it would hold nothing."""
    crops: list[Image]
    """uint8 `[H, W, 3]` each, of the frames captured since the window before."""


def encode_frames(
    queues: Sequence[tuple[FrameQueue, float]], recognizer: Recognizer, threads: Executor | None = None
) -> list[Image]:
    """Crop each queue's frames captured before its time and encode the crops as one batch; return the crops.

    Several queues are cropped at once where `threads` are given: by as many as there are cores, this one among them.
    """
    waiting = deque((queue, before_ns) for queue, before_ns in queues if queue.has_frames(before_ns))
    others = min(len(waiting), os.cpu_count() or 1) - 1
    helpers = [threads.submit(crop_waiting, waiting) for _ in range(others)] if threads else []
    crop_waiting(waiting)
    for helper in helpers:
        helper.result()
    batches = [(queue, queue.crops) for queue, _ in queues if queue.crops]
    crops = [crop for _, batch in batches for crop in batch]
    if not crops:
        return []
    started = perf_counter()
    embeddings = recognizer.embed(crops)
    took_s = perf_counter() - started
    first = 0
    for queue, batch in batches:
        queue.add_embeddings(embeddings[first : first + len(batch)], took_s)
        first += len(batch)
    return crops


def crop_waiting(waiting: deque[tuple[FrameQueue, float]]) -> None:
    """Crop the frames of queues until none waits; several threads may do so together."""
    while True:
        try:
            queue, before_ns = waiting.popleft()
        except IndexError:
            return
        queue.crop_frames(before_ns)


def cut_window(stream: Stream, end_ns: int, recognizer: Recognizer) -> CutWindow:
    """Encode a stream's frames captured before `end_ns` and cut the window that ends there."""
    crops = encode_frames([(stream, end_ns)], recognizer)
    return CutWindow(stream.cut(end_ns), crops)


def read_windows(stream: Stream, media: Iterable[Media], recognizer: Recognizer) -> Iterator[CutWindow]:
    """Feed media to a stream and yield each window when it falls due."""
    for item in media:
        stream.add(item)
        while due := stream.next_window(item.end_ns):
            yield cut_window(stream, due.end_ns, recognizer)
