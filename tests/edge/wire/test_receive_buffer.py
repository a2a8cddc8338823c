"""The receive buffer, without sockets."""

import pytest

from edge.errors import FoalError
from edge.wire.messages import Message, encode, topic
from edge.wire.receive_buffer import ReceiveBuffer
from tests.edge.made_messages import EVENT, ONE_OF_EACH, PERSON, PREDICTION, STATS, STATUS, numbered


def frames(message: Message) -> list[bytes]:
    return [topic(message), encode(message, "msgpack")]


def given(buffer: ReceiveBuffer, *messages: Message) -> list[Message]:
    """Adds them all, then takes until there is no more."""
    for message in messages:
        buffer.add(frames(message))
    return list(iter(buffer.pop, None))


def test_messages_are_given_in_their_order() -> None:
    assert given(ReceiveBuffer(latest=False), *ONE_OF_EACH, numbered(10)) == [*ONE_OF_EACH, numbered(10)]


@pytest.mark.parametrize("latest", [False, True])
def test_what_comes_twice_is_given_once(latest: bool) -> None:
    buffer = ReceiveBuffer(latest)
    assert given(buffer, STATUS, STATUS) == [STATUS]
    assert given(buffer, STATUS) == []
    assert given(buffer, numbered(STATUS.seq - 1)) == []
    assert (buffer.missed, buffer.skipped) == ({}, {})


def test_gaps_are_counted_by_session_and_topic() -> None:
    buffer = ReceiveBuffer(latest=False)
    other = {"stream": "cam2"}
    given(buffer, numbered(5), numbered(9, PREDICTION), numbered(8), numbered(0, **other), numbered(4, **other))
    assert buffer.missed == {("ab", "status.cam1."): 2, ("ab", "status.cam2."): 3}
    given(buffer, numbered(9), numbered(12))
    assert buffer.missed["ab", "status.cam1."] == 4


def test_each_person_counts_from_the_beginning() -> None:
    buffer = ReceiveBuffer(latest=False)
    given(
        buffer, numbered(5, PERSON), numbered(0, PERSON, person=3), numbered(7, PERSON), numbered(1, PERSON, person=3)
    )
    assert buffer.missed == {("ab", "person.cam1.2."): 1}


def test_a_new_session_counts_from_its_beginning() -> None:
    buffer = ReceiveBuffer(latest=False)
    again = numbered(0, session="cd")
    assert given(buffer, numbered(50), again) == [numbered(50), again]
    assert buffer.missed == {}


def test_the_latest_of_each_topic_is_given_and_the_others_are_counted() -> None:
    buffer = ReceiveBuffer(latest=True)
    messages = given(buffer, numbered(1), numbered(1, STATS), numbered(2), numbered(3), numbered(1, EVENT))
    assert messages == [numbered(3), numbered(1, STATS), numbered(1, EVENT)]
    assert buffer.skipped == {("ab", "status.cam1."): 2}
    assert buffer.missed == {}, "they came"


def test_a_busy_topic_does_not_hold_up_another() -> None:
    buffer = ReceiveBuffer(latest=True)
    buffer.add(frames(numbered(1)))
    buffer.add(frames(numbered(1, STATS)))
    given_first = []
    for number in range(2, 5):
        buffer.add(frames(numbered(number)))
        given_first.append(buffer.pop())
    assert given_first == [numbered(2), numbered(1, STATS), numbered(4)]


@pytest.mark.parametrize(
    "frames",
    [
        [b"status."],
        [b"status.", b"\xc1"],
        [b"weather", b'{"type":"rain"}'],
        [b"\xff", encode(STATUS, "json")],
        [b"status.", b"\x81" * 100_000],
        [b"status.", b'{"x":' + b"[" * 100_000],
        [b"status.", b'{"type":"status","session":"\xff"}'],
    ],
)
def test_what_is_no_message_is_named_by_its_topic(frames: list[bytes]) -> None:
    with pytest.raises(FoalError, match="is it foal-edge that publishes there") as refused:
        ReceiveBuffer(latest=False).add(frames)
    assert repr(frames[0]) in str(refused.value)
