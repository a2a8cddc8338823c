"""The subscriber's side: messages as typed structs, in threads or in asyncio."""

import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import zmq

from ..errors import UsageError
from .addresses import DEFAULT_ADDRESS
from .messages import Message
from .received import Place, Received
from .sockets import LONGEST_TOPIC, connect

if TYPE_CHECKING:
    from .keys import ClientKeys

MOST_TAKEN = 1000
"""Waiting messages looked through for the newest; ZeroMQ keeps as many for a subscriber."""


class Subscription:
    """What both subscribers are: a socket and the account of what came."""

    def __init__(
        self,
        address: str = DEFAULT_ADDRESS,
        topic: str = "",
        keys: "ClientKeys | Path | str | None" = None,
        latest: bool = False,
    ) -> None:
        self._received, self._most = Received(latest), MOST_TAKEN if latest else 1
        shown = None
        if keys is not None:  # imported here, since few subscribers have keys
            from .keys import client_keys

            shown = client_keys(keys)
        if (size := len(topic.encode())) > LONGEST_TOPIC:
            raise UsageError(
                f"the topic {topic!r} has {size} bytes, and foal-edge hears of none above {LONGEST_TOPIC}; "
                "topics are emotion.NAME., event.NAME., status.NAME. and stats."
            )
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.SUB)
        self._socket.subscribe(topic)
        try:
            connect(self._socket, address, shown)
        except BaseException:
            self.close()
            raise

    @property
    def missed(self) -> Counter[Place]:
        """How many messages never came, by session and topic."""
        return self._received.missed

    @property
    def skipped(self) -> Counter[Place]:
        """With `latest`: how many were overtaken by a newer one, by session and topic."""
        return self._received.skipped

    def close(self) -> None:
        """Leave."""
        self._context.destroy(linger=0)

    def _next(self) -> Message | None:
        """What is here already."""
        for _ in range(self._most):
            try:
                frames = self._socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                break
            self._received.take(frames)
        return self._received.give()


class Subscriber(Subscription):
    """Iterates over what a running foal-edge publishes.

        with Subscriber(topic="emotion.", latest=True) as messages:
            for message in messages:
                print(message.stream, message.label, message.confidence)

    `topic` is a prefix: `emotion.`, `emotion.cam1.`, `status.`, or nothing for everything. The last message of each
    topic comes at once, the others as they are published; one that comes twice is given once. With `latest`, only the
    newest that waits of each topic is given: whoever is slower than foal-edge stays up to date. `keys` are for a
    foal-edge that runs with some: the folder `hand-out/NAME` that `foal-edge keys` made for this client.
    """

    def receive(self, timeout_s: float | None = None) -> Message | None:
        """The next message; None where none comes within `timeout_s`. FoalError where it is none of ours."""
        deadline = Deadline(timeout_s)
        while (message := self._next()) is None:
            if self._socket.poll(deadline.remaining_ms()) == 0:
                return None
        return message

    def __iter__(self) -> Iterator[Message]:
        """Every message, without end."""
        while (message := self.receive()) is not None:
            yield message

    def __enter__(self) -> "Subscriber":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class AsyncSubscriber(Subscription):
    """`Subscriber` for asyncio.

    async with AsyncSubscriber(topic="event.") as messages:
        async for message in messages:
            print(message.stream, message.label)
    """

    async def receive(self, timeout_s: float | None = None) -> Message | None:
        """The next message; None where none comes within `timeout_s`. FoalError where it is none of ours."""
        from zmq.asyncio import Poller  # here, since it doubles what importing a subscriber takes

        deadline = Deadline(timeout_s)
        poller = Poller()
        poller.register(self._socket, zmq.POLLIN)
        while (message := self._next()) is None:
            if not await poller.poll(deadline.remaining_ms()):
                return None
        return message

    async def __aiter__(self) -> AsyncIterator[Message]:
        """Every message, without end."""
        while (message := await self.receive()) is not None:
            yield message

    async def __aenter__(self) -> "AsyncSubscriber":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()


class Deadline:
    """Time that runs out over several waits; None for never."""

    def __init__(self, timeout_s: float | None) -> None:
        self._end_s = None if timeout_s is None else time.monotonic() + timeout_s

    def remaining_ms(self) -> int | None:
        """As ZeroMQ takes it."""
        return None if self._end_s is None else max(0, round((self._end_s - time.monotonic()) * 1000))
