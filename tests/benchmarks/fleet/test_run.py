"""Figures of a phase, and the tables of them; the networks are made by hand."""

from collections import Counter

from benchmarks.fleet.listener import Arrival, Listener
from benchmarks.fleet.run import CUT, HEALTHY, SLOW, markdown, row
from edge.fleet.member import Member
from edge.wire.clock_offset import ClockOffset
from tests.edge.fleet.made_fleet import await_that, fleet
from tests.edge.made_messages import numbered

ARRIVALS = [
    *(Arrival(0.0, HEALTHY[number % 2], float(number)) for number in range(101)),
    *(Arrival(0.0, HEALTHY[0], None) for _ in range(3)),
    Arrival(0.0, CUT, 5.0),
    Arrival(0.0, SLOW, 2500.0),
]


def test_a_phase_has_the_figures_of_the_healthy_nodes_and_a_word_on_the_others() -> None:
    made = row("one is cut", ARRIVALS, Counter({CUT: 4, HEALTHY[1]: 2}), Counter({HEALTHY[1]: 3}))
    assert (made.healthy, made.lost, made.lost_by_one) == (104, 2, 3)
    assert (made.p50_ms, made.p99_ms, made.max_ms) == (50.0, 99.0, 100.0)
    assert made.others == "cut: 1 came, 4 lost, the latest after 0.0 s; slow: 1 came, 0 lost, the latest after 2.5 s"


def test_the_tables_have_a_row_a_phase_and_a_row_a_node() -> None:
    member = Member("wrong")
    member.set_clock(ClockOffset(2_000_000_000, -3_000_000_000, 40_000))
    text = markdown([row("nothing", ARRIVALS[:101], Counter(), Counter())], [member.state(0.0)])
    assert "| nothing | 101 | 0 | 0 | 50.0 | 99.0 | 100.0 | nothing lost or late |" in text
    assert "| wrong | 0 | 0 | -3.000000 | +2.000000 | 0.04 | its clock is -3.000 s off |" in text


def test_a_listener_notes_what_comes_and_what_does_not_by_node() -> None:
    with fleet("a", "b") as ((a, b), proxy):
        listener = Listener([proxy.address])
        for node in (a, b):
            node.publish(numbered(0))
        await_that(lambda: {arrival.node for arrival in listener.arrivals} == {"a", "b"}, "both are heard")
        a.publish(numbered(4))
        await_that(lambda: len(listener.arrivals) == 3, "the last is heard")
        assert listener.missed() == {"a": 3}
        listener.close()
