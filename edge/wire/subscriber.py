"""Subscribers: the published messages as typed structs, in threads or in asyncio."""

import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import zmq

from ..errors import UsageError
from .addresses import DEFAULT_ADDRESS
from .messages import Message
from .receive_buffer import ReceiveBuffer
from .sequences import SequenceKey
from .sockets import MAX_TOPIC_BYTES, connect

if TYPE_CHECKING:
    from .keys import ClientKeys

MAX_READ_AHEAD = 1000
"""Number of waiting messages searched for the newest of each topic; ZeroMQ keeps as many for a subscriber."""
MAX_POLL_MS = 500
"""Longest wait in one poll: a signal that comes just before does not interrupt it, and Python handles it afterwards."""


class BaseSubscriber:
    """Socket and receive buffer that both kinds of subscriber share."""

    def __init__(
        self,
        address: str | Sequence[str] = DEFAULT_ADDRESS,
        topic: str = "",
        keys: "ClientKeys | Path | str | None" = None,
        latest: bool = False,
    ) -> None:
        self._buffer, self._read_ahead = ReceiveBuffer(latest), MAX_READ_AHEAD if latest else 1
        client_keys = None
        if keys is not None:
            from .keys import as_client_keys  # here, as few subscribers have keys

            client_keys = as_client_keys(keys)
        if (size := len(topic.encode())) > MAX_TOPIC_BYTES:
            raise UsageError(
                f"the topic {topic!r} has {size} bytes, and foal-edge accepts at most {MAX_TOPIC_BYTES}; "
                "topics are emotion.NAME., person.NAME.N., event.NAME., status.NAME. and stats."
            )
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.SUB)
        self._socket.subscribe(topic)
        try:
            for each in [address] if isinstance(address, str) else address:
                connect(self._socket, each, client_keys)
        except BaseException:
            self.close()
            raise

    @property
    def missed(self) -> Counter[SequenceKey]:
        """Number of messages that never arrived, by session and topic."""
        return self._buffer.missed

    @property
    def skipped(self) -> Counter[SequenceKey]:
        """Number of messages skipped for newer ones, by session and topic; always empty without `latest`."""
        return self._buffer.skipped

    def close(self) -> None:
        """Disconnect and close the socket."""
        self._context.destroy(linger=0)

    def _receive_now(self) -> Message | None:
        for _ in range(self._read_ahead):
            try:
                frames = self._socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                break
            self._buffer.add(frames)
        return self._buffer.pop()


class Subscriber(BaseSubscriber):
    """Subscriber to a running foal-edge: an iterator over the messages that it publishes.

        with suppress(KeyboardInterrupt), Subscriber(topic="emotion.", latest=True) as messages:
            for message in messages:
                print(message.stream, message.label, message.confidence)

    `address` may be several addresses, of proxies of one fleet: what comes from more than one is received once.
    `topic` is a prefix: `emotion.`, `emotion.cam1.`, `person.`, or an empty text for all topics. The last message of
    each topic is received at once, the following ones as they are published; duplicates are removed. With `latest`,
    only the newest waiting message of each topic is returned, so that a slow subscriber stays up to date. `keys` are
    needed if foal-edge runs with keys: the folder `hand-out/NAME` that `foal-edge keys` made for this client.
    """

    def receive(self, timeout_s: float | None = None) -> Message | None:
        """Return the next message; None if none arrives within `timeout_s` seconds (None: wait for ever).

        Raises FoalError if a message is not one of this version of foal-edge.
        """
        deadline = Deadline(timeout_s)
        while (message := self._receive_now()) is None and not deadline.is_over():
            self._socket.poll(deadline.next_poll_ms())
        return message

    def __iter__(self) -> Iterator[Message]:
        """Iterate over all messages, without end: until Ctrl-C raises KeyboardInterrupt."""
        while (message := self.receive()) is not None:
            yield message

    def __enter__(self) -> "Subscriber":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class AsyncSubscriber(BaseSubscriber):
    """Subscriber for asyncio, with the arguments of `Subscriber`.

    async with AsyncSubscriber(topic="event.") as messages:
        async for message in messages:
            print(message.stream, message.label)
    """

    async def receive(self, timeout_s: float | None = None) -> Message | None:
        """Return the next message; None if none arrives within `timeout_s` seconds (None: wait for ever).

        Raises FoalError if a message is not one of this version of foal-edge.
        """
        from zmq.asyncio import Poller  # here, as asyncio would slow the import of every subscriber

        deadline = Deadline(timeout_s)
        poller = Poller()
        poller.register(self._socket, zmq.POLLIN)
        while (message := self._receive_now()) is None and not deadline.is_over():
            await poller.poll(deadline.next_poll_ms())
        return message

    async def __aiter__(self) -> AsyncIterator[Message]:
        """Iterate over all messages, without end."""
        while (message := await self.receive()) is not None:
            yield message

    async def __aenter__(self) -> "AsyncSubscriber":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()


class Deadline:
    """End of a timeout that several waits share; a timeout of None never ends."""

    def __init__(self, timeout_s: float | None) -> None:
        self._end_s = math.inf if timeout_s is None else time.monotonic() + timeout_s

    def is_over(self) -> bool:
        """Return whether the time has passed."""
        return time.monotonic() >= self._end_s

    def next_poll_ms(self) -> int:
        """Return the length of the next wait in milliseconds: what remains, but at most MAX_POLL_MS."""
        return math.ceil(min(MAX_POLL_MS, max(0.0, self._end_s - time.monotonic()) * 1000))
