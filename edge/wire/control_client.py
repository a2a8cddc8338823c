"""Client of the control port."""

import time
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import msgspec
import zmq

from ..errors import FoalError, SourceError
from ..validation import UNREADABLE, explain
from .control_messages import Refusal, Request, write
from .keys import ClientKeys, as_client_keys
from .sockets import connect

TIMEOUT_S = 2.0

T = TypeVar("T")


class ControlClient:
    """Client of a running foal-edge's control port.

    with ControlClient("tcp://127.0.0.1:5557") as control:
        print(control.ask(AskStatus(), StatusReply).streams)
    """

    def __init__(self, address: str, keys: ClientKeys | Path | str | None = None, timeout_s: float = TIMEOUT_S) -> None:
        self._address, self._timeout_s = address, timeout_s
        client_keys = as_client_keys(keys)
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.REQ)
        self._socket.setsockopt(zmq.REQ_RELAXED, 1)  # allow a request after one that was never answered,
        self._socket.setsockopt(zmq.REQ_CORRELATE, 1)  # and ignore a late answer to an earlier request
        try:
            connect(self._socket, address, client_keys)
        except BaseException:
            self.close()
            raise

    def ask(self, request: Request, expected: type[T]) -> T:
        """Send a request and return its reply, decoded as the struct `expected`.

        Raises SourceError if no reply comes within `timeout_s`, FoalError if the request is refused or the reply is not
        one of this version of foal-edge.
        """
        due_s = time.monotonic() + self._timeout_s
        is_sent = self._is_ready(zmq.POLLOUT, due_s)  # never, where the server refuses this client: sending would block
        if is_sent:
            self._socket.send(write(request, "msgpack"))
        if not (is_sent and self._is_ready(zmq.POLLIN, due_s)):
            raise SourceError(
                f"no answer from {self._address} within {self._timeout_s:g} s; is foal-edge running there, "
                "and are these the keys that it expects?"
            )
        body = b"".join(self._socket.recv_multipart())
        try:
            return read(body, expected)
        except UNREADABLE as error:
            reason = f"the answer from {self._address} is not of this version ({explain(error, body, expected)})"
            raise FoalError(f"{reason}; is it foal-edge that answers there?") from error

    def _is_ready(self, event: int, due_s: float) -> bool:
        """Wait for the socket until a monotonic time; return whether it is ready to send or to receive."""
        return self._socket.poll(max(0, round((due_s - time.monotonic()) * 1000)), event) != 0

    def __enter__(self) -> "ControlClient":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Disconnect and close the socket."""
        self._context.destroy(linger=0)


def read(body: bytes, expected: type[T]) -> T:
    """Return a reply in MessagePack, decoded as `expected`. Raises FoalError with the explanation of a refusal."""
    if "error" in msgspec.msgpack.decode(body, type=dict[str, msgspec.Raw]):
        raise FoalError(f"refused: {msgspec.msgpack.decode(body, type=Refusal).error}")
    return msgspec.msgpack.decode(body, type=expected)
