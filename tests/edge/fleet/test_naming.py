"""Names of nodes in messages: what is changed, what is not, and what is refused."""

import msgspec
import pytest

from edge.fleet.addresses import MAX_NAME
from edge.fleet.naming import REASONS, Refused, add_node, change_node, read
from edge.wire.messages import Node, decode, encode, topic
from edge.wire.sockets import MAX_TOPIC_BYTES
from tests.edge.made_messages import ONE_OF_EACH, PREDICTION, STATS, STATUS, numbered

from .made_fleet import frames

NODE = Node("lobby", "p1", 5, -7, 3)
LONG = b"9" * 400
"""Integer that JSON may have, and of which no float can be made."""
LONG_NODE = msgspec.json.encode(NODE).replace(b":5,", b":" + LONG + b",")
each_format = pytest.mark.parametrize("wire_format", ["msgpack", "json"])
LATER = {"type": "song", "session": "ab", "stream": "cam1", "seq": 3, "mono_publish": 1, "verse": [1.5, None]}


@each_format
@pytest.mark.parametrize("message", ONE_OF_EACH, ids=lambda message: type(message).__name__)
def test_a_message_gets_its_nodes_name_and_is_else_the_same(message, wire_format) -> None:
    name, body = add_node(read(frames(message, wire_format)), NODE)
    named = {} if message is STATS else {"stream": "lobby/cam1"}
    expected = msgspec.structs.replace(message, node=NODE, **named)
    assert decode(body) == expected
    assert name == topic(expected)
    plain = getattr(msgspec, wire_format).decode
    assert list(plain(body).items()) == list(plain(encode(expected, wire_format)).items()), "in their order"


def test_topics_end_with_a_dot_and_begin_with_their_kind() -> None:
    assert [add_node(read(frames(message)), NODE)[0] for message in ONE_OF_EACH] == [
        b"emotion.lobby/cam1.",
        b"event.lobby/cam1.",
        b"status.lobby/cam1.",
        b"stats.lobby.",
        b"person.lobby/cam1.2.",
        b"picture.lobby/cam1.",
    ]


@each_format
def test_messages_of_a_later_version_go_through_with_whatever_follows_the_stream(wire_format) -> None:
    body = getattr(msgspec, wire_format).encode(LATER)
    name, named = add_node(read([b"song.cam1.12.", body]), NODE)
    assert name == b"song.lobby/cam1.12."
    assert getattr(msgspec, wire_format).decode(named) == {
        **LATER,
        "stream": "lobby/cam1",
        "node": msgspec.to_builtins(NODE),
    }


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ([b"status.cam1."], "not_foal_edge"),
        ([b"status.cam1.", b"\xc1"], "not_foal_edge"),
        ([b"status.cam1.", b"{"], "not_foal_edge"),
        ([b"status.cam1.", b'{"session":1,"seq":1,"mono_publish":1}'], "not_foal_edge"),
        ([b"status.cam1.", b"[" * 100_000], "not_foal_edge"),
        ([b"status.", b'{"session":"ab","seq":-1,"mono_publish":1}'], "not_foal_edge"),
        ([b"status.", b'{"session":"ab","seq":1,"mono_publish":' + LONG + b"}"], "not_foal_edge"),
        ([b"status.", b'{"session":"ab","seq":1,"mono_publish":1,"node":' + LONG_NODE + b"}"], "not_foal_edge"),
        ([b"status.cam1.", encode(STATUS, "json"), b""], "not_foal_edge"),
        ([b"status.cam2.", encode(STATUS, "json")], "wrong_topic"),
        ([b"status.cam10.", encode(STATUS, "json")], "wrong_topic"),
        ([b"status.cam1", encode(STATUS, "json")], "wrong_topic"),
        ([b".cam1.", encode(STATUS, "json")], "wrong_topic"),
        ([b"status", encode(STATUS, "json")], "wrong_topic"),
    ],
)
def test_what_is_none_of_ours_is_refused(given: list[bytes], reason: str) -> None:
    with pytest.raises(Refused, match=REASONS[reason][:20]) as refused:
        read(given)
    assert refused.value.reason == reason


def test_what_has_come_through_a_proxy_is_not_named_again() -> None:
    for message in ONE_OF_EACH:
        named = read(list(add_node(read(frames(message)), NODE)))
        with pytest.raises(Refused, match="through a proxy already"):
            add_node(named, Node("other", "p2", None, None, None))
    with pytest.raises(Refused, match="through a proxy already"):
        add_node(read(frames(numbered(0, stream="a/b"))), NODE)


def test_a_gate_takes_what_has_a_node_and_says_whose_proxy_it_is_now() -> None:
    for message in ONE_OF_EACH:
        name, body = add_node(read(frames(message)), NODE)
        again, changed = change_node(read([name, body]), "p9")
        assert again == name
        assert decode(changed) == msgspec.structs.replace(decode(body), node=msgspec.structs.replace(NODE, proxy="p9"))


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (PREDICTION, "no_node"),
        (STATS, "no_node"),
        (numbered(0, node=NODE), "wrong_topic"),
        (numbered(0, stream="other/cam1", node=NODE), "wrong_topic"),
        (numbered(0, STATS, node=msgspec.structs.replace(NODE, name="a/b")), "wrong_topic"),
    ],
)
def test_a_gate_refuses_other_messages(message, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        change_node(read(frames(message)), "p9")
    assert refused.value.reason == reason


def test_the_longest_names_can_be_subscribed_to() -> None:
    longest = numbered(0, PREDICTION, stream="s" * 64)
    name, _ = add_node(read(frames(longest)), msgspec.structs.replace(NODE, name="n" * MAX_NAME))
    assert len(name) < MAX_TOPIC_BYTES
    with pytest.raises(Refused, match="too long"):
        add_node(read([b"emotion." + b"s" * 64 + b".12345678901.", frames(longest)[1]]), Node("n" * 20, "", 0, 0, 0))
