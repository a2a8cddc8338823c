"""One running foal-edge as its subscriber knows it: its streams, its figures, and whether it is there."""

import asyncio
import time
from typing import Literal

from ..errors import FoalError
from ..wire.keys import ClientKeys
from ..wire.messages import Message, Stats
from ..wire.subscriber import AsyncSubscriber
from .history import StreamHistory

GONE_S = 3.0
"""Silence after which a runtime is taken for gone: it publishes every second."""
MOST_STREAMS = 64
"""Largest number of streams shown of one runtime; further ones are passed over."""
SETTLED_S = 10.0
"""Uptime by which each stream of a session has sent something."""
RETRY_S = 1.0
"""Pause after messages that are none of foal-edge's."""

Presence = Literal["waiting", "live", "gone", "ended"]
"""`waiting`: nothing has been heard yet. `gone`: no message for three seconds. `ended`: stopped in order."""


class Runtime:
    """Running foal-edge at an address, or one that will be there some time."""

    def __init__(self, address: str, keys: ClientKeys | None = None) -> None:
        self.address, self._keys = address, keys
        self.has_keys = keys is not None
        self.streams: dict[str, StreamHistory] = {}
        self.stats: Stats | None = None
        self.heard_s: float | None = None
        """Time of the newest message, as `time.monotonic` of this process; None before the first."""
        self.problem: str | None = None
        """Error in what is received; None where there is none."""
        self._session: str | None = None
        self._unheard: set[str] = set()
        """Streams of earlier sessions that this one has not sent anything of."""

    def add(self, message: Message, now_s: float) -> None:
        """Take a message that was received at a time. Streams that a new session does not have are forgotten."""
        if message.session != self._session:
            self._session, self.stats, self._unheard = message.session, None, set(self.streams)
        self.heard_s, self.problem = now_s, None
        if isinstance(message, Stats):
            self.stats = message
            if message.uptime_s > SETTLED_S:
                while self._unheard:
                    del self.streams[self._unheard.pop()]
            return
        self._unheard.discard(message.stream)
        if message.stream not in self.streams:
            if len(self.streams) >= MOST_STREAMS:
                return
            self.streams[message.stream] = StreamHistory(message.stream)
        self.streams[message.stream].add(message)

    def presence(self, now_s: float) -> Presence:
        """Return whether it is there."""
        if self.heard_s is None:
            return "waiting"
        statuses = [stream.status for stream in self.streams.values()]
        if statuses and all(status is not None and status.state == "stopped" for status in statuses):
            return "ended"
        return "live" if self.silence_s(now_s) < GONE_S else "gone"

    def silence_s(self, now_s: float) -> float:
        """Return the time since the newest message in seconds; 0 before the first."""
        return 0.0 if self.heard_s is None else now_s - self.heard_s

    async def follow(self) -> None:
        """Receive without end. ZeroMQ connects again by itself; messages of something else are told as `problem`."""
        while True:
            try:
                async with AsyncSubscriber(self.address, keys=self._keys) as messages:
                    async for message in messages:
                        self.add(message, time.monotonic())
                        await asyncio.sleep(0)  # a flood must not keep the page waiting
            except FoalError as error:
                self.problem = str(error)
                await asyncio.sleep(RETRY_S)
