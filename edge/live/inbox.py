"""Inbox between the capture threads and the inference thread: bounded queues in which the newest media win."""

import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from ..preprocess.media import Block, Discontinuity, Frame, Media, check
from ..preprocess.windowing import Due
from ..wire.drop_reasons import (
    BLOCKS_OVERLOAD,
    FRAMES_OVERLOAD,
    FRAMES_STALE,
    PACKETS_DAMAGED,
    SAMPLES_NOT_FINITE,
)

MOST_FRAMES = 5
"""Capacity of a stream's frame queue: 1 s at the usual 5 frames per second. A large model encodes audio for half of
that time; an overloaded machine uses the newest frames."""
MOST_BLOCKS = 400
"""Capacity of a stream's block queue: 8 s of 20 ms blocks, more than a window; those of a recording may be longer."""

BEFORE_THE_LOOP = (FRAMES_OVERLOAD, BLOCKS_OVERLOAD, FRAMES_STALE, SAMPLES_NOT_FINITE, PACKETS_DAMAGED)
"""Reasons counted before anything reaches the loop: by sources and by the inbox."""


class Delivery(msgspec.Struct, frozen=True):
    """One item of one stream, or the stream's end."""

    stream: int
    """Index of the stream, in the order of the run's streams."""
    media: Media | None
    """Block, frame or discontinuity; None where the stream has ended."""
    error: Exception | None = None
    """Error that has ended the stream; None at an ordinary end."""


class Moment(msgspec.Struct, frozen=True):
    """Time of a pass, that as of which one stream is judged, and what had been dropped of it outside the loop."""

    now_ns: int
    """CLOCK_MONOTONIC, in nanoseconds."""
    judged_ns: int
    """Time as of which windows are due and media lost: `now_ns`, or before it where a recording is read late."""
    unix_ahead_ns: int
    """Unix time less CLOCK_MONOTONIC, in nanoseconds."""
    dropped: dict[str, int]
    """Number of items dropped outside the loop since the start, by reason."""

    def unix_ns(self, monotonic_ns: int) -> int:
        """Return the Unix time at a monotonic time, in nanoseconds."""
        return monotonic_ns + self.unix_ahead_ns


@dataclass(frozen=True)
class LoopInput:
    """Everything that one pass of the loop depends on."""

    now_ns: int
    """Time at which the inbox was emptied: windows that are due and devices that are lost are judged at this time."""
    unix_ahead_ns: int
    """Unix time less CLOCK_MONOTONIC, in nanoseconds."""
    hop_ns: int
    """Distance between the ends of windows from now on."""
    deliveries: list[Delivery]
    """Deliveries of all streams, in the order of their arrival."""
    dropped: list[dict[str, int]]
    """Items dropped outside the loop since the start, by reason, for each stream."""

    def moment(self, stream: int, judged_ns: int) -> Moment:
        """Return the time of this input with the drops of one stream, which is judged as of `judged_ns`."""
        return Moment(self.now_ns, judged_ns, self.unix_ahead_ns, self.dropped[stream])


Arrival = tuple[int, Delivery]
"""Delivery with its number in the order of arrival."""


@dataclass
class StreamQueues:
    """Queues of one stream."""

    captures: int
    """Captures that still run; with the last of them the stream ends."""
    dropped: Counter[str]
    """Dropped items by reason. No reason is added later: other threads count here and read."""
    most_frames: int = MOST_FRAMES
    """Capacity of the frame queue."""
    frames: deque[Arrival] = field(default_factory=deque)
    blocks: deque[Arrival] = field(default_factory=deque)
    discontinuities: deque[Arrival] = field(default_factory=lambda: deque(maxlen=1))
    """Newest discontinuity alone: whatever lies before it, earlier discontinuities included, no longer counts."""
    end: deque[Arrival] = field(default_factory=deque)
    """End of the stream, once it has ended."""
    due: Due = field(default_factory=Due)
    """Times from which on media wake the consumer."""

    def put(self, arrival: Arrival, item: Media) -> None:
        """Queue an item; the oldest of its kind makes room and is counted."""
        if isinstance(item, Discontinuity):
            self.discontinuities.append(arrival)
            return
        if isinstance(item, Frame):
            queue, most, reason = self.frames, self.most_frames, FRAMES_OVERLOAD
        else:
            queue, most, reason = self.blocks, MOST_BLOCKS, BLOCKS_OVERLOAD
        if len(queue) == most:
            queue.popleft()
            self.dropped[reason] += 1
        queue.append(arrival)

    def is_wanted(self, delivery: Delivery) -> bool:
        """Return whether a delivery is worth waking the consumer for."""
        item = delivery.media
        if isinstance(item, Block):
            return item.end_ns >= self.due.audio_ns
        return not isinstance(item, Frame) or item.end_ns >= self.due.video_ns

    @property
    def has_wanted(self) -> bool:
        """True if the end waits, or what is wanted at once."""
        newest = (queue[-1][1] for queue in (self.frames, self.blocks) if queue)
        return bool(self.end) or any(self.is_wanted(delivery) for delivery in newest)

    @property
    def has_any(self) -> bool:
        """True if anything waits."""
        return any(self._all())

    def drain(self) -> list[Arrival]:
        """Remove and return everything that waits."""
        arrivals = [arrival for queue in self._all() for arrival in queue]
        for queue in self._all():
            queue.clear()
        return arrivals

    def _all(self) -> tuple[deque[Arrival], ...]:
        return self.frames, self.blocks, self.discontinuities, self.end


