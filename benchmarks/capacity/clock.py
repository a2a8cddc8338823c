"""Simulated time: it stands still but for what is charged to it and what is waited for, and events happen in it."""

import heapq
import itertools
import threading
from collections.abc import Callable
from types import TracebackType

from edge.clock import SECOND_NS


class SimulatedClock:
    """Clock of one node. One thread advances it; whatever falls due on the way happens at its own time."""

    def __init__(self) -> None:
        self._now_ns = 0
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    def now_ns(self) -> int:
        """Return the simulated time."""
        return self._now_ns

    def boot_ns(self) -> int:
        """Return the simulated time: the node is never suspended."""
        return self._now_ns

    def unix_ns(self, monotonic_ns: int) -> int:
        """Return a time of day that runs with the simulated time."""
        return monotonic_ns

    def wait_until(self, monotonic_ns: int, stop: threading.Event) -> bool:
        """Advance to a time; return whether `stop` is set."""
        self.advance_to(monotonic_ns)
        return stop.is_set()

    def at(self, time_ns: int, happen: Callable[[], None]) -> None:
        """Let something happen at a time; events of one time happen in the order in which they were told."""
        heapq.heappush(self._events, (time_ns, next(self._numbers), happen))

    @property
    def next_ns(self) -> int | None:
        """Time of the next event; None where nothing is to come."""
        return self._events[0][0] if self._events else None

    def advance(self, duration_ns: int) -> None:
        """Let a duration pass."""
        self.advance_to(self._now_ns + duration_ns)

    def advance_to(self, time_ns: int) -> None:
        """Let everything happen that is due by a time, and go there."""
        while self._events and self._events[0][0] <= time_ns:
            due_ns, _, happen = heapq.heappop(self._events)
            self._now_ns = max(self._now_ns, due_ns)
            happen()
        self._now_ns = max(self._now_ns, time_ns)


class SimulatedCondition:
    """Condition of an inbox on simulated time: to wait is to go from event to event. There is but one thread."""

    def __init__(self, clock: SimulatedClock) -> None:
        self._clock = clock

    def __enter__(self) -> bool:
        """Do nothing."""
        return True

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Do nothing."""

    def notify(self, n: int = 1) -> None:
        """Do nothing: who waits looks after every event."""

    def notify_all(self) -> None:
        """Do nothing."""

    def wait_for(self, predicate: Callable[[], bool], timeout: float | None = None) -> bool:
        """Advance until something holds, or until the timeout in seconds; return whether it holds."""
        assert timeout is not None, "an inbox that waits for a time"
        until_ns = self._clock.now_ns() + round(timeout * SECOND_NS)
        while not predicate():
            due_ns = self._clock.next_ns
            if due_ns is None or due_ns > until_ns:
                self._clock.advance_to(until_ns)
                return predicate()
            self._clock.advance_to(due_ns)
        return True
