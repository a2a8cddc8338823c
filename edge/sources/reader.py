"""Reader thread for a driver or connection that may block for ever: taking its items has a timeout."""

import math
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from ..clock import SECOND_NS, Clock

T = TypeVar("T")

RELEASE_S = 1.5
"""Time that closing waits for the device to be released; a device that hangs is released when it returns."""


class Reader(Generic[T]):
    """Thread that reads items into a bounded queue and, once closed, releases their source.

    A None from the iterator is not an item but a chance to stop a reader that has nothing to deliver. Except for the
    first, an item that took more than `lost_s` to come, suspended time included, ends the reading: a driver or
    connection that stalled delivers outdated media.
    """

    def __init__(
        self,
        name: str,
        items: Iterator[T | None],
        release: Callable[[], None],
        capacity: int,
        clock: Clock,
        lost_s: float,
    ) -> None:
        self._items, self._release, self._clock, self._lost_s = items, release, clock, lost_s
        self._waiting: queue.Queue[tuple[T] | Exception] = queue.Queue(capacity)
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"{name}: reader", daemon=True)
        self._thread.start()

    def take(self, timeout_s: float) -> T:
        """Return the next item; raises queue.Empty on timeout, EOFError after the last, or the reader's own error."""
        item = self._waiting.get(timeout=max(0.0, timeout_s))
        if isinstance(item, Exception):
            raise item
        return item[0]

    def close(self) -> None:
        """Stop reading and discard items that were not taken."""
        self._is_closed.set()
        while not self._waiting.empty():
            self._waiting.get_nowait()
        self._thread.join(RELEASE_S)

    def _run(self) -> None:
        ending: Exception = EOFError()
        try:
            for item in raise_if_late(self._items, self._clock, self._lost_s):
                if item is not None:
                    self._waiting.put((item,))
                if self._is_closed.is_set():
                    break
        except Exception as error:  # raised by take()
            ending = error
        if not self._is_closed.is_set():
            self._waiting.put(ending)
        self._is_closed.wait()  # queued items may still need their source: packets need the decoder of their stream
        self._release()


def raise_if_late(items: Iterator[T], clock: Clock, lost_s: float) -> Iterator[T]:
    """Yield the items; raises queue.Empty if one other than the first took more than `lost_s` to come."""
    due_s = math.inf
    asked_ns = clock.boot_ns()
    for item in items:
        if (clock.boot_ns() - asked_ns) / SECOND_NS > due_s:
            raise queue.Empty
        if item is not None:
            due_s = lost_s
        yield item
        asked_ns = clock.boot_ns()
