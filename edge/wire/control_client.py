"""The asking side of the control port."""

from pathlib import Path
from types import TracebackType
from typing import TypeVar

import msgspec
import zmq

from ..errors import FoalError, SourceError
from ..validation import UNREADABLE, explain
from .control_messages import Refusal, Request, write
from .keys import ClientKeys, client_keys
from .sockets import connect

TIMEOUT_S = 2.0

T = TypeVar("T")


class ControlClient:
    """Asks a running foal-edge.

        with ControlClient("tcp://127.0.0.1:5557") as control:
            print(control.ask(AskStatus(), StatusReply).streams)

    SourceError where nothing answers within `timeout_s`.
    """

    def __init__(self, address: str, keys: ClientKeys | Path | str | None = None, timeout_s: float = TIMEOUT_S) -> None:
        self._address, self._timeout_s = address, timeout_s
        shown = client_keys(keys)
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.REQ)
        self._socket.setsockopt(zmq.REQ_RELAXED, 1)  # it may ask again after an answer that never came,
        self._socket.setsockopt(zmq.REQ_CORRELATE, 1)  # and does not take that one, late, for the new one
        try:
            connect(self._socket, address, shown)
        except BaseException:
            self.close()
            raise

    def ask(self, request: Request, expected: type[T]) -> T:
        """The reply, as the struct it is to be. FoalError where it is a refusal or none of ours."""
        self._socket.send(write(request, "msgpack"))
        if self._socket.poll(round(self._timeout_s * 1000)) == 0:
            raise SourceError(
                f"no answer from {self._address} within {self._timeout_s:g} s; is foal-edge running there, "
                "and are these the keys it wants?"
            )
        body = b"".join(self._socket.recv_multipart())
        try:
            return read(body, expected)
        except UNREADABLE as error:
            reason = f"the answer from {self._address} is not of this version ({explain(error, body, expected)})"
            raise FoalError(f"{reason}; is it foal-edge's control port there?") from error

    def __enter__(self) -> "ControlClient":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Leave."""
        self._context.destroy(linger=0)


def read(body: bytes, expected: type[T]) -> T:
    """A reply in MessagePack; FoalError with what a refusal says."""
    if "error" in msgspec.msgpack.decode(body, type=dict[str, msgspec.Raw]):
        raise FoalError(f"refused: {msgspec.msgpack.decode(body, type=Refusal).error}")
    return msgspec.msgpack.decode(body, type=expected)
