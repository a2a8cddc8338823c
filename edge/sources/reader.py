"""A thread for what may block for ever, a driver or a connection: nobody waits for it longer than they mean to."""

import math
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from ..clock import SECOND_NS, Clock

T = TypeVar("T")

RELEASE_S = 1.5
"""Closing waits this long for the device to be free again; one that hangs releases itself when it comes back."""


class Reader(Generic[T]):
    """Items that are read in a thread of their own, which also releases where they come from, once it is closed.

    A None among them is no item: it is where a reader that has nothing to hand on can be closed. One that comes more
    than `lost_s` after it was asked for, suspended time included, ends the reading, unless it is the first: what a
    driver or a connection has held back since is from before.
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
        """The next item; queue.Empty where none came in time, EOFError after the last, or what broke the reading."""
        item = self._waiting.get(timeout=max(0.0, timeout_s))
        if isinstance(item, Exception):
            raise item
        return item[0]

    def close(self) -> None:
        """Nothing more is read; what was not taken is forgotten."""
        self._is_closed.set()
        while not self._waiting.empty():
            self._waiting.get_nowait()
        self._thread.join(RELEASE_S)

    def _run(self) -> None:
        ending: Exception = EOFError()
        try:
            for item in punctual(self._items, self._clock, self._lost_s):
                if item is not None:
                    self._waiting.put((item,))
                if self._is_closed.is_set():
                    break
        except Exception as error:  # raised where the items are taken
            ending = error
        if not self._is_closed.is_set():
            self._waiting.put(ending)
        self._is_closed.wait()  # what waits to be taken may need its source still: packets the decoder of their stream
        self._release()


def punctual(items: Iterator[T], clock: Clock, lost_s: float) -> Iterator[T]:
    """The items; queue.Empty where one, not the first, comes more than `lost_s` after it was asked for."""
    due_s = math.inf
    asked_ns = clock.boot_ns()
    for item in items:
        if (clock.boot_ns() - asked_ns) / SECOND_NS > due_s:
            raise queue.Empty
        if item is not None:
            due_s = lost_s
        yield item
        asked_ns = clock.boot_ns()
