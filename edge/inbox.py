"""Where capture threads leave blocks and frames for the one thread that infers. Bounded: the newest win."""

import threading
from collections import Counter, deque

from .samples import Event, Frame

MOST_FRAMES = 2
"""Of those waiting while the last were encoded: an overloaded machine looks at the newest."""
MOST_BLOCKS = 400
"""8 s of 20 ms blocks: more than a window."""


class Inbox:
    """Events in the order of their arrival; what does not fit is dropped, oldest first, and counted."""

    def __init__(self, dropped: Counter[str]) -> None:
        self._dropped = dropped
        self._frames: deque[tuple[int, Event]] = deque()
        self._blocks: deque[tuple[int, Event]] = deque()
        self._arrivals = 0
        self._closed = False
        self._changed = threading.Condition()

    def put(self, event: Event) -> None:
        """Leave one event; never waits."""
        with self._changed:
            if isinstance(event, Frame):
                queue, most, reason = self._frames, MOST_FRAMES, "frames_overload"
            else:
                queue, most, reason = self._blocks, MOST_BLOCKS, "blocks_overload"
            if len(queue) == most:
                queue.popleft()
                self._dropped[reason] += 1
            queue.append((self._arrivals, event))
            self._arrivals += 1
            self._changed.notify()

    def take(self, timeout_s: float) -> list[Event]:
        """All that has arrived, waiting up to `timeout_s` for the first; empty past it or when closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._frames or self._blocks or self._closed, max(0.0, timeout_s))
            events = sorted([*self._frames, *self._blocks], key=lambda arrived: arrived[0])
            self._frames.clear()
            self._blocks.clear()
            return [event for _, event in events]

    def close(self) -> None:
        """Nothing more will come; whoever waits is woken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def closed(self) -> bool:
        """Whether nothing more will come and all has been taken."""
        with self._changed:
            return self._closed and not self._frames and not self._blocks
