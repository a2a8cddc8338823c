"""What a proxy does with messages, without sockets and on a clock that is told."""

import logging
from typing import Any

import pytest

from edge.clock import SECOND_NS
from edge.fleet.forwarding import MOST_NODES, Forwarding
from edge.fleet.member import LOST_S, MOST_TOPICS, Member
from edge.wire.clock_offset import ClockOffset
from edge.wire.messages import Node, decode, topic
from tests.edge.made_messages import EVENT, ONE_OF_EACH, PERSON, PREDICTION, STATS, STATUS, numbered

from .made_fleet import frames, keeping

LOST_NS = round(LOST_S * SECOND_NS)


class Made:
    """A forwarding whose members are `a` and `b`, and what it sent, as messages."""

    def __init__(self, clock: Any, *, relays: bool = False) -> None:
        self.clock, self.started = clock, list[str]()
        self.out, self.frames = keeping()
        members = [Member("a", "tcp://a:1"), Member("b", "tcp://b:1")]
        self.forwarding = Forwarding(members, "p1", clock, self.out, self.started.append, relays=relays)
        self.a, self.b = members

    def take(self, *messages: Any, name: str = "a") -> None:
        for message in messages:
            self.forwarding.take_own(name, frames(message))

    @property
    def sent(self) -> list[Any]:
        return [decode(body) for _, body in self.frames]

    @property
    def seqs(self) -> list[tuple[str, int]]:
        return [(message.node.name, message.seq) for message in self.sent]


@pytest.fixture
def made(clock) -> Made:
    return Made(clock)


def test_messages_of_two_nodes_go_out_under_their_names_in_order(made) -> None:
    made.take(*ONE_OF_EACH)
    made.take(STATUS, STATS, name="b")
    assert [frames[0] for frames in made.frames] == [
        b"emotion.a/cam1.",
        b"event.a/cam1.",
        b"status.a/cam1.",
        b"stats.a.",
        b"person.a/cam1.2.",
        b"picture.a/cam1.",
        b"status.b/cam1.",
        b"stats.b.",
    ]
    assert [state.received for state in made.forwarding.states()] == [6, 2]


def test_what_comes_twice_goes_out_once_and_what_never_came_is_counted_by_node(made) -> None:
    made.take(numbered(1), numbered(1), numbered(5))
    made.take(numbered(1), name="b")
    assert made.seqs == [("a", 1), ("a", 5), ("b", 1)]
    assert [(state.repeated, state.missed) for state in made.forwarding.states()] == [(1, 3), (0, 0)]


def test_what_is_refused_is_counted_by_node_and_said_once(made, caplog) -> None:
    for _ in range(2):
        made.forwarding.take_own("a", [b"weather", b"rain"])
    made.take(numbered(0, stream="x/y"))
    assert made.frames == []
    assert made.forwarding.states()[0].refused == {"not_foal_edge": 2, "has_node": 1}
    assert made.forwarding.states()[1].refused == {}
    assert [record.message for record in caplog.records] == [
        "messages of a are not forwarded: they are none of foal-edge's",
        "messages of a are not forwarded: they come through a proxy already; take each of its nodes, or --nodes here "
        "and --to there",
    ]


def test_who_has_left_is_no_longer_repeated(made) -> None:
    for person in (1, 2):
        made.take(numbered(0, PERSON, person=person))
    made.take(numbered(0, PERSON, person=1), name="b")
    made.take(numbered(1, people=[2]))
    topics = [topic(decode(body)) for _, body in made.out.cache.values()]
    assert topics == [b"person.a/cam1.2.", b"person.b/cam1.1.", b"status.a/cam1."]


def test_a_message_carries_the_clocks_once_they_are_known(made) -> None:
    made.take(numbered(0))
    made.a.set_clock(ClockOffset(5, -7, 3))
    made.take(numbered(1))
    assert [message.node for message in made.sent] == [Node("a", "p1", None, None, None), Node("a", "p1", 5, -7, 3)]


