"""Publisher: a thread that sends messages in order on a ZeroMQ socket."""

import queue
import threading
from collections import Counter
from collections.abc import Callable

import msgspec
import zmq

from ..clock import Clock
from ..queues import push
from .drop_reasons import MESSAGES_QUEUE, MESSAGES_STALE
from .guard import Limits
from .keys import ServerKeys
from .messages import (
    BasePrediction,
    CameraPicture,
    Message,
    Status,
    WireFormat,
    encode,
    people_topic,
    person_topic,
    topic,
)
from .server_socket import ServerSocket
from .sockets import MAX_TOPIC_BYTES, WakeupPipe

QUEUE_LENGTH = 64
"""Number of messages that wait for the publishing thread; the oldest are dropped beyond it."""
SEND_HIGH_WATER_MARK = 256
"""Number of messages that wait for one slow subscriber; further ones are not sent to it. A new subscriber gets the last
messages of up to 80 streams at once."""
MAX_SUBSCRIPTIONS_AT_ONCE = 100
"""Number of subscriptions handled before the next messages are sent, so that a storm of them delays no message."""
MAX_FRAME_BYTES = 1024
"""Largest frame from a subscriber; its part of the handshake with keys is below 1000 bytes."""
LIMITS = Limits(connections=256, burst_bytes=1 << 16, rate_bytes_s=1 << 10)
"""Limits of the subscribers: each may send some hundred subscriptions at once."""
PUT_TIMEOUT_S = 0.1
"""Time between two checks whether the publishing thread still runs, while the queue is full."""


class LastValueCache:
    """Last message of every topic, in the order of publishing; one thread updates it, any thread lists it."""

    def __init__(self) -> None:
        self._last: dict[bytes, tuple[Message, bytes]] = {}
        self._lock = threading.Lock()

    def update(self, name: bytes, message: Message, body: bytes) -> None:
        """Replace the last message of a topic, given with its encoded body.

        A status removes those of the people who are there no more: nothing will follow on their topics.
        """
        with self._lock:
            self._last.pop(name, None)
            self._last[name] = message, body
            if isinstance(message, Status):
                there = {person_topic(message.stream, person) for person in message.people}
                known = {topic for topic in self._last if topic.startswith(people_topic(message.stream))}
                for gone in known - there:
                    del self._last[gone]

    def messages(self) -> list[Message]:
        """Return the last message of every topic, the oldest first; from any thread."""
        with self._lock:
            return [message for message, _ in self._last.values()]

    def matching(self, prefix: bytes) -> list[list[bytes]]:
        """Return topic and body of the last messages whose topics begin with a prefix; from the updating thread."""
        return [[name, body] for name, (_, body) in self._last.items() if name.startswith(prefix)]


class Publisher:
    """Thread that publishes messages in order; under backpressure, the oldest waiting messages are dropped.

    A new subscriber gets the last message of every matching topic at once; if several subscribe at the same moment, one
    may get it twice, with the same `seq`. Without an address no port is bound, and everything else works the same.
    `stamp` gives a message its publishing time just before it is sent, or None to drop it as stale; `on_sent` is called
    with it just after. With `keys`, only the clients that they admit can subscribe.
    """

    def __init__(
        self,
        address: str | None,
        wire_format: WireFormat,
        stamp: Callable[[Message], Message | None],
        on_sent: Callable[[Message], None],
        keys: ServerKeys | None = None,
    ) -> None:
        self._format, self._stamp, self._on_sent = wire_format, stamp, on_sent
        self.dropped: Counter[str] = Counter({MESSAGES_QUEUE: 0, MESSAGES_STALE: 0})
        """Number of messages dropped, of all streams, by drop reason."""
        options = {zmq.XPUB_MANUAL: 1, zmq.SNDHWM: SEND_HIGH_WATER_MARK, zmq.MAXMSGSIZE: MAX_FRAME_BYTES}
        self._server = ServerSocket(zmq.XPUB, options, LIMITS, keys)
        self._socket = self._server.socket
        self.address = None if address is None else self._server.bind(address, "publish", "--bind")
        """Address with its actual port; None without one."""
        self._queue: queue.Queue[Message | None] = queue.Queue(QUEUE_LENGTH)
        self._cache = LastValueCache()
        self._wakeup = WakeupPipe()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Number of messages that wait to be sent."""
        return self._queue.qsize()

    def last(self) -> list[Message]:
        """Return the last message of every topic, the oldest first; from any thread."""
        return self._cache.messages()

    def publish(self, message: Message) -> None:
        """Queue a message without waiting; the oldest is dropped if the queue is full. Raises the thread's error."""
        self._raise_error()
        self.dropped[MESSAGES_QUEUE] += push(self._queue, message)
        self._wakeup.wake()

    def publish_each(self, message: Message) -> None:
        """Queue a message, waiting for room: a replay that can wait drops nothing. Raises the thread's error."""
        self._raise_error()
        self._put(message)

    def _put(self, message: Message | None) -> None:
        while self._thread.is_alive():
            try:
                self._queue.put(message, timeout=PUT_TIMEOUT_S)
            except queue.Full:
                continue
            self._wakeup.wake()
            return

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        poller = zmq.Poller()
        poller.register(self._socket, zmq.POLLIN)
        poller.register(self._wakeup, zmq.POLLIN)
        try:
            is_open = True
            while is_open:
                poller.poll()
                self._wakeup.drain()
                self._handle_subscriptions()
                is_open = self._send_queued()
        except BaseException as error:  # raised again in the threads that publish
            self._error = error

    def _send_queued(self) -> bool:
        """Send the messages queued by now. Returns False if the publisher is to close after them."""
        for _ in range(self._queue.qsize()):
            try:
                message = self._queue.get_nowait()
            except queue.Empty:  # `push` has just dropped the oldest, and wakes this thread again
                break
            if message is None:
                return False
            stamped_message = self._stamp(message)
            if stamped_message is None:
                self.dropped[MESSAGES_STALE] += 1
            else:
                self._send(stamped_message)
        return True

    def _send(self, message: Message) -> None:
        name, body = topic(message), encode(message, self._format)
        self._cache.update(name, message, body)
        self._socket.send_multipart([name, body])
        self._on_sent(message)

    def _handle_subscriptions(self) -> None:
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
        for frames in self._cache.matching(prefix):
            self._socket.send_multipart(frames)
        self._socket.setsockopt(zmq.INVERT_MATCHING, 0)

    def close(self) -> None:
        """Send the queued messages and end; subscribers have a second to take them. Raises the thread's error."""
        self._put(None)
        self._thread.join()
        self._wakeup.close()
        self._server.close()
        self._raise_error()


def stamped(message: Message, clock: Clock) -> Message:
    """Return a message with the current time as its publishing time, a prediction with its latency."""
    now_ns = clock.now_ns()
    times = {"mono_publish": now_ns, "t_publish": clock.unix_ns(now_ns)}
    if isinstance(message, BasePrediction):
        latency = msgspec.structs.replace(message.latency_ms, total=(now_ns - message.mono_end) / 1e6)
        return msgspec.structs.replace(message, **times, latency_ms=latency)
    if isinstance(message, CameraPicture):
        return msgspec.structs.replace(message, **times, t_capture=clock.unix_ns(message.mono_capture))
    return msgspec.structs.replace(message, **times)
