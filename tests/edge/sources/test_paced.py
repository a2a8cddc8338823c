"""A recording in its own time, by a clock that only moves when it is waited for."""

import threading

import numpy as np

from edge.preprocess.media import Block, Frame
from edge.sources.paced import Paced

BLOCK, FRAME = Block(np.ones(3, np.float32), 20), Frame(np.zeros((1, 1, 3), np.uint8), 500)


class Recorded:
    name = "two events"

    def events(self):
        return iter([BLOCK, FRAME])


def test_each_event_comes_at_its_own_time(clock) -> None:
    arrived = []
    for event in Paced(Recorded(), clock, 1_000_000, threading.Event()).events():
        arrived.append((type(event), event.end_ns, clock.now_ns()))
    assert arrived == [(Block, 1_000_020, 1_000_020), (Frame, 1_000_500, 1_000_500)]
    assert clock.waited == [1_000_020, 1_000_500]


def test_a_recording_that_begins_to_come_late_is_played_from_then_on(clock) -> None:
    class Late(Recorded):
        def events(self):
            clock.time_ns += 5_000_000_000  # that long a server took to answer
            return super().events()

    begun_ns = clock.now_ns()
    times = [event.end_ns for event in Paced(Late(), clock, begun_ns, threading.Event()).events()]
    assert times == [begun_ns + 5_000_000_000, begun_ns + 5_000_000_480]


def test_only_the_time_of_an_event_is_changed(clock) -> None:
    block, frame = Paced(Recorded(), clock, 7, threading.Event()).events()
    assert block.samples is BLOCK.samples
    assert frame.picture is FRAME.picture


def test_it_ends_where_it_is_stopped(clock) -> None:
    stop = threading.Event()
    events = Paced(Recorded(), clock, 0, stop).events()
    assert next(events).end_ns == 20
    stop.set()
    assert list(events) == []


def test_it_is_named_as_the_recording(clock) -> None:
    assert Paced(Recorded(), clock, 0, threading.Event()).name == "two events"
