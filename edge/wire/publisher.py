"""The publishing thread and its ZeroMQ socket."""

import queue
import threading
from collections import Counter
from collections.abc import Callable

import msgspec
import zmq

from ..clock import Clock
from ..queues import push
from .drop_reasons import MESSAGES_QUEUE, MESSAGES_STALE
from .guard import Guard, Limits
from .keys import Authenticator, ServerKeys
from .messages import Message, Prediction, WireFormat, encode, topic
from .sockets import LONGEST_TOPIC, WakeupPipe, bind

MOST_WAITING = 64
MOST_UNREAD = 256
"""Messages that wait for one subscriber; further ones pass it by. It has room for the last messages of 80 streams,
which a subscriber gets at once when it joins."""
MOST_JOINS = 100
"""Subscriptions taken before the next messages, so that a storm of them holds nothing up."""
LONGEST_FRAME = 1024
"""Bytes that a subscriber may send at once; its part of the handshake with keys is below 1000."""
LIMITS = Limits(connections=256, burst_bytes=1 << 16, rate_bytes_s=1 << 10)
"""Room for some hundred subscriptions at once, of each subscriber."""
PATIENCE_S = 0.1


class Publisher:
    """Messages go out in order from a thread of their own; when it falls behind, the oldest are dropped.

    Who subscribes gets at once the last message of every topic that matches; where several do so at the same moment,
    one may get it twice, with the same `seq`. Without an address nobody can, and no port is taken; all else is the
    same. `stamp` gives a message its time of publishing, just before it leaves, or None where it tells of another
    moment by then and is dropped; `on_sent` sees it just after. With `keys`, only the clients they name are let in.
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
        """Of all streams, by reason."""
        self._context = zmq.Context()
        self._doorkeeper = Authenticator(self._context, keys) if keys is not None else None
        self._socket = self._context.socket(zmq.XPUB)
        self._socket.setsockopt(zmq.XPUB_MANUAL, 1)
        self._socket.setsockopt(zmq.SNDHWM, MOST_UNREAD)
        self._socket.setsockopt(zmq.MAXMSGSIZE, LONGEST_FRAME)
        self._guard = Guard(self._socket, LIMITS)
        try:
            self.address = None if address is None else bind(self._socket, address, keys, "publish", "--bind")
        except BaseException:
            self._end_context()
            raise
        if self.address is not None:
            self._guard.start(self.address)
        self._waiting: queue.Queue[Message | None] = queue.Queue(MOST_WAITING)
        self._last: dict[bytes, tuple[Message, bytes]] = {}
        self._last_lock = threading.Lock()
        self._waker = WakeupPipe()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Messages that have not left yet."""
        return self._waiting.qsize()

    def last(self) -> list[Message]:
        """The last message of every topic, the oldest first; from any thread."""
        with self._last_lock:
            return [message for message, _ in self._last.values()]

    def publish(self, message: Message) -> None:
        """Hand a message to the thread; never waits. Raises what broke the thread."""
        self._check()
        self.dropped[MESSAGES_QUEUE] += push(self._waiting, message)
        self._waker.wake()

    def publish_each(self, message: Message) -> None:
        """Hand a message to the thread, waiting for room: of a recording that waits itself, nothing is dropped."""
        self._check()
        self._put(message)

    def _put(self, message: Message | None) -> None:
        while self._thread.is_alive():
            try:
                self._waiting.put(message, timeout=PATIENCE_S)
            except queue.Full:
                continue
            self._waker.wake()
            return

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        poller = zmq.Poller()
        poller.register(self._socket, zmq.POLLIN)
        poller.register(self._waker, zmq.POLLIN)
        try:
            is_open = True
            while is_open:
                poller.poll()
                self._waker.hear()
                self._take_subscriptions()
                is_open = self._send_waiting()
        except BaseException as error:  # raised again where messages come from
            self._error = error

    def _send_waiting(self) -> bool:
        """What waits now; false where that was the last."""
        for _ in range(self._waiting.qsize()):
            try:
                message = self._waiting.get_nowait()
            except queue.Empty:  # `push` has made room just now, and wakes the thread again
                break
            if message is None:
                return False
            stamped_now = self._stamp(message)
            if stamped_now is None:
                self.dropped[MESSAGES_STALE] += 1
            else:
                self._send(stamped_now)
        return True

    def _send(self, message: Message) -> None:
        name, body = topic(message), encode(message, self._format)
        with self._last_lock:
            self._last.pop(name, None)
            self._last[name] = message, body
        self._socket.send_multipart([name, body])
        self._on_sent(message)

    def _take_subscriptions(self) -> None:
        for _ in range(MOST_JOINS):
            try:
                change = self._socket.recv(zmq.NOBLOCK)
            except zmq.Again:
                break
            if len(change) > 1 + LONGEST_TOPIC:
                continue
            if change[:1] == b"\x01":
                self._repeat(change[1:])
                self._socket.setsockopt(zmq.SUBSCRIBE, change[1:])
            elif change[:1] == b"\x00":
                self._socket.setsockopt(zmq.UNSUBSCRIBE, change[1:])

    def _repeat(self, prefix: bytes) -> None:
        """The last messages, for one who is about to be subscribed.

        ZeroMQ sends by topic, not by subscriber, and XPUB_MANUAL_LAST_VALUE covers a single message. But one who is
        not subscribed yet is among those that a topic does not match: sent inverted, the messages reach these alone.
        SUB sockets among them that want other topics leave them out; XSUB sockets take them in, as documented.
        """
        self._socket.setsockopt(zmq.INVERT_MATCHING, 1)
        for name, (_, body) in self._last.items():  # changed by this thread alone
            if name.startswith(prefix):
                self._socket.send_multipart([name, body])
        self._socket.setsockopt(zmq.INVERT_MATCHING, 0)

    def close(self) -> None:
        """Send what waits, then end; at most a second for subscribers to take it. Raises what broke the thread."""
        self._put(None)
        self._thread.join()
        self._waker.close()
        self._end_context()
        self._check()

    def _end_context(self) -> None:
        self._guard.close()
        if self._doorkeeper is not None:
            self._doorkeeper.close()
        self._socket.close()
        self._context.term()


def stamped(message: Message, clock: Clock) -> Message:
    """The message with the time of its publishing, and a prediction with the latency that follows from it."""
    now_ns = clock.now_ns()
    times = {"mono_publish": now_ns, "t_publish": clock.unix_ns(now_ns)}
    if isinstance(message, Prediction):
        latency = msgspec.structs.replace(message.latency_ms, total=(now_ns - message.mono_end) / 1e6)
        return msgspec.structs.replace(message, **times, latency_ms=latency)
    return msgspec.structs.replace(message, **times)
