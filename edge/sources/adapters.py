"""Sound moved in time against its picture: what a camera or a microphone is late by is added or taken away."""

import heapq
import threading
from collections.abc import Iterator
from dataclasses import replace
from itertools import count

from ..clock import Clock
from ..preprocess.media import Block, Frame, Media
from .base import Recording, Source


class Shifted:
    """A live source whose blocks' times have `offset_ns` added; nothing waits for it."""

    def __init__(self, source: Source, offset_ns: int) -> None:
        self.name = source.name
        self._source, self._offset_ns = source, offset_ns

    def open(self) -> None:
        """Make ready; SourceError where that cannot be."""
        self._source.open()

    def read(self) -> Iterator[Media]:
        """The source's events as they are captured."""
        for item in self._source.read():
            yield shift(item, self._offset_ns)

    def close(self) -> None:
        """Release the device."""
        self._source.close()


class ShiftedRecording:
    """A recording whose blocks' times have `offset_ns` added, its events in the order of their new times, sound first.

    Sound that comes to lie before the recording's beginning is left out.
    """

    def __init__(self, recording: Recording, offset_ns: int) -> None:
        self.name = recording.name
        self._recording, self._offset_ns = recording, offset_ns

    def read(self) -> Iterator[Media]:
        """By time; what was moved ahead of the rest, or left behind by it, waits for its turn."""
        waiting: list[tuple[int, bool, int, Media]] = []
        order = count()
        for item in self._recording.read():
            # Nothing that is still to come lies before this.
            reached_ns = item.end_ns + min(0, self._offset_ns)
            shifted = shift(item, self._offset_ns)
            if shifted.end_ns >= 0:
                heapq.heappush(waiting, (shifted.end_ns, isinstance(shifted, Frame), next(order), shifted))
            while waiting and waiting[0][0] < reached_ns:
                yield heapq.heappop(waiting)[-1]
        while waiting:
            yield heapq.heappop(waiting)[-1]


def shift(item: Media, offset_ns: int) -> Media:
    """A block later by `offset_ns`, a frame as it is."""
    return replace(item, end_ns=item.end_ns + offset_ns) if isinstance(item, Block) else item


class Paced:
    """Each block and frame of a recording at its own time, counted from when it begins to come, not before `begin_ns`:

    a server may take seconds to answer, and by then all of its recording would be too late.
    """

    def __init__(self, recording: Recording, clock: Clock, begin_ns: int, stop: threading.Event) -> None:
        self.name = recording.name
        self._recording, self._clock, self._begin_ns, self._stop = recording, clock, begin_ns, stop

    def open(self) -> None:
        """Nothing to make ready: the recording has been looked at."""

    def read(self) -> Iterator[Media]:
        """The recording's events, moved to begin when they come; ends early where `stop` is set."""
        begin_ns: int | None = None
        for item in self._recording.read():
            if begin_ns is None:
                begin_ns = max(self._begin_ns, self._clock.now_ns() - item.end_ns)
            time_ns = begin_ns + item.end_ns
            if self._clock.wait_until(time_ns, self._stop):
                return
            yield replace(item, end_ns=time_ns)

    def close(self) -> None:
        """Nothing to release."""
