"""Which machine's clock a session has: that of the control port which knows the session."""

from collections.abc import Iterator

import pytest

from edge.bridges.publisher_clocks import SAME_CLOCK, PublisherClock, PublisherClocks, find_clocks
from edge.clock import SystemClock
from edge.errors import SourceError, UsageError
from edge.wire.clock_offset import ClockOffset
from edge.wire.control_server import ControlServer

HERE, ROBOT = "tcp://127.0.0.1:5556", "tcp://robot:5556"
S = 10**9


class Ahead(SystemClock):
    """A machine whose CLOCK_MONOTONIC is ahead by some seconds."""

    def __init__(self, ahead_s: int) -> None:
        self._ahead_ns = ahead_s * S

    def now_ns(self) -> int:
        return super().now_ns() + self._ahead_ns


@pytest.fixture
def proxies() -> Iterator[list[str]]:
    """The control ports of two proxies, p and q, whose clocks are 100 s and 200 s ahead."""
    servers = [
        ControlServer("tcp://127.0.0.1:*", {"proxy": name, "version": "1"}, list, Ahead(ahead_s), None)
        for name, ahead_s in (("p", 100), ("q", 200))
    ]
    yield [server.address for server in servers]
    for server in servers:
        server.close()


def ahead_s(offset: ClockOffset) -> int:
    return round(offset.mono_ns / S)


def test_the_session_tells_which_of_several_machines_is_measured(proxies: list[str]) -> None:
    clocks = PublisherClocks([PublisherClock(control, is_ours=False) for control in proxies], None)
    assert [ahead_s(clocks.measure(session)) for session in "qp"] == [200, 100]
    with pytest.raises(SourceError, match=f"none of those at {proxies[0]} and {proxies[1]}; give --control"):
        clocks.measure("another")


def test_a_session_of_this_machine_beside_another_machine_is_not_measured(proxies: list[str]) -> None:
    clocks = PublisherClocks(
        [PublisherClock(proxies[0], is_ours=False), PublisherClock(proxies[1], is_ours=True)], None
    )
    assert (ahead_s(clocks.measure("p")), clocks.measure("q")) == (100, SAME_CLOCK)


def test_one_publisher_is_not_asked_for_its_session(proxies: list[str]) -> None:
    assert ahead_s(PublisherClocks([PublisherClock(proxies[0], is_ours=False)], None).measure("any")) == 100
    assert PublisherClocks([PublisherClock(None, is_ours=True)], None).measure("any") == SAME_CLOCK


@pytest.mark.parametrize(
    ("addresses", "controls", "expected"),
    [
        ([HERE], [], [("tcp://127.0.0.1:5557", True)]),
        ([HERE, ROBOT], [], [("tcp://127.0.0.1:5557", True), ("tcp://robot:5557", False)]),
        ([HERE], ["tcp://127.0.0.1:7"], [("tcp://127.0.0.1:7", False)]),
        ([ROBOT, HERE], ["off", "auto"], [(None, True), ("tcp://127.0.0.1:5557", True)]),
    ],
)
def test_the_control_port_follows_the_address_unless_it_is_given(
    addresses: list[str], controls: list[str], expected: list[tuple[str | None, bool]]
) -> None:
    assert find_clocks(addresses, controls) == expected


def test_a_control_port_too_few_is_an_error() -> None:
    with pytest.raises(UsageError, match="1 --control for 2 --connect; give one for each, auto for the port after it"):
        find_clocks([HERE, ROBOT], ["auto"])