class Changed(AbstractContextManager[bool], Protocol):
    """Condition with its lock: threading.Condition, or one of simulated time."""

    def notify(self, n: int = 1) -> None:
        """Wake who waits."""

    def notify_all(self) -> None:
        """Wake all who wait."""

    def wait_for(self, predicate: Callable[[], bool], timeout: float | None = None) -> bool:
        """Wait until something holds, at most for some seconds; return whether it holds."""
        ...


class Inbox:
    """Media of all streams in the order of arrival; when a queue is full, its oldest item is dropped and counted."""

    def __init__(
        self,
        captures: Sequence[int],
        dropped: Sequence[Counter[str]] = (),
        most_frames: Sequence[int] = (),
        *,
        changed: Changed | None = None,
    ) -> None:
        """Make empty queues.

        `captures` gives the number of captures of each stream: with the last of them the stream ends. `dropped` gives
        the counters of the streams' recordings, where those have been made already, `most_frames` the capacity of each
        stream's queue of frames. `changed` is what the consumer waits for; a simulation gives one of its own time.
        """
        counters, most = dropped or [Counter[str]() for _ in captures], most_frames or [MOST_FRAMES] * len(captures)
        self._streams = [StreamQueues(*each) for each in zip(captures, counters, most, strict=True)]
        for queues in self._streams:
            queues.dropped.update(dict.fromkeys(BEFORE_THE_LOOP, 0))
        self._arrivals = 0
        self._is_awaited = False
        self._changed = changed or threading.Condition()

    @property
    def dropped(self) -> list[Counter[str]]:
        """Items dropped before they reached the loop, by reason, for each stream."""
        return [queues.dropped for queues in self._streams]

    def due(self, stream: int) -> Due:
        """Return the times from which on media of a stream are wanted at present; earlier ones wake nobody."""
        return self._streams[stream].due

    def put(self, stream: int, item: Media) -> bool:
        """Queue an item of a stream without waiting; return whether more is wanted. ValueError if it is no media."""
        check(item)
        with self._changed:
            queues = self._streams[stream]
            if queues.captures:
                queues.put(self._arrive(Delivery(stream, item)), item)
            return queues.captures > 0

    def end(self, stream: int, error: Exception | None) -> None:
        """End one capture of a stream; an `error` ends the whole stream, and no other."""
        with self._changed:
            queues = self._streams[stream]
            if not queues.captures:
                return
            queues.captures = 0 if error else queues.captures - 1
            if queues.captures == 0:
                queues.end.append(self._arrive(Delivery(stream, None, error)))
            if self._is_over():
                self._changed.notify_all()

    def dismiss(self, stream: int) -> None:
        """Accept nothing more of a stream: its captures end at their next item."""
        with self._changed:
            self._streams[stream].captures = 0

    def take(self, timeout_s: float, linger_s: float = 0.0, due: Sequence[Due] | None = None) -> list[Delivery]:
        """Remove and return everything that has arrived.

        Wait up to `timeout_s` for the first delivery and `linger_s` more for those of other streams. Media of a
        stream from before they are `due` do not end the wait; they come along with what does.
        """
        with self._changed:
            for queues, times in zip(self._streams, due or [Due()] * len(self._streams), strict=True):
                queues.due = times
            self._is_awaited = True
            self._changed.wait_for(
                lambda: any(queues.has_wanted for queues in self._streams) or self._is_over(), max(0.0, timeout_s)
            )
            self._is_awaited = False
            if linger_s and any(queues.has_any for queues in self._streams):
                self._changed.wait_for(self._is_over, linger_s)
            arrivals = [arrival for queues in self._streams for arrival in queues.drain()]
            return [delivery for _, delivery in sorted(arrivals, key=lambda arrival: arrival[0])]

    def waiting(self) -> dict[str, int]:
        """Return the numbers of frames and blocks that wait, of all streams together."""
        with self._changed:
            return {
                "frames": sum(len(queues.frames) for queues in self._streams),
                "blocks": sum(len(queues.blocks) for queues in self._streams),
            }

    def _arrive(self, delivery: Delivery) -> Arrival:
        self._arrivals += 1
        if self._is_awaited and self._streams[delivery.stream].is_wanted(delivery):
            self._changed.notify()
        return self._arrivals, delivery

    def _is_over(self) -> bool:
        return not any(queues.captures for queues in self._streams)
