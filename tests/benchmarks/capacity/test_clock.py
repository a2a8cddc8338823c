"""Simulated time goes where it is sent, and whatever is due on the way happens at its own time."""

from threading import Event

from benchmarks.capacity.clock import SimulatedClock, SimulatedCondition


def test_events_happen_in_order_at_their_own_times() -> None:
    clock, seen = SimulatedClock(), []

    def note(name: str) -> None:
        seen.append((name, clock.now_ns()))

    clock.at(30, lambda: note("late"))
    clock.at(10, lambda: (note("first"), clock.at(12, lambda: note("made by the first"))))
    clock.at(10, lambda: note("second"))
    clock.advance(20)
    assert seen == [("first", 10), ("second", 10), ("made by the first", 12)]
    assert (clock.now_ns(), clock.next_ns) == (20, 30)
    assert not clock.wait_until(40, Event())
    assert seen[-1] == ("late", 30)
    assert (clock.now_ns(), clock.boot_ns(), clock.unix_ns(7), clock.next_ns) == (40, 40, 7, None)


def test_a_condition_waits_from_event_to_event_and_no_longer_than_it_is_told() -> None:
    clock, came = SimulatedClock(), []
    condition = SimulatedCondition(clock)
    clock.at(1_000_000, lambda: came.append(1))
    clock.at(3_000_000, lambda: came.append(2))
    with condition:
        assert condition.wait_for(lambda: bool(came), 0.01)
        assert clock.now_ns() == 1_000_000
        assert not condition.wait_for(lambda: len(came) == 2, 0.001)
        assert clock.now_ns() == 2_000_000
        assert condition.wait_for(lambda: len(came) == 2, 0.5)
        assert not condition.wait_for(lambda: False, 0.5)
    assert clock.now_ns() == 503_000_000
