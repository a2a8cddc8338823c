"""Parts of a fleet: members that send to a socket which keeps what is sent, and nodes with sockets of their own."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from edge.clock import Clock, SystemClock
from edge.errors import PublishError
from edge.fleet.addresses import NodePeer, Peer
from edge.fleet.proxy import Proxy
from edge.fleet.settings import Settings
from edge.wire.control_server import ControlServer
from edge.wire.messages import Message, encode, topic
from edge.wire.publisher import Publisher
from edge.wire.publishing_socket import PublishingSocket
from edge.wire.subscriber import Subscriber
from tests.edge.made_messages import ANY_PORT, WAIT_S, nothing, unchanged


class KeepingSocket:
    """Stands where a ZeroMQ socket would, and keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[list[bytes]] = []

    def send_multipart(self, frames: list[bytes]) -> None:
        self.sent.append(frames)


def keeping() -> tuple[PublishingSocket[Any], list[list[bytes]]]:
    socket: Any = KeepingSocket()
    return PublishingSocket(socket), socket.sent


def frames(message: Message, wire_format: Any = "msgpack") -> list[bytes]:
    return [topic(message), encode(message, wire_format)]


class MadeNode:
    """A running node: a publisher, and the control port beside it, on a clock of its own."""

    def __init__(self, name: str, clock: Clock | None = None, keys: Any = None) -> None:
        self.name = name
        self.publisher = Publisher(ANY_PORT, "msgpack", unchanged, nothing, keys)
        self.control = ControlServer(ANY_PORT, {}, self.publisher.last, clock or SystemClock(), None, keys)

    def peer(self, keys: Any = None) -> NodePeer:
        assert self.publisher.address is not None
        return NodePeer(self.name, Peer(self.publisher.address, self.control.address, keys))

    def publish(self, *messages: Message) -> None:
        for message in messages:
            self.publisher.publish_each(message)

    def restart(self) -> None:
        """Publish anew, at the same address."""
        self.publisher.close()
        address = self.publisher.address
        self.publisher = where_free(lambda: Publisher(address, "msgpack", unchanged, nothing))

    def close(self) -> None:
        self.control.close()
        self.publisher.close()


def where_free(open_it: Callable[[], Any]) -> Any:
    """What is opened, once its ports are free: of two that are neighbours the second may be somebody else's."""
    ends_s = time.monotonic() + WAIT_S
    while True:
        try:
            return open_it()
        except PublishError:
            if time.monotonic() > ends_s:
                raise
            time.sleep(0.05)


@contextmanager
def running(settings: Settings) -> Iterator[Proxy]:
    proxy = where_free(lambda: Proxy(settings, threading.Event()))
    try:
        yield proxy
    finally:
        proxy.close()


@contextmanager
def fleet(*names: str, **settings: Any) -> Iterator[tuple[list[MadeNode], Proxy]]:
    """Nodes and a proxy that is connected to them."""
    with ExitStack() as opened:
        nodes = [MadeNode(name) for name in names]
        for node in nodes:
            opened.callback(node.close)
        settings = {"control": ANY_PORT, **settings}
        given = Settings(nodes=[node.peer() for node in nodes], bind=ANY_PORT, **settings)
        yield nodes, opened.enter_context(running(given))


def hear(subscriber: Subscriber, count: int) -> list[Any]:
    """The next messages, of which there must be so many."""
    heard = [subscriber.receive(WAIT_S) for _ in range(count)]
    assert None not in heard
    return heard


def await_that(holds: Callable[[], bool], what: str) -> None:
    """Wait until something holds."""
    for _ in range(WAIT_S * 100):
        if holds():
            return
        threading.Event().wait(0.01)
    raise AssertionError(f"{what} within {WAIT_S} s")
