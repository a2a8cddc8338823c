"""Publishing socket: an XPUB socket that sends a new subscriber the last message of every matching topic at once."""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import zmq

from .guard import Limits
from .messages import people_topic, person_topic
from .sockets import MAX_TOPIC_BYTES

MAX_SUBSCRIPTIONS_AT_ONCE = 100
"""Number of subscriptions handled before the next messages are sent, so that a storm of them delays no message."""
MAX_FRAME_BYTES = 1024
"""Largest frame from a subscriber; its part of the handshake with keys is below 1000 bytes."""
LIMITS = Limits(connections=256, burst_bytes=1 << 16, rate_bytes_s=1 << 10)
"""Limits of the subscribers: each may send some hundred subscriptions at once."""

T = TypeVar("T")


class LastValueCache(Generic[T]):
    """Last message of every topic, in the order of publishing; one thread updates it, any thread lists it."""

    def __init__(self) -> None:
        self._last: dict[bytes, tuple[T, bytes]] = {}
        self._lock = threading.Lock()

    def update(self, name: bytes, value: T, body: bytes) -> None:
        """Replace the last message of a topic, given with its encoded body."""
        with self._lock:
            self._last.pop(name, None)
            self._last[name] = value, body

    def remove(self, name: bytes) -> None:
        """Forget the last message of a topic, if there is one."""
        with self._lock:
            self._last.pop(name, None)

    def keep_only(self, prefix: bytes, names: set[bytes]) -> None:
        """Forget the last messages whose topics begin with a prefix and are not among the names."""
        with self._lock:
            for gone in [name for name in self._last if name.startswith(prefix) and name not in names]:
                del self._last[gone]

    def values(self) -> list[tuple[T, bytes]]:
        """Return the last message of every topic with its body, the oldest first; from any thread."""
        with self._lock:
            return list(self._last.values())

    def matching(self, prefix: bytes) -> list[tuple[T, list[bytes]]]:
        """Return the last messages whose topics begin with a prefix, as frames; from the updating thread."""
        return [(value, [name, body]) for name, (value, body) in self._last.items() if name.startswith(prefix)]


class PublishingSocket(Generic[T]):
    """XPUB socket with the last message of every topic. For use by one thread; the cache may be listed by any.

    If several subscribe at the same moment, one may get a last message twice, with the same `seq`.
    """

    def __init__(self, sock: "zmq.Socket[bytes]", is_repeated: Callable[[T], bool] = lambda _: True) -> None:
        """`is_repeated` says of a last message, by its value in the cache, whether new subscribers are to get it."""
        self._socket, self._is_repeated = sock, is_repeated
        self.cache = LastValueCache[T]()
        """Last message of every topic."""

    @staticmethod
    def options(high_water_mark: int) -> dict[zmq.SocketOption, int]:
        """Return the options that the socket needs; `high_water_mark` messages wait for one slow subscriber."""
        return {zmq.XPUB_MANUAL: 1, zmq.SNDHWM: high_water_mark, zmq.MAXMSGSIZE: MAX_FRAME_BYTES}

    def send(self, name: bytes, value: T, body: bytes) -> None:
        """Send a message, which is the last of its topic from now on."""
        self.cache.update(name, value, body)
        self._socket.send_multipart([name, body])

    def forget_people(self, stream: str, there: Sequence[int]) -> None:
        """Forget the last messages of a stream's people who are there no more: nothing will follow on their topics."""
        self.cache.keep_only(people_topic(stream), {person_topic(stream, person) for person in there})

    def repeat(self, value: T) -> None:
        """Send the last messages that have a value in the cache once more, to those who have come meanwhile."""
        for each, frames in self.cache.matching(b""):
            if each is value:
                self._socket.send_multipart(frames)

    def handle_subscriptions(self) -> None:
        """Handle the subscriptions that have come, a hundred at most."""
        for _ in range(MAX_SUBSCRIPTIONS_AT_ONCE):
            try:
                change = self._socket.recv(zmq.NOBLOCK)
            except zmq.Again:
                break
            if len(change) > 1 + MAX_TOPIC_BYTES:
                continue
            if change[:1] == b"\x01":
                self._send_last(change[1:])
                self._socket.setsockopt(zmq.SUBSCRIBE, change[1:])
            elif change[:1] == b"\x00":
                self._socket.setsockopt(zmq.UNSUBSCRIBE, change[1:])

    def _send_last(self, prefix: bytes) -> None:
        """Send the last messages to a subscriber that is about to be subscribed.

        ZeroMQ sends by topic, not by subscriber, and XPUB_MANUAL_LAST_VALUE covers a single message. But a subscriber
        that is not subscribed yet is among those that a topic does not match: with inverted matching, the messages
        reach only these. SUB sockets among them filter out topics that they did not ask for; XSUB sockets receive them,
        as documented in `messages`.
        """
        self._socket.setsockopt(zmq.INVERT_MATCHING, 1)
        for value, frames in self.cache.matching(prefix):
            if self._is_repeated(value):
                self._socket.send_multipart(frames)
        self._socket.setsockopt(zmq.INVERT_MATCHING, 0)
