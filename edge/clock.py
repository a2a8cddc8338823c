"""Time of the runtime: integer nanoseconds of CLOCK_MONOTONIC. Tests inject another clock."""

import threading
import time
from typing import Protocol

SECOND_NS = 1_000_000_000
"""Nanoseconds in a second."""


class Clock(Protocol):
    """Clock of the runtime."""

    def now_ns(self) -> int:
        """Return the monotonic time in nanoseconds."""
        ...

    def boot_ns(self) -> int:
        """Return nanoseconds that go on while the machine is suspended, when the monotonic ones stand still."""
        ...

    def unix_ns(self, monotonic_ns: int) -> int:
        """Return the wall-clock time, in unix nanoseconds, at a monotonic time."""
        ...

    def wait_until(self, monotonic_ns: int, stop: threading.Event) -> bool:
        """Sleep until a monotonic time; return True if `stop` was set first."""
        ...


class SystemClock:
    """Clocks of this machine."""

    def now_ns(self) -> int:
        """Return CLOCK_MONOTONIC."""
        return time.monotonic_ns()

    def boot_ns(self) -> int:
        """Return CLOCK_BOOTTIME."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)

    def unix_ns(self, monotonic_ns: int) -> int:
        """Return the wall-clock time by the current distance of both clocks, which follows a corrected wall clock."""
        return time.time_ns() - time.monotonic_ns() + monotonic_ns

    def wait_until(self, monotonic_ns: int, stop: threading.Event) -> bool:
        """Sleep until a monotonic time; return True, early, if `stop` is set."""
        return stop.wait(max(0.0, (monotonic_ns - time.monotonic_ns()) / SECOND_NS))


def to_ns(seconds: float) -> int:
    """Convert seconds to integer nanoseconds."""
    return round(seconds * SECOND_NS)
