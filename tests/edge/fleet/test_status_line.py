"""The status of a fleet in one line."""

from edge.fleet.member import Member
from edge.fleet.naming import Head
from edge.fleet.status_line import MOST_NAMES, StatusLine
from edge.wire.clock_offset import ClockOffset


def heard(name: str, at_s: float, *seqs: int) -> Member:
    member = Member(name)
    for seq in seqs:
        member.check_session("ab", at_s)
        member.is_repeated(b"status.", Head("ab", seq, 0))
        member.count_forwarded(Head("ab", seq, 0), 0)
    return member


def test_a_healthy_fleet_is_told_in_a_few_words() -> None:
    states = [heard(name, 9.0, 0, 1, 2).state(10.0) for name in "ab"]
    line = StatusLine(7.0)
    assert line(states, 10.0) == "2 of 2 nodes online, 2 messages/s"
    assert line(states, 11.0) == "2 of 2 nodes online, 0 messages/s"


def test_what_is_wrong_is_told_by_node() -> None:
    fast, lost, gappy, deaf = Member("w"), heard("l", 4.0, 0), heard("g", 9.5, 0, 3), heard("r", 9.5, 0)
    gappy.set_clock(ClockOffset(0, 3_000_000_000, 0))
    deaf.refused["not_foal_edge"] = 7
    states = [member.state(10.0) for member in (fast, lost, gappy, deaf)]
    assert StatusLine(9.0)(states, 10.0) == (
        "2 of 4 nodes online, 4 messages/s; waiting for w; lost l for 6 s; missed g 2; refused r 7; "
        "problem g: its clock is +3.000 s off"
    )


def test_many_names_are_counted() -> None:
    states = [Member(f"n{number}").state(0.0) for number in range(MOST_NAMES + 2)]
    assert StatusLine(0.0)(states, 1.0).endswith("waiting for n0, n1, n2, n3, n4 and 2 more")
