"""Seconds become whole nanoseconds; the wall clock runs beside the monotonic one."""

import threading
import time

import pytest

from edge.clock import SystemClock, to_ns


@pytest.mark.parametrize(
    ("seconds", "expected_ns"),
    [(0, 0), (0.5, 500_000_000), (1 / 3, 333_333_333), (0.1 + 0.2, 300_000_000), (-0.25, -250_000_000)],
)
def test_seconds_are_rounded_to_whole_nanoseconds(seconds: float, expected_ns: int) -> None:
    assert to_ns(seconds) == expected_ns


def test_the_clock_is_clock_monotonic() -> None:
    before_ns = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    now_ns = SystemClock().now_ns()
    assert before_ns <= now_ns <= time.clock_gettime_ns(time.CLOCK_MONOTONIC)


def test_unix_time_is_as_far_from_now_as_monotonic_time() -> None:
    clock = SystemClock()
    before_ns = time.time_ns()
    unix_ns = clock.unix_ns(clock.now_ns() - 5_000_000_000)
    assert before_ns - 6_000_000_000 < unix_ns <= time.time_ns() - 5_000_000_000 + 1_000_000


def test_waiting_for_the_past_returns_at_once_and_says_whether_stop_is_set() -> None:
    clock, stop = SystemClock(), threading.Event()
    assert clock.wait_until(0, stop) is False
    stop.set()
    assert clock.wait_until(clock.now_ns() + 3600 * 1_000_000_000, stop) is True
