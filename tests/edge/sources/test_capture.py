"""Capture threads: the media passed on, reopening, logging, and how a capture ends."""

import logging
import threading

import numpy as np
import pytest

from edge.errors import SourceError
from edge.preprocess.media import Block, Media, check
from edge.sources import capture as capture_module
from edge.sources.capture import Capture

LOST = SourceError("camera 0 gives no more frames")
THERE = "scripted source is there"
AGAIN = "it is tried again from now on"
SOON_S = 60.0


def block(time_ns: int) -> Block:
    return Block(np.zeros(1, np.float32), time_ns)


class Reached:
    """What a capture delivered, and how it ended."""

    def __init__(
        self,
        source,
        *,
        is_open: bool = True,
        reopen: bool = True,
        stops_at: int | None = None,
        last: int | None = None,
    ) -> None:
        self.times: list[int] = []
        self.endings: list[Exception | None] = []
        self.stop, self.ended = threading.Event(), threading.Event()
        self._stops_at, self._last = stops_at, last
        self.capture = Capture(source, self._put, self._end, self.stop, is_open=is_open, reopen=reopen)
        self.capture.start()

    def _put(self, item: Media) -> bool:
        check(item)
        self.times.append(item.end_ns)
        if item.end_ns == self._stops_at:
            self.stop.set()
        return item.end_ns != self._last

    def _end(self, error: Exception | None) -> None:
        self.endings.append(error)
        self.ended.set()

    def finish(self) -> "Reached":
        assert self.ended.wait(SOON_S)
        self.capture.finish()
        return self


@pytest.fixture
def waited(monkeypatch) -> list[float]:
    """No time is waited; how long it would have been."""
    waits: list[float] = []
    real = threading.Event.wait

    def wait(item: threading.Event, timeout: float | None = None) -> bool:
        if threading.current_thread().name == "scripted source":
            waits.append(timeout)
            return item.is_set()
        return real(item, timeout)

    monkeypatch.setattr(threading.Event, "wait", wait)
    return waits


def test_media_are_passed_on_until_the_source_ends_and_is_closed(scripted_source) -> None:
    source = scripted_source([block(1), block(2)])
    reached = Reached(source, reopen=False).finish()
    assert (reached.times, reached.endings) == ([1, 2], [None])
    assert (source.opened, source.closed) == (0, 1)


def test_a_lost_device_is_closed_reopened_and_logged_once(scripted_source, caplog, waited) -> None:
    source = scripted_source(
        [block(1), LOST], [LOST], [block(2), block(3), LOST], [block(4), block(5)], refusals=(LOST, LOST)
    )
    with caplog.at_level(logging.WARNING):
        assert Reached(source, last=5).finish().times == [1, 2, 3, 4, 5]
    assert (source.opened, source.closed) == (5, 4)
    assert [record.getMessage() for record in caplog.records] == [
        "camera 0 gives no more frames; it is tried again from now on",
        "scripted source is there",
    ] * 2


def test_a_device_that_flaps_is_logged_at_a_bounded_rate(scripted_source, caplog, waited) -> None:
    source = scripted_source(*[[block(number), LOST] for number in range(1, 101)], [block(101)])
    with caplog.at_level(logging.WARNING):
        assert len(Reached(source, last=101).finish().times) == 101
    assert 4 <= len(caplog.records) <= 20


def test_a_device_that_opens_but_gives_nothing_is_tried_ever_less_often(scripted_source, caplog, waited) -> None:
    source = scripted_source(*[[LOST]] * 7, [block(1), LOST], [block(2), block(3)])
    with caplog.at_level(logging.DEBUG):
        assert Reached(source, is_open=False, last=3).finish().times == [1, 2, 3]
    assert waited == [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0, 10.0, 0.5]
    warned = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    there = "scripted source is there"
    assert warned == [there, f"{LOST}; it is tried again from now on", there]


def test_a_device_that_is_not_there_is_tried_until_it_is(scripted_source, caplog, waited) -> None:
    source = scripted_source([block(1), block(2)], refusals=(LOST, LOST, LOST))
    with caplog.at_level(logging.WARNING):
        assert Reached(source, is_open=False, last=2).finish().times == [1, 2]
    assert source.opened == 4
    assert waited == [0.5, 1.0, 2.0, 4.0]
    assert [record.getMessage() for record in caplog.records] == ["scripted source is there"]


def test_a_broken_recording_is_reported_and_not_reopened(scripted_source) -> None:
    source = scripted_source([block(1), LOST])
    reached = Reached(source, reopen=False).finish()
    assert (reached.times, reached.endings) == ([1], [LOST])
    assert (source.opened, source.closed) == (0, 1)


