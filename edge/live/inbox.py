"""Where capture threads leave blocks and frames for the one thread that infers. Bounded: the newest win."""

import math
import threading
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass

from ..preprocess.media import Block, Discontinuity, Frame, Media, check
from ..wire.drop_reasons import (
    BLOCKS_OVERLOAD,
    FRAMES_OVERLOAD,
    FRAMES_STALE,
    PACKETS_DAMAGED,
    SAMPLES_NOT_FINITE,
)

MOST_FRAMES = 5
"""A stream's: 1 s at the usual 5 a second. A large model listens for half of that; an overloaded machine looks at the
newest."""
MOST_BLOCKS = 400
"""A stream's: 8 s of 20 ms blocks, more than a window."""

BEFORE_THE_LOOP = (FRAMES_OVERLOAD, BLOCKS_OVERLOAD, FRAMES_STALE, SAMPLES_NOT_FINITE, PACKETS_DAMAGED)
"""Reasons counted before anything reaches the loop: by sources and by the inbox."""


@dataclass(frozen=True)
class Delivery:
    """What one stream delivered."""

    stream: int
    """Which, in the order of the run's streams."""
    media: Media | None
    """None where the stream has ended."""
    error: Exception | None = None
    """What has ended it before its time."""


@dataclass(frozen=True)
class LoopInput:
    """What has arrived, and as of when it is judged."""

    now_ns: int
    """When the inbox was emptied: what is due or lost is judged as of this moment."""
    unix_ahead_ns: int
    """Unix time less CLOCK_MONOTONIC."""
    hop_ns: int
    """Windows are this far apart from here on."""
    deliveries: list[Delivery]
    """In the order of their arrival."""
    dropped: list[dict[str, int]]
    """A stream each: what was dropped before it arrived, since the start, by reason."""


class Inbox:
    """What all streams delivered, in the order of its arrival; what does not fit is dropped, oldest first, and counted.

    `captures` says how many captures each stream has: with the last of them the stream has ended.
    """

    def __init__(self, captures: Sequence[int], dropped: Sequence[Counter[str]] = ()) -> None:
        """`dropped`: what the streams' recordings count in, where that is made already."""
        self.dropped: list[Counter[str]] = list(dropped) or [Counter() for _ in captures]
        """A stream each, by reason. No reason is added later: other threads count here and read."""
        for counted in self.dropped:
            counted.update(dict.fromkeys(BEFORE_THE_LOOP, 0))
        self._running = list(captures)
        self._frames: list[deque[tuple[int, Delivery]]] = [deque() for _ in captures]
        self._blocks: list[deque[tuple[int, Delivery]]] = [deque() for _ in captures]
        self._discontinuities: list[deque[tuple[int, Delivery]]] = [deque(maxlen=1) for _ in captures]
        """A stream's newest: what lies before it counts no more, earlier ones included."""
        self._ends: list[tuple[int, Delivery]] = []
        self._heard_ns = [-math.inf for _ in captures]
        self._delivered = 0
        self._audio_due_ns: Sequence[float] | None = None
        """What is waited for while someone waits: sound up to here, of each stream; else None."""
        self._changed = threading.Condition()

    def put(self, stream: int, item: Media) -> bool:
        """Leave one event of a stream, never waiting; whether more of it is wanted. ValueError where it is none."""
        check(item)
        with self._changed:
            if not self._running[stream]:
                return False
            if isinstance(item, Discontinuity):
                self._discontinuities[stream].append(self._arrive(stream, item))
                return True
            if isinstance(item, Frame):
                queue, most, reason = self._frames[stream], MOST_FRAMES, FRAMES_OVERLOAD
            else:
                queue, most, reason = self._blocks[stream], MOST_BLOCKS, BLOCKS_OVERLOAD
                self._heard_ns[stream] = item.end_ns
            if len(queue) == most:
                queue.popleft()
                self.dropped[stream][reason] += 1
            queue.append(self._arrive(stream, item))
            return True

    def end(self, stream: int, error: Exception | None) -> None:
        """One of a stream's captures has ended; where `error` has ended it the whole stream has, and no other."""
        with self._changed:
            if not self._running[stream]:
                return
            self._running[stream] = 0 if error else self._running[stream] - 1
            if self._running[stream] == 0:
                self._ends.append(self._arrive(stream, None, error))
            if not any(self._running):
                self._changed.notify_all()

    def dismiss(self, stream: int) -> None:
        """Nothing more of a stream is wanted: its captures end at their next event."""
        with self._changed:
            self._running[stream] = 0

    def _arrive(self, stream: int, item: Media | None, error: Exception | None = None) -> tuple[int, Delivery]:
        self._delivered += 1
        due_ns = self._audio_due_ns
        if due_ns is not None and not (isinstance(item, Block) and item.end_ns < due_ns[stream]):
            self._changed.notify()
        return self._delivered, Delivery(stream, item, error)

    def take(
        self, timeout_s: float, linger_s: float = 0.0, audio_due_ns: Sequence[float] | None = None
    ) -> list[Delivery]:
        """All that has arrived, waiting up to `timeout_s` for the first and `linger_s` more for its company.

        Of a stream's blocks those that end before its `sound_due_ns` are not waited for: they come along.
        """
        due_ns = audio_due_ns or [-math.inf] * len(self._blocks)
        with self._changed:
            self._audio_due_ns = due_ns
            self._changed.wait_for(lambda: self._has_awaited(due_ns) or self._is_over(), max(0.0, timeout_s))
            self._audio_due_ns = None
            if linger_s and self._has_any():
                self._changed.wait_for(self._is_over, linger_s)
            queues = [*self._frames, *self._blocks, *self._discontinuities, self._ends]
            deliveries = sorted((arrived for queue in queues for arrived in queue), key=lambda arrived: arrived[0])
            for queue in queues:
                queue.clear()
            return [delivery for _, delivery in deliveries]

    def waiting(self) -> dict[str, int]:
        """How many frames and blocks wait, of all streams."""
        with self._changed:
            return {"frames": sum(map(len, self._frames)), "blocks": sum(map(len, self._blocks))}

    def _has_awaited(self, audio_due_ns: Sequence[float]) -> bool:
        is_heard = any(
            blocks and heard_ns >= due_ns
            for blocks, heard_ns, due_ns in zip(self._blocks, self._heard_ns, audio_due_ns, strict=True)
        )
        return is_heard or any(self._frames) or bool(self._ends)

    def _has_any(self) -> bool:
        return any(map(any, (self._frames, self._blocks, self._discontinuities))) or bool(self._ends)

    def _is_over(self) -> bool:
        return not any(self._running)
