"""Reader thread for drivers and connections that may block."""

import queue
import threading

import pytest

from edge.clock import SystemClock
from edge.sources import reader as reader_module
from edge.sources.reader import Reader

SOON_S = 60.0


def test_items_come_in_order_then_the_end_and_closing_releases_the_source() -> None:
    released = threading.Event()
    reader = Reader("camera 0", iter([1, None, 2]), released.set, 1, SystemClock(), SOON_S)
    assert [reader.take(SOON_S), reader.take(SOON_S)] == [1, 2]
    with pytest.raises(EOFError):
        reader.take(SOON_S)
    assert not released.is_set()
    reader.close()
    assert released.wait(SOON_S)


def test_an_error_of_the_reader_is_raised_by_take() -> None:
    def items():
        yield 1
        raise ZeroDivisionError

    released = threading.Event()
    reader = Reader("camera 0", items(), released.set, 1, SystemClock(), SOON_S)
    assert reader.take(SOON_S) == 1
    with pytest.raises(ZeroDivisionError):
        reader.take(SOON_S)
    reader.close()
    assert released.wait(SOON_S)


def test_queued_items_keep_their_source_after_its_end() -> None:
    released = threading.Event()
    reader = Reader("camera 0", iter(range(3)), released.set, 8, SystemClock(), SOON_S)
    for _ in range(3):
        reader.take(SOON_S)
        assert not released.is_set()
    reader.close()
    assert released.wait(SOON_S)


@pytest.fixture
def hanging(monkeypatch):
    """A reader that has given one item and hangs, what lets it go on, and whether it has released its source."""
    monkeypatch.setattr(reader_module, "RELEASE_S", 0.05)
    goes_on, released = threading.Event(), threading.Event()

    def items():
        yield 1
        goes_on.wait(SOON_S)
        yield 2

    yield Reader("camera 0", items(), released.set, 4, SystemClock(), SOON_S), goes_on, released
    goes_on.set()


def test_taking_an_item_times_out(hanging) -> None:
    reader, _, _ = hanging
    assert reader.take(SOON_S) == 1
    for timeout_s in (0.01, 0.0, -1.0):
        with pytest.raises(queue.Empty):
            reader.take(timeout_s)


def test_a_source_that_hangs_is_released_when_it_comes_back(hanging) -> None:
    reader, goes_on, released = hanging
    reader.close()
    assert not released.is_set()
    goes_on.set()
    assert released.wait(SOON_S)


@pytest.mark.parametrize("items", [range(10**9), iter(lambda: None, 1)], ids=["items", "nothing of use"])
def test_closing_ends_a_reader_whose_items_nobody_takes(items) -> None:
    released = threading.Event()
    reader = Reader("camera 0", iter(items), released.set, 2, SystemClock(), SOON_S)
    reader.close()
    assert released.is_set()


def taken_after(clock, *pauses: tuple[int, int]) -> list[int]:
    """TrackNumbers that come after pauses, awake and suspended, in seconds, until one is too late."""

    def items():
        for number, (awake_s, suspended_s) in enumerate(pauses):
            clock.time_ns += awake_s * 10**9
            clock.suspended_ns += suspended_s * 10**9
            yield number

    reader, taken = Reader("camera 0", items(), lambda: None, len(pauses) + 1, clock, 2.0), []
    try:
        while True:
            taken.append(reader.take(SOON_S))
    except queue.Empty:
        assert len(taken) < len(pauses)
    except EOFError:
        assert len(taken) == len(pauses)
    return taken


def test_an_item_after_a_stall_ends_the_reading(clock) -> None:
    assert taken_after(clock, (1, 0), (2, 0), (3, 0), (1, 0)) == [0, 1]


def test_an_item_after_a_suspension_ends_the_reading(clock) -> None:
    assert taken_after(clock, (1, 0), (1, 0), (0, 30), (1, 0)) == [0, 1]


def test_the_first_item_may_take_its_time(clock) -> None:
    assert taken_after(clock, (60, 0), (1, 0)) == [0, 1]
