"""The publishing thread and its ZeroMQ socket."""

import queue
import threading
from collections import Counter
from collections.abc import Callable

import msgspec
import zmq

from .bounded import push
from .clock import Clock
from .errors import PublishError
from .messages import Message, Prediction, WireFormat, encode, topic

DEFAULT_ADDRESS = "tcp://127.0.0.1:5556"
MOST_WAITING = 64
PATIENCE_S = 0.1
LINGER_MS = 1000
"""How long an ending program waits for its last messages to leave."""


class Publisher:
    """Messages go out in order from a thread of their own; when it falls behind, the oldest are dropped.

    `stamp` gives a message its time of publishing, just before it leaves; `on_sent` sees it just after.
    """

    def __init__(
        self,
        address: str,
        wire_format: WireFormat,
        dropped: Counter[str],
        stamp: Callable[[Message], Message],
        on_sent: Callable[[Message], None],
    ) -> None:
        self._format, self._dropped, self._stamp, self._on_sent = wire_format, dropped, stamp, on_sent
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.PUB)
        self._socket.setsockopt(zmq.LINGER, LINGER_MS)
        try:
            self._socket.bind(address)
        except zmq.ZMQError as error:
            self._context.destroy(linger=0)
            remedy = "give another --bind, an address of this machine like tcp://127.0.0.1:5557"
            if error.errno == zmq.EADDRINUSE:
                remedy = f"another foal-edge may run there: end it or {remedy}"
            raise PublishError(f"cannot publish at {address}: {error.strerror}; {remedy}") from error
        self.address = self._socket.getsockopt_string(zmq.LAST_ENDPOINT)
        self._waiting: queue.Queue[Message | None] = queue.Queue(MOST_WAITING)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="publisher")
        self._thread.start()

    def publish(self, message: Message) -> None:
        """Hand a message to the thread; never waits. Raises what broke the thread."""
        self._check()
        self._dropped["messages_queue"] += push(self._waiting, message)

    def publish_each(self, message: Message) -> None:
        """Hand a message to the thread, waiting for room: of a recording that waits itself, nothing is dropped."""
        self._check()
        self._put(message)

    def _put(self, message: Message | None) -> None:
        while self._thread.is_alive():
            try:
                self._waiting.put(message, timeout=PATIENCE_S)
                return
            except queue.Full:
                continue

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            while (message := self._waiting.get()) is not None:
                leaving = self._stamp(message)
                self._socket.send_multipart([topic(leaving), encode(leaving, self._format)])
                self._on_sent(leaving)
        except BaseException as error:  # raised again where messages come from
            self._error = error

    def close(self) -> None:
        """Send what waits, then end; at most a second for subscribers to take it. Raises what broke the thread."""
        self._put(None)
        self._thread.join()
        self._socket.close()
        self._context.term()
        self._check()


def stamped(message: Message, clock: Clock) -> Message:
    """The message with the time of its publishing, and a prediction with the latency that follows from it."""
    now_ns = clock.now_ns()
    times = {"mono_publish": now_ns, "t_publish": clock.unix_ns(now_ns)}
    if isinstance(message, Prediction):
        latency = msgspec.structs.replace(message.latency_ms, total=(now_ns - message.mono_end) / 1e6)
        return msgspec.structs.replace(message, **times, latency_ms=latency)
    return msgspec.structs.replace(message, **times)
