"""Server of the control port: a thread that answers with status, last messages, clock and schema, and may stop."""

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

import zmq

from ..clock import Clock
from ..validation import UNREADABLE
from .control_messages import (
    EXPECTED,
    AskClock,
    AskLast,
    AskSchema,
    AskStatus,
    AskStop,
    ClockReply,
    LastReply,
    NodeState,
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
from .guard import Limits
from .keys import ServerKeys
from .messages import Message, PersonPrediction, Prediction, Stats, Status, SteadyState
from .server_socket import ServerSocket
from .sockets import WakeupPipe

MAX_REQUEST_BYTES = 4096
"""Largest frame of a request; ZeroMQ disconnects a client that sends a larger one."""
HIGH_WATER_MARK = 64
"""Number of requests, and of replies, that wait for one client; further ones are dropped."""
LIMITS = Limits(connections=64, burst_bytes=1 << 20, rate_bytes_s=1 << 10)
"""Limits of the clients; the bytes that each has sent are counted since its last request was read."""

T = TypeVar("T", Prediction, PersonPrediction, SteadyState, Status)

log = logging.getLogger(__name__)


class ControlServer:
    """Server of the control port, which answers one request after the other and survives malformed ones.

    `about` describes the runtime, `last` returns the last message of every topic, `nodes` the nodes of a fleet. The
    event `stop` is set by a request `stop`; None refuses such requests. With `keys`, only the clients that they admit
    are answered. An error names the `option` that gave the address.
    """

    def __init__(
        self,
        address: str,
        about: dict[str, str],
        last: Callable[[], list[Message]],
        clock: Clock,
        stop: threading.Event | None,
        keys: ServerKeys | None = None,
        nodes: Callable[[], list[NodeState]] = list,
        option: str = "--control",
    ) -> None:
        self._about, self._last, self._clock, self._stop, self._nodes = about, last, clock, stop, nodes
        options = {zmq.SNDHWM: HIGH_WATER_MARK, zmq.RCVHWM: HIGH_WATER_MARK, zmq.MAXMSGSIZE: MAX_REQUEST_BYTES}
        self._server = ServerSocket(zmq.ROUTER, options, LIMITS, keys)  # REP would leave malformed requests unanswered
        self._socket = self._server.socket
        self.address = self._server.bind(address, "answer", option, may_be_off=option == "--control")
        """Address with its actual port."""
        self._wakeup = WakeupPipe()
        self._closing = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="control", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        poller = zmq.Poller()
        poller.register(self._socket, zmq.POLLIN)
        poller.register(self._wakeup, zmq.POLLIN)
        try:
            while poller.poll() and not self._closing.is_set():
                parts = self._socket.recv_multipart(copy=False)
                with suppress(zmq.ZMQError):  # old ZeroMQ's peers (ZMTP 1 and 2) have no descriptor here
                    self._server.guard.reset_excess(int(parts[-1].get(zmq.SRCFD)))
                client, *frames = [part.bytes for part in parts]
                # REQ sockets and proxies put an envelope before a request, which ends with an empty frame: send it back
                body_at = frames.index(b"") + 1 if b"" in frames[:-1] else 0
                self._socket.send_multipart([client, *frames[:body_at], self._answer(frames[body_at:])])
        except BaseException as error:  # raised again by `close`
            log.error("the control port has failed: %r", error)
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
                return LastReply(
                    select(Prediction, last, request.stream),
                    select(SteadyState, last, request.stream),
                    select(PersonPrediction, last, request.stream),
                )
            stats = next((message for message in last if isinstance(message, Stats)), None)
            return StatusReply(self._about, select(Status, last, request.stream), stats, self._nodes())
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
        """Stop answering and end the thread. Raises the thread's error."""
        self._closing.set()
        self._wakeup.wake()
        self._thread.join()
        self._wakeup.close()
        self._server.close()
        if self._error is not None:
            raise self._error


def select(kind: type[T], messages: Sequence[Message], stream: str | None) -> list[T]:
    """Return the messages of one type, of one stream or of all streams (None)."""
    return [message for message in messages if isinstance(message, kind) and stream in (None, message.stream)]
