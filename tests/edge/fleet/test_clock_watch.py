"""The watch over another machine's clocks."""

import queue
import threading

from edge.errors import SourceError
from edge.fleet import clock_watch
from edge.fleet.addresses import Peer
from edge.fleet.clock_watch import ClockWatch
from edge.wire.clock_offset import ClockOffset
from tests.edge.made_messages import WAIT_S

PEER = Peer("tcp://127.0.0.1:9", "tcp://127.0.0.1:10", None)


class Measured:
    """Offsets that are handed over, as they come."""

    def __init__(self) -> None:
        self.given: queue.Queue[tuple[ClockOffset | None, str | None]] = queue.Queue()

    def __call__(self, offset: ClockOffset | None, problem: str | None) -> None:
        self.given.put((offset, problem))

    def next(self) -> tuple[ClockOffset | None, str | None]:
        return self.given.get(timeout=WAIT_S)


def test_it_measures_when_it_is_told_and_then_again_and_again() -> None:
    measured, count = Measured(), iter(range(100))
    watch = ClockWatch("a", PEER, measured, lambda peer: ClockOffset(next(count), 0, len(peer.address)), every_s=0.001)
    threading.Event().wait(0.01)
    assert measured.given.empty(), "nothing is asked of a machine before it is heard"
    watch.measure_now()
    assert [measured.next() for _ in range(3)] == [(ClockOffset(number, 0, 17), None) for number in range(3)]
    watch.close()


def test_it_measures_at_once_when_it_is_told_again() -> None:
    measured = Measured()
    watch = ClockWatch("a", PEER, measured, lambda _: ClockOffset(1, 2, 3), every_s=10_000)
    for _ in range(3):
        watch.measure_now()
        assert measured.next() == (ClockOffset(1, 2, 3), None)
    watch.close()


def test_what_cannot_be_measured_is_told_and_tried_again(monkeypatch) -> None:
    monkeypatch.setattr(clock_watch, "RETRY_S", 0.001)
    results = iter([SourceError("no answer"), ClockOffset(1, 2, 3)])

    def measure(_: Peer) -> ClockOffset:
        result = next(results)
        if isinstance(result, SourceError):
            raise result
        return result

    measured = Measured()
    watch = ClockWatch("a", PEER, measured, measure, every_s=10_000)
    watch.measure_now()
    assert measured.next() == (None, "its clocks are not measured (no answer)")
    assert measured.next() == (ClockOffset(1, 2, 3), None)
    watch.close()
