"""The subscriber's side: messages as typed structs."""

from collections.abc import Iterator
from types import TracebackType

import msgspec
import zmq

from .errors import FoalError, UsageError
from .messages import Message, decode
from .publisher import DEFAULT_ADDRESS


class Subscriber:
    """Iterates over what a running foal-edge publishes.

        with Subscriber() as messages:
            for message in messages:
                ...

    `topic` is a prefix: `emotion.`, `emotion.cam1.`, `status.`, or nothing for everything.
    """

    def __init__(self, address: str = DEFAULT_ADDRESS, topic: str = "") -> None:
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.SUB)
        self._socket.subscribe(topic)
        try:
            self._socket.connect(address)
        except zmq.ZMQError as error:
            self._context.destroy(linger=0)
            reason = f"no such address: {address} ({error.strerror})"
            raise UsageError(f"{reason}; give one like {DEFAULT_ADDRESS}") from error

    def receive(self, timeout_s: float | None = None) -> Message | None:
        """The next message; None where none comes within `timeout_s`. FoalError where it is none of ours."""
        if self._socket.poll(None if timeout_s is None else round(timeout_s * 1000)) == 0:
            return None
        topic, *parts = self._socket.recv_multipart()
        try:
            return decode(b"".join(parts))
        except msgspec.MsgspecError as error:
            reason = f"a message on {topic!r} is not of this version ({error})"
            raise FoalError(f"{reason}; is it foal-edge there?") from error

    def __iter__(self) -> Iterator[Message]:
        """Every message, without end."""
        while (message := self.receive()) is not None:
            yield message

    def __enter__(self) -> "Subscriber":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Leave."""
        self._context.destroy(linger=0)
