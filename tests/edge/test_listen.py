"""The subscriber's side, against a plain ZeroMQ publisher."""

from collections.abc import Iterator

import pytest
import zmq

from edge.errors import FoalError, UsageError
from edge.listen import Subscriber
from edge.messages import Status, encode, topic

STATUS = Status(1, "ab", "cam1", 5, 6, "online", "ok", "off", {})
OTHER = Status(1, "ab", "cam10", 5, 6, "online", "ok", "off", {})


class Desk:
    """An XPUB socket: it hears of each subscription, so that nothing is sent too early."""

    def __init__(self) -> None:
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.XPUB)
        self.socket.bind("tcp://127.0.0.1:*")
        self.address = self.socket.getsockopt_string(zmq.LAST_ENDPOINT)

    def await_subscription(self) -> bytes:
        assert self.socket.poll(20_000), "nobody subscribed"
        return self.socket.recv()


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.context.destroy(linger=0)


@pytest.mark.parametrize("wire_format", ["msgpack", "json"])
def test_messages_of_either_format_are_decoded(desk: Desk, wire_format) -> None:
    with Subscriber(desk.address) as subscriber:
        desk.await_subscription()
        desk.socket.send_multipart([topic(STATUS), encode(STATUS, wire_format)])
        assert subscriber.receive(20) == STATUS


def test_iterating_gives_one_message_after_the_other(desk: Desk) -> None:
    with Subscriber(desk.address) as subscriber:
        desk.await_subscription()
        for message in (STATUS, OTHER):
            desk.socket.send_multipart([topic(message), encode(message, "msgpack")])
        messages = iter(subscriber)
        assert [next(messages), next(messages)] == [STATUS, OTHER]


def test_a_topic_is_a_prefix(desk: Desk) -> None:
    with Subscriber(desk.address, "status.cam1.") as subscriber:
        assert desk.await_subscription() == b"\x01status.cam1."
        for message in (OTHER, STATUS):
            desk.socket.send_multipart([topic(message), encode(message, "msgpack")])
        assert subscriber.receive(20) == STATUS


def test_without_a_message_there_is_none(desk: Desk) -> None:
    with Subscriber(desk.address) as subscriber:
        assert subscriber.receive(0.001) is None


@pytest.mark.parametrize("frames", [[b"status.", b"\xc1"], [b"status."], [b"weather", b'{"type":"rain"}']])
def test_a_message_of_something_else_is_named_by_its_topic(desk: Desk, frames: list[bytes]) -> None:
    with Subscriber(desk.address) as subscriber:
        desk.await_subscription()
        desk.socket.send_multipart(frames)
        with pytest.raises(FoalError, match="is it foal-edge there") as refused:
            subscriber.receive(20)
    assert repr(frames[0]) in str(refused.value)


@pytest.mark.parametrize("address", ["nowhere", "tcp://", "tcp://127.0.0.1"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="no such address"):
        Subscriber(address)