BROKEN = (
    IndexError("tuple index out of range"),
    ValueError("no"),
    OSError(5, "Input/output error"),
    RuntimeError("can't start new thread"),
    MemoryError(),
    AssertionError(),
    EOFError(),
    KeyError("codec"),
)
"""What drivers and decoders have raised, and might."""


@pytest.mark.parametrize("error", BROKEN, ids=repr)
def test_whatever_a_driver_raises_means_that_its_device_is_lost(scripted_source, caplog, waited, error) -> None:
    source = scripted_source([block(1), error], [block(2), block(3)], refusals=(error,))
    with caplog.at_level(logging.WARNING):
        assert Reached(source, last=3).finish().endings == [None]
    assert (source.opened, source.closed) == (2, 2)
    assert waited == [0.5, 1.0]
    said, there = (record.getMessage() for record in caplog.records)
    assert said.startswith(f"scripted source has failed: {type(error).__name__}") or isinstance(error, MemoryError)
    assert said.endswith(AGAIN)
    assert there == THERE


@pytest.mark.parametrize("error", BROKEN, ids=repr)
def test_whatever_a_decoder_raises_ends_its_recording_alone_and_is_reported(scripted_source, error) -> None:
    source = scripted_source([block(1), error])
    (told,) = Reached(source, reopen=False).finish().endings
    assert told is error if isinstance(error, MemoryError) else isinstance(told, SourceError)
    assert source.closed == 1


@pytest.mark.parametrize("garbage", [None, "block", Block(np.zeros((2, 2), np.float32), 1), Block([0.0], 1)])
def test_a_device_that_delivers_something_else_is_lost(scripted_source, caplog, waited, garbage) -> None:
    source = scripted_source([garbage], [block(1), block(2)])
    with caplog.at_level(logging.WARNING):
        assert Reached(source, last=2).finish().times == [1, 2]
    assert [record.getMessage().endswith(AGAIN) for record in caplog.records] == [True, False]


def test_a_device_that_ends_is_lost(scripted_source, caplog, waited) -> None:
    source = scripted_source([block(1)], [block(2), block(3)])
    with caplog.at_level(logging.WARNING):
        assert Reached(source, last=3).finish().times == [1, 2, 3]
    assert [record.getMessage() for record in caplog.records] == [f"scripted source gives nothing more; {AGAIN}", THERE]


def test_an_error_at_closing_changes_nothing(scripted_source) -> None:
    source = scripted_source([block(1)])

    def close() -> None:
        raise OSError("no")

    source.close = close
    assert Reached(source, reopen=False).finish().endings == [None]


def test_stop_ends_a_device_that_would_go_on(scripted_source) -> None:
    source = scripted_source([block(time_ns) for time_ns in range(100)])
    reached = Reached(source, stops_at=3).finish()
    assert (reached.times, reached.endings) == ([0, 1, 2, 3], [None])
    assert source.closed == 1


def test_a_device_that_is_lost_after_stop_is_not_logged(scripted_source, caplog) -> None:
    class Unplugged(scripted_source):
        def read(self):
            reached.stop.set()
            raise LOST
            yield

    begin = threading.Event()
    source = Unplugged()
    source.open = begin.wait
    with caplog.at_level(logging.WARNING):
        reached = Reached(source, is_open=False)
        begin.set()
        assert reached.finish().endings == [None]
    assert caplog.records == []


def test_stop_ends_the_waiting_for_a_device(scripted_source, monkeypatch) -> None:
    monkeypatch.setattr(capture_module, "FIRST_RETRY_S", 3600.0)
    source = scripted_source([block(1)])
    reached = Reached(source, is_open=False)
    reached.stop.set()
    assert reached.finish().endings == [None]
    assert (reached.times, source.opened, source.closed) == ([], 0, 1)


def test_a_device_that_hangs_does_not_keep_the_program_from_ending(scripted_source, caplog, monkeypatch) -> None:
    monkeypatch.setattr(capture_module, "JOIN_S", 0.05)
    comes_back = threading.Event()

    class Hanging(scripted_source):
        def read(self):
            comes_back.wait(SOON_S)
            yield block(1)

    reached = Reached(Hanging())
    reached.stop.set()
    with caplog.at_level(logging.WARNING):
        reached.capture.finish()
    assert [record.getMessage() for record in caplog.records] == ["scripted source does not respond and is abandoned"]
    comes_back.set()
    assert reached.finish().endings == [None]
