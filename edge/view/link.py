"""Link to one address: what comes from there, and whether anything does."""

import asyncio
import time
from collections.abc import Callable

from ..errors import FoalError
from ..wire.keys import ClientKeys
from ..wire.messages import Message
from ..wire.subscriber import AsyncSubscriber

RETRY_S = 1.0
"""Pause after messages that are none of foal-edge's."""


class Link:
    """Subscription to a running foal-edge or a proxy at an address, or to one that will be there some time."""

    def __init__(self, address: str, keys: ClientKeys | None = None) -> None:
        self.address, self._keys = address, keys
        self.has_keys = keys is not None
        self.heard_s: float | None = None
        """Time of the newest message, as `time.monotonic` of this process; None before the first."""
        self.problem: str | None = None
        """Error in what is received; None where there is none."""

    async def follow(self, take: Callable[["Link", Message, float], None]) -> None:
        """Hand over what comes, with its time, without end; messages of something else are told as `problem`.

        ZeroMQ connects again by itself.
        """
        while True:
            try:
                async with AsyncSubscriber(self.address, keys=self._keys) as messages:
                    async for message in messages:
                        self.heard_s, self.problem = time.monotonic(), None
                        take(self, message, self.heard_s)
                        await asyncio.sleep(0)  # a flood must not keep the page waiting
            except FoalError as error:
                self.problem = str(error)
                await asyncio.sleep(RETRY_S)
