"""The estimate of another machine's clocks, against one whose clocks are known to be off."""

import pytest

from edge.clock import SystemClock
from edge.errors import FoalError, SourceError
from edge.wire.clock_offset import ClockOffset, estimate_offset, exchange
from edge.wire.control_messages import ClockReply
from edge.wire.control_server import ControlServer
from edge.wire.messages import Node
from tests.edge.made_messages import ANY_PORT


class OtherMachine(SystemClock):
    """This machine's clocks, moved: both, and the wall clock by something else."""

    def __init__(self, mono_ahead_ns: int, unix_ahead_ns: int) -> None:
        self.mono_ahead_ns, self.unix_ahead_ns = mono_ahead_ns, unix_ahead_ns

    def now_ns(self) -> int:
        return super().now_ns() + self.mono_ahead_ns

    def unix_ns(self, monotonic_ns: int) -> int:
        return super().unix_ns(monotonic_ns - self.mono_ahead_ns) + self.unix_ahead_ns


class Line:
    """A line and its other end: each way takes so long, and so does the answer."""

    def __init__(self, clock, there_ns: int, answer_ns: int, back_ns: int, mono_ns: int, unix_ns: int) -> None:
        self.clock, self.there_ns, self.answer_ns, self.back_ns = clock, there_ns, answer_ns, back_ns
        self.mono_ns, self.unix_ns = mono_ns, unix_ns

    def ask(self, *_: object) -> ClockReply:
        self.clock.time_ns += self.there_ns
        received_ns = self.clock.time_ns + self.mono_ns
        self.clock.time_ns += self.answer_ns
        now_ns = self.clock.time_ns
        self.clock.time_ns += self.back_ns
        return ClockReply(received_ns, now_ns + self.mono_ns, self.clock.unix_ns(now_ns) + self.unix_ns)


@pytest.mark.parametrize(("mono_s", "unix_s"), [(0, 0), (86_400, -0.25), (-12_345.678, 3.5), (0.001, 1e6)])
def test_the_truth_is_within_the_uncertainty(mono_s: float, unix_s: float) -> None:
    mono_ns, unix_ns = round(mono_s * 1e9), round(unix_s * 1e9)
    control = ControlServer(ANY_PORT, {}, list, OtherMachine(mono_ns, unix_ns), None)
    offset = estimate_offset(control.address)
    control.close()
    assert 0 < offset.uncertainty_ns < 1_000_000_000
    assert abs(offset.mono_ns - mono_ns) <= offset.uncertainty_ns
    # Both clocks are read one after the other, on either side
    assert abs(offset.unix_ns - unix_ns) <= offset.uncertainty_ns + 1_000_000


@pytest.mark.parametrize(("there_ns", "back_ns", "error_ns"), [(700, 700, 0), (1400, 0, 700), (0, 1400, -700)])
def test_an_exchange_by_hand(clock, there_ns: int, back_ns: int, error_ns: int) -> None:
    line = Line(clock, there_ns, 5_000_000, back_ns, mono_ns=10**9, unix_ns=-(10**6))
    offset = exchange(line, clock)
    assert offset == ClockOffset(10**9 + error_ns, -(10**6) + error_ns, 700), "the time of answering does not count"


def test_the_quickest_of_the_rounds_counts(monkeypatch, clock) -> None:
    ways = iter([(900, 100), (40, 60), (5000, 0)])

    class Lines:
        def __init__(self, *_: object) -> None:
            pass

        def __enter__(self) -> "Lines":
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def ask(self, *_: object) -> ClockReply:
            there_ns, back_ns = next(ways)
            return Line(clock, there_ns, 0, back_ns, 10_000, 0).ask()

    monkeypatch.setattr("edge.wire.clock_offset.ControlClient", Lines)
    assert estimate_offset("tcp://far:1", rounds=3, clock=clock) == ClockOffset(9_990, -10, 50)


def test_times_are_brought_home() -> None:
    offset = ClockOffset(mono_ns=1_000, unix_ns=-50, uncertainty_ns=3)
    assert (offset.ours_mono_ns(1_234), offset.ours_unix_ns(1_234)) == (234, 1_284)


def test_silence_is_named() -> None:
    with pytest.raises(SourceError, match=r"no answer from tcp://127.0.0.1:9 within 0.01 s"):
        estimate_offset("tcp://127.0.0.1:9", timeout_s=0.01)


def test_the_clocks_of_a_node_are_told_through_a_proxy() -> None:
    proxy = ClockOffset(mono_ns=1_000, unix_ns=-50, uncertainty_ns=3)
    assert proxy.through(Node("lobby", "p", 30, 7, 4)) == ClockOffset(1_030, -43, 7)
    with pytest.raises(FoalError, match="the proxy has not measured the clocks of lobby"):
        proxy.through(Node("lobby", "p", None, None, None))


def test_an_offset_beside_another_is_that_between_the_two_others() -> None:
    assert ClockOffset(30, 7, 4).beside(ClockOffset(10, -5, 1)) == ClockOffset(20, 12, 5)
