"""What is known of one node, message by message."""

import logging

import pytest

from edge.fleet.member import LOST_S, MOST_TOPICS, Member
from edge.fleet.naming import Head, Refused
from edge.wire.clock_offset import ClockOffset


def head(seq: int, session: str = "ab", mono_publish: int = 0) -> Head:
    return Head(session, seq, mono_publish)


def takes(member: Member, *sessions: str, at_s: float = 0.0) -> list[bool | str]:
    """For each message of a session, whether that is new; `refused` where it is another node's."""
    found: list[bool | str] = []
    for session in sessions:
        try:
            found.append(member.check_session(session, at_s))
        except Refused as refused:
            found.append(refused.reason)
    return found


def test_presence_follows_the_messages() -> None:
    member = Member("lobby")
    assert (member.presence(9.0), member.state(9.0).silence_s) == ("waiting", None)
    takes(member, "ab", at_s=10.0)
    assert [member.presence(10.0 + s) for s in (0.0, LOST_S - 0.1, LOST_S)] == ["online", "online", "lost"]
    assert member.state(14.0).silence_s == 4.0


def test_a_restart_is_a_new_session() -> None:
    assert takes(Member("lobby"), "ab", "ab", "cd", "cd", "ef") == [True, False, True, False, True]


def test_of_two_nodes_of_one_name_the_first_is_heard_and_it_is_said(caplog) -> None:
    member = Member("lobby")
    assert takes(member, "ab", "cd") == [True, True], "it looks like a restart"
    assert takes(member, "ab", "cd", "ab", "cd") == [True, "name_taken", False, "name_taken"]
    assert [record.message for record in caplog.records] == [
        "two nodes are called 'lobby', and the messages of the second are refused; give each a name of its own"
    ]
    assert member.state(0.0).problem == "two nodes have this name"
    takes(member, "ab", at_s=LOST_S)
    assert member.state(LOST_S).problem is None, "the other has gone"


def test_the_second_of_two_takes_over_once_the_first_is_silent() -> None:
    member = Member("lobby")
    takes(member, "ab", "cd", "ab")
    assert takes(member, "cd", at_s=LOST_S - 0.1) == ["name_taken"]
    assert takes(member, "cd", at_s=LOST_S) == [True]
    assert takes(member, "ab", at_s=LOST_S + 0.1) == [True]
    assert takes(member, "cd", at_s=LOST_S + 0.2) == [True], "it was the first this time"
    assert takes(member, "ab", at_s=LOST_S + 0.3) == ["name_taken"]


def test_of_three_nodes_of_one_name_one_is_heard() -> None:
    member = Member("lobby")
    for _ in range(3):
        takes(member, "ab", "cd", "ef")
    assert sorted(map(str, takes(member, "ab", "cd", "ef"))) == ["False", "name_taken", "name_taken"]


def test_gaps_are_counted_by_topic_and_session_and_repeats_are_not_new() -> None:
    member = Member("lobby")
    given = [head(5), head(7), head(7), head(6), head(10), head(0, "cd"), head(2, "cd")]
    assert [member.is_repeated(b"a.", each) for each in given] == [False, False, True, True, False, False, False]
    assert not member.is_repeated(b"b.", head(100))
    state = member.state(0.0)
    assert (state.missed, state.repeated) == (1 + 2 + 1, 2)


def test_topics_that_come_and_go_are_bounded() -> None:
    member = Member("lobby")
    names = [f"person.cam.{number}.".encode() for number in range(MOST_TOPICS + 2)]
    for name in names[:MOST_TOPICS]:
        member.is_repeated(name, head(0))
        assert member.surplus_topic() is None
    member.is_repeated(names[0], head(1))
    for name, surplus in zip(names[MOST_TOPICS:], names[1:3], strict=True):
        member.is_repeated(name, head(0))
        assert member.surplus_topic() == surplus


def test_the_delay_is_told_by_both_clocks() -> None:
    member = Member("lobby")
    member.count_forwarded(head(0), now_ns=5_000_000)
    assert (member.state(0.0).received, member.state(0.0).delay_ms) == (1, None)
    member.set_clock(ClockOffset(mono_ns=-1_000_000, unix_ns=0, uncertainty_ns=10))
    member.count_forwarded(head(1, mono_publish=2_500_000), now_ns=5_000_000)
    assert member.state(0.0).delay_ms == pytest.approx(1.5, rel=1e-12)  # an exact quotient, but for its rounding


@pytest.mark.parametrize(
    ("unix_s", "uncertainty_s", "is_wrong"),
    [(0.05, 0, False), (0.11, 0, True), (-0.11, 0, True), (0.11, 0.02, False), (3600, 1, True)],
)
def test_a_clock_is_wrong_if_it_is_for_certain(unix_s: float, uncertainty_s: float, is_wrong: bool) -> None:
    member = Member("lobby")
    member.set_clock(ClockOffset(0, round(unix_s * 1e9), round(uncertainty_s * 1e9)))
    assert member.has_wrong_clock == is_wrong
    assert member.state(0.0).problem == (f"its clock is {unix_s:+.3f} s off" if is_wrong else None)


def test_a_wrong_clock_is_said_once_and_once_it_is_right_again(caplog) -> None:
    member, wrong = Member("lobby"), ClockOffset(0, 2_000_000_000, 1)
    with caplog.at_level(logging.INFO):
        for offset in (wrong, wrong, ClockOffset(0, 5, 1), ClockOffset(0, 6, 1)):
            member.set_clock(offset)
    assert [record.message for record in caplog.records] == [
        "the clock of lobby is +2.000 s off; its Unix times are wrong, so set it (NTP)",
        "the clock of lobby is right again",
    ]


def test_why_clocks_are_not_measured_is_told() -> None:
    member = Member("lobby")
    member.set_clock(None, "nobody answers")
    state = member.state(0.0)
    assert (state.problem, state.mono_offset_ns, state.unix_offset_ns) == ("nobody answers", None, None)


def test_an_offset_that_cannot_be_measured_again_is_kept_until_it_is_forgotten() -> None:
    member = Member("lobby")
    member.set_clock(ClockOffset(5, 6, 7))
    member.set_clock(None, "nobody answers")
    assert (member.clock, member.clock_problem) == (ClockOffset(5, 6, 7), "nobody answers")
    member.set_clock(None)
    assert (member.clock, member.clock_problem) == (None, None)
