"""The control port: a thread that answers what runs, what was said last, the clock and the schema, and may stop it."""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

import zmq

from ..clock import Clock
from ..errors import UsageError
from ..validation import UNREADABLE
from .addresses import AUTO, LARGEST_PORT, OFF
from .control_messages import (
    EXPECTED,
    AskClock,
    AskLast,
    AskSchema,
    AskStatus,
    AskStop,
    ClockReply,
    LastReply,
    Refusal,
    Reply,
    StatusReply,
    StopReply,
    explain_request,
    format_of,
    read_request,
    write,
    written_schema,
)
from .guard import Guard, Limits
from .keys import Authenticator, ServerKeys
from .messages import Message, Prediction, Stats, Status, SteadyState
from .sockets import WakeupPipe, bind

LONGEST_REQUEST = 4096
"""Bytes in a frame; whoever sends more is disconnected."""
MOST_UNREAD = 64
"""Requests, and replies, that wait for one client; further ones are dropped."""
LIMITS = Limits(connections=64, burst_bytes=1 << 20, rate_bytes_s=1 << 10)
"""Of each client, what it sent since its last request was read."""

T = TypeVar("T", Prediction, SteadyState, Status)

log = logging.getLogger(__name__)


class Control:
    """Answers one request after the other; whatever comes, it goes on.

    `about` says what runs, `last` gives the last message of every topic. `stop` is set where somebody asks for the
    end; None where that is not allowed.
    """

    def __init__(
        self,
        address: str,
        about: dict[str, str],
        last: Callable[[], list[Message]],
        clock: Clock,
        stop: threading.Event | None,
        keys: ServerKeys | None = None,
    ) -> None:
        self._about, self._last, self._clock, self._stop = about, last, clock, stop
        self._context = zmq.Context()
        self._doorkeeper = Authenticator(self._context, keys) if keys is not None else None
        self._socket = self._context.socket(zmq.ROUTER)  # a REP socket says nothing to what it does not understand
        self._socket.setsockopt(zmq.SNDHWM, MOST_UNREAD)
        self._socket.setsockopt(zmq.RCVHWM, MOST_UNREAD)
        self._socket.setsockopt(zmq.MAXMSGSIZE, LONGEST_REQUEST)
        self._guard = Guard(self._socket, LIMITS)
        try:
            self.address = bind(self._socket, address, keys, "answer", "--control")
        except BaseException:
            self._end_context()
            raise
        self._guard.start(self.address)
        self._waker = WakeupPipe()
        self._closing = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="control", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        poller = zmq.Poller()
        poller.register(self._socket, zmq.POLLIN)
        poller.register(self._waker, zmq.POLLIN)
        try:
            while poller.poll() and not self._closing.is_set():
                received = self._socket.recv_multipart(copy=False)
                self._guard.forgive(int(received[-1].get(zmq.SRCFD)))
                client, *frames = [frame.bytes for frame in received]
                # What a REQ socket and those on the way put before a request ends with an empty frame, and comes back
                begin = frames.index(b"") + 1 if b"" in frames[:-1] else 0
                self._socket.send_multipart([client, *frames[:begin], self._answer(frames[begin:])])
        except BaseException as error:  # raised again by `close`
            log.error("the control port has ended: %r", error)
            self._error = error

    def _answer(self, frames: Sequence[bytes]) -> bytes:
        received_ns = self._clock.now_ns()
        body = frames[0] if len(frames) == 1 else b""
        reply: Reply
        try:
            request = read_request(body)
            if isinstance(request, AskSchema):
                return written_schema(format_of(body))
            reply = self._reply(request, received_ns)
        except UNREADABLE as error:
            found = explain_request(error, body) if len(frames) == 1 else f"{len(frames)} frames"
            reply = Refusal(f"{found}; {EXPECTED}")
        return write(reply, format_of(body))

    def _reply(self, request: AskStatus | AskLast | AskClock | AskStop, received_ns: int) -> Reply:
        if isinstance(request, AskStatus | AskLast):
            last = self._last()
            streams = sorted({message.stream for message in last if not isinstance(message, Stats)})
            if request.stream is not None and request.stream not in streams:
                return Refusal(f"no stream {request.stream!r}; there are: {', '.join(streams) or 'none yet'}")
            if isinstance(request, AskLast):
                return LastReply(of(Prediction, last, request.stream), of(SteadyState, last, request.stream))
            stats = next((message for message in last if isinstance(message, Stats)), None)
            return StatusReply(self._about, of(Status, last, request.stream), stats)
        if isinstance(request, AskClock):
            now_ns = self._clock.now_ns()
            return ClockReply(received_ns, now_ns, self._clock.unix_ns(now_ns))
        if self._stop is None:
            return Refusal(
                "this foal-edge may not be stopped from here; start it with --allow-stop, or send it SIGTERM"
            )
        self._stop.set()
        return StopReply(stopping=True)

    def close(self) -> None:
        """Answer no more. Raises what broke the thread."""
        self._closing.set()
        self._waker.wake()
        self._thread.join()
        self._waker.close()
        self._end_context()
        if self._error is not None:
            raise self._error

    def _end_context(self) -> None:
        self._guard.close()
        if self._doorkeeper is not None:
            self._doorkeeper.close()
        self._socket.close()
        self._context.term()


def of(kind: type[T], messages: Sequence[Message], stream: str | None) -> list[T]:
    """The messages of a kind, of one stream or, where it is None, of all."""
    return [message for message in messages if isinstance(message, kind) and stream in (None, message.stream)]


def control_address(bind: str | None, wanted: str) -> str | None:
    """Where to answer: `auto` beside where it publishes, if anywhere, `off` nowhere (None), or the address itself."""
    if wanted != AUTO:
        return None if wanted == OFF else wanted
    if bind is None:
        return None
    transport, _, rest = bind.partition("://")
    if transport == "ipc":
        return bind if rest == "*" else f"{bind}.control"
    host, _, port = rest.rpartition(":")
    if port in ("*", "0"):
        return f"{transport}://{host}:*"
    if int(port) < LARGEST_PORT:
        return f"{transport}://{host}:{int(port) + 1}"
    raise UsageError(f"there is no address beside {bind} for the control port; give --control ADDRESS or --control off")