def test_clocks_are_measured_anew_after_a_restart_and_after_a_silence(made) -> None:
    made.take(numbered(0))
    made.a.set_clock(ClockOffset(5, -7, 3))
    made.take(numbered(1))
    assert made.started == ["a"]
    made.take(numbered(0, session="cd"))
    assert (made.started, made.a.clock) == (["a", "a"], None)
    made.a.set_clock(ClockOffset(5, -7, 3))
    made.clock.time_ns += LOST_NS
    made.forwarding.look_for_lost()
    made.take(numbered(1, session="cd"))
    assert (made.started, made.a.clock) == (["a", "a", "a"], None), "the machine may have been suspended"


def test_the_last_messages_of_a_lost_node_are_repeated_only_once_it_is_back(made, caplog) -> None:
    caplog.set_level(logging.INFO)
    made.take(numbered(0, EVENT), numbered(0))
    made.take(numbered(0), name="b")
    made.clock.time_ns += LOST_NS
    made.take(numbered(1), name="b")
    for _ in range(2):
        made.forwarding.look_for_lost()
    assert [made.a.is_lost, made.b.is_lost] == [True, False]
    del made.frames[:]
    made.take(numbered(1))
    assert made.seqs == [("a", 0), ("a", 0), ("a", 1)]
    assert [record.message for record in caplog.records] == [
        "a is lost: nothing has come from it for 3 s",
        "a is heard again",
    ]


def test_a_relay_tells_the_clocks_beside_those_of_the_proxy_it_sends_to(clock) -> None:
    made = Made(clock, relays=True)
    made.take(numbered(0))
    made.a.set_clock(ClockOffset(100, 1000, 3))
    made.take(numbered(1))
    made.forwarding.home = ClockOffset(30, 400, 4)
    made.take(numbered(2))
    unknown = Node("a", "p1", None, None, None)
    assert [message.node for message in made.sent] == [unknown, unknown, Node("a", "p1", 70, 600, 7)]


def test_a_gate_learns_nodes_and_their_clocks_from_what_they_send(made) -> None:
    lobby = Node("lobby", "relay", 5, -7, 3)
    for message in (
        numbered(4, PREDICTION, stream="lobby/cam1", node=lobby),
        numbered(4, STATS, node=Node("gate", "relay2", None, None, None)),
        numbered(4, PREDICTION, stream="lobby/cam1", node=lobby),
        numbered(7, PREDICTION, stream="lobby/cam1", node=lobby),
    ):
        made.forwarding.take_named(frames(message))
    assert made.seqs == [("lobby", 4), ("gate", 4), ("lobby", 7)]
    assert [message.node for message in made.sent][:2] == [
        Node("lobby", "p1", 5, -7, 3),
        Node("gate", "p1", None, None, None),
    ]
    states = {state.name: state for state in made.forwarding.states()}
    assert (states["lobby"].missed, states["lobby"].mono_offset_ns, states["gate"].unix_offset_ns) == (2, 5, None)


def test_a_gate_counts_what_has_no_node(made, caplog) -> None:
    made.forwarding.take_named(frames(STATUS))
    made.forwarding.take_named([b"weather", b"rain"])
    assert made.forwarding.unnamed == {"no_node": 1, "not_foal_edge": 1}
    assert caplog.records[0].message == (
        "messages of a node are not forwarded: they have no node; run foal-edge proxy --to on the node's machine"
    )


def test_two_nodes_of_one_name_at_a_gate_are_said(made, caplog) -> None:
    node = Node("lobby", "relay", None, None, None)
    for session in ("ab", "cd", "ab", "cd"):
        made.forwarding.take_named(frames(numbered(0, STATS, session=session, node=node)))
    assert "two nodes are called 'lobby'" in caplog.text
    assert made.forwarding.members["lobby"].refused == {"name_taken": 1}


def test_endless_names_and_topics_are_bounded(made) -> None:
    for number in range(MOST_NODES):
        made.forwarding.take_named(frames(numbered(0, STATS, node=Node(f"n{number}", "", None, None, None))))
    assert len(made.forwarding.members) == MOST_NODES
    assert made.forwarding.unnamed == {"too_many_nodes": 2}
    for number in range(MOST_TOPICS + 5):
        made.take(numbered(0, stream=f"s{number}"))
    ours = [member for member, _ in made.out.cache.values() if member is made.a]
    assert len(ours) == MOST_TOPICS
