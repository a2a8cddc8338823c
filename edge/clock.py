"""The runtime's time: integer nanoseconds of CLOCK_MONOTONIC. Tests inject another clock."""

import threading
import time
from typing import Protocol

SECOND_NS = 1_000_000_000


class Clock(Protocol):
    """What the runtime asks of time."""

    def now_ns(self) -> int:
        """Monotonic nanoseconds."""
        ...

    def boot_ns(self) -> int:
        """Nanoseconds that go on while the machine is suspended, when the monotonic ones stand still."""
        ...

    def unix_ns(self, monotonic_ns: int) -> int:
        """The wall-clock time, in unix nanoseconds, at a monotonic time."""
        ...

    def wait_until(self, monotonic_ns: int, stop: threading.Event) -> bool:
        """Sleep until a time; true where `stop` was set first."""
        ...


class SystemClock:
    """This machine's clocks."""

    def now_ns(self) -> int:
        """CLOCK_MONOTONIC."""
        return time.monotonic_ns()

    def boot_ns(self) -> int:
        """CLOCK_BOOTTIME."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)

    def unix_ns(self, monotonic_ns: int) -> int:
        """By the distance between both clocks now, so that a corrected wall clock is followed."""
        return time.time_ns() - time.monotonic_ns() + monotonic_ns

    def wait_until(self, monotonic_ns: int, stop: threading.Event) -> bool:
        """Sleeps, and wakes early where `stop` is set."""
        return stop.wait(max(0.0, (monotonic_ns - time.monotonic_ns()) / SECOND_NS))


def to_ns(seconds: float) -> int:
    """Seconds -> integer nanoseconds."""
    return round(seconds * SECOND_NS)
