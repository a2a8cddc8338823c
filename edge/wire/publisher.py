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
from .keys import ServerKeys
from .messages import (
    BasePrediction,
    CameraPicture,
    Message,
    Status,
    WireFormat,
    encode,
    topic,
)
from .publishing_socket import LIMITS, PublishingSocket
from .server_socket import ServerSocket
from .sockets import WakeupPipe

QUEUE_LENGTH = 64
"""Number of messages that wait for the publishing thread; the oldest are dropped beyond it."""
SEND_HIGH_WATER_MARK = 256
"""Number of messages that wait for one slow subscriber; further ones are not sent to it. A new subscriber gets the last
messages of up to 80 streams at once."""
PUT_TIMEOUT_S = 0.1
"""Time between two checks whether the publishing thread still runs, while the queue is full."""


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
        options = PublishingSocket.options(SEND_HIGH_WATER_MARK)
        self._server = ServerSocket(zmq.XPUB, options, LIMITS, keys)
        self._socket = PublishingSocket[Message](self._server.socket)
        self.address = None if address is None else self._server.bind(address, "publish", "--bind")
        """Address with its actual port; None without one."""
        self._queue: queue.Queue[Message | None] = queue.Queue(QUEUE_LENGTH)
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
        return [message for message, _ in self._socket.cache.values()]

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
        poller.register(self._server.socket, zmq.POLLIN)
        poller.register(self._wakeup, zmq.POLLIN)
        try:
            is_open = True
            while is_open:
                poller.poll()
                self._wakeup.drain()
                self._socket.handle_subscriptions()
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
        self._socket.send(topic(message), message, encode(message, self._format))
        if isinstance(message, Status):
            self._socket.forget_people(message.stream, message.people)
        self._on_sent(message)

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
