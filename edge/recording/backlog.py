"""Backlog of records to be written: the oldest are kept, and those that find no room are counted."""

import threading
from collections import Counter, deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Backlog(Generic[T]):
    """Queue of several tracks, bounded in bytes; the number of lost items stands before a track's next item."""

    def __init__(self, most_bytes: int, tracks: list[str]) -> None:
        self.lost = Counter(dict.fromkeys(tracks, 0))
        """Number of items that found no room since the start, by track."""
        self._most_bytes = most_bytes
        self._waiting: deque[tuple[str, T | int, int]] = deque()
        self._bytes = 0
        self._missing = Counter[str]()
        """Number of items lost since the last that found room, by track."""
        self._is_closed = False
        self._changed = threading.Condition()

    def put(self, track: str, item: T, size: int, *, wait: bool) -> bool:
        """Queue an item of `size` bytes; return False where it is lost. An item larger than the bound goes alone."""
        with self._changed:
            if wait:
                self._changed.wait_for(lambda: self._has_room(size) or self._is_closed)
            if self._is_closed:
                return True
            if not self._has_room(size):
                self.lost[track] += 1
                self._missing[track] += 1
                return False
            self._mark(track)
            self._waiting.append((track, item, size))
            self._bytes += size
            self._changed.notify_all()
            return True

    def take(self, timeout_s: float | None) -> tuple[str, T | int] | None:
        """Remove and return the oldest item, or the number of items missing there; None after the timeout."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_closed, timeout_s)
            if not self._waiting:
                return None
            track, item, size = self._waiting.popleft()
            self._bytes -= size
            self._changed.notify_all()
            return track, item

    def close(self, *, forget: bool = False) -> None:
        """Accept no more; waiting items can still be taken, unless they are to be forgotten: then they are lost."""
        with self._changed:
            self._is_closed = True
            if forget:
                self._forget()
            for track in self.lost:
                self._mark(track)
            self._changed.notify_all()

    @property
    def is_over(self) -> bool:
        """True if the backlog is closed and everything has been taken."""
        with self._changed:
            return self._is_closed and not self._waiting

    def _forget(self) -> None:
        for track, item, _ in self._waiting:
            self._missing[track] += item if isinstance(item, int) else 1
            self.lost[track] += not isinstance(item, int)
        self._waiting.clear()
        self._bytes = 0

    def _mark(self, track: str) -> None:
        if missing := self._missing.pop(track, 0):
            self._waiting.append((track, missing, 0))

    def _has_room(self, size: int) -> bool:
        return not self._waiting or self._bytes + size <= self._most_bytes
