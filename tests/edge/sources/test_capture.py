"""One thread a source: what it carries, what it opens again, what it raises."""

import logging
import threading
from collections import Counter

import numpy as np
import pytest

from edge.errors import SourceError
from edge.inbox import Inbox
from edge.samples import Block
from edge.sources import capture as capture_module
from edge.sources.capture import Capture

LOST = SourceError("camera 0 gives no more frames")


def block(time_ns: int) -> Block:
    return Block(np.zeros(1, np.float32), time_ns)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch) -> None:
    monkeypatch.setattr(capture_module, "FIRST_RETRY_S", 0.0)


def run(source, *, is_open: bool = True, reopen: bool = True) -> tuple[list[int], Inbox]:
    inbox = Inbox(Counter())
    capture = Capture(source, inbox, threading.Event(), is_open=is_open, reopen=reopen)
    capture.start()
    times = []
    while not inbox.closed:
        times += [event.end_ns for event in inbox.take(30)]
    capture.finish()
    return times, inbox


def test_events_are_carried_until_the_source_ends_and_is_closed(scripted_source) -> None:
    source = scripted_source([block(1), block(2)])
    assert run(source)[0] == [1, 2]
    assert (source.opened, source.closed) == (0, 1)


def test_a_lost_device_is_closed_opened_again_and_said(scripted_source, caplog) -> None:
    source = scripted_source([block(1), LOST], [block(2), LOST], [block(3)])
    with caplog.at_level(logging.WARNING):
        assert run(source)[0] == [1, 2, 3]
    assert (source.opened, source.closed) == (2, 3)
    assert [record.getMessage() for record in caplog.records] == [
        "camera 0 gives no more frames; it is tried again from now on",
        "scripted source is there",
    ] * 2


def test_a_device_that_is_not_there_is_tried_until_it_is(scripted_source) -> None:
    source = scripted_source([block(1)], refusals=(LOST, LOST, LOST))
    assert run(source, is_open=False)[0] == [1]
    assert source.opened == 4


def test_a_broken_recording_is_raised_and_not_opened_again(scripted_source) -> None:
    source = scripted_source([block(1), LOST])
    with pytest.raises(SourceError, match="no more frames"):
        run(source, reopen=False)
    assert (source.opened, source.closed) == (0, 1)


@pytest.mark.parametrize("reopen", [True, False])
def test_an_unexpected_error_is_raised_whatever_the_source(scripted_source, reopen: bool) -> None:
    with pytest.raises(ZeroDivisionError):
        run(scripted_source([ZeroDivisionError()]), reopen=reopen)


def test_the_inbox_closes_also_where_it_breaks(scripted_source) -> None:
    inbox = Inbox(Counter())
    capture = Capture(scripted_source([LOST]), inbox, threading.Event(), is_open=True, reopen=False)
    capture.start()
    assert inbox.take(30) == []
    assert inbox.closed
    with pytest.raises(SourceError):
        capture.finish()


def test_stop_ends_a_device_that_would_go_on(scripted_source) -> None:
    stop, inbox = threading.Event(), Inbox(Counter())
    stop.set()
    source = scripted_source([block(time_ns) for time_ns in range(100)])
    capture = Capture(source, inbox, stop, is_open=True, reopen=True)
    capture.start()
    capture.finish()
    assert [event.end_ns for event in inbox.take(0)] == [0]
    assert source.closed == 1


def test_stop_ends_the_waiting_for_a_device(scripted_source, monkeypatch) -> None:
    monkeypatch.setattr(capture_module, "FIRST_RETRY_S", 3600.0)
    stop, inbox = threading.Event(), Inbox(Counter())
    source = scripted_source([block(1)])
    capture = Capture(source, inbox, stop, is_open=False, reopen=True)
    capture.start()
    stop.set()
    capture.finish()
    assert inbox.take(30) == []
    assert (source.opened, source.closed) == (0, 1)
