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


class Instance:
    """Running foal-edge, one of those whose messages come by one address."""

    def __init__(self) -> None:
        self.session: str | None = None
        self.stats: Stats | None = None
        self.heard_s = 0.0
        """Time of its newest message, as `time.monotonic` of this process."""
        self.streams: set[str] = set()
        """Names of its streams."""
        self.unheard: set[str] = set()
        """Streams of earlier sessions that this one has not sent anything of."""

    def add(self, message: Message, now_s: float) -> None:
        """Take a message that was received at a time."""
        self.heard_s = now_s
        if message.session != self.session:
            self.session, self.stats, self.unheard = message.session, None, set(self.streams)
        if isinstance(message, Stats):
            self.stats = message
        else:
            self.unheard.discard(message.stream)

    def forget_unheard(self) -> set[str]:
        """Forget and return the streams that the session does not have, once it has settled."""
        if self.stats is None or self.stats.uptime_s <= SETTLED_S:
            return set()
        gone, self.unheard = self.unheard, set()
        self.streams -= gone
        return gone


class Runtime:
    """Running foal-edge at an address, or one that will be there some time; or a proxy, with the nodes behind it."""

    def __init__(self, address: str, keys: ClientKeys | None = None) -> None:
        self.address, self._keys = address, keys
        self.has_keys = keys is not None
        self.streams: dict[str, StreamHistory] = {}
        self.nodes: dict[str, Instance] = {}
        """Nodes by their names; a runtime that is no proxy is one with an empty name."""
        self.heard_s: float | None = None
        """Time of the newest message, as `time.monotonic` of this process; None before the first."""
        self.problem: str | None = None
        """Error in what is received; None where there is none."""

    @property
    def stats(self) -> Stats | None:
        """Newest stats of a runtime that is no proxy; None before the first."""
        return self.nodes[""].stats if "" in self.nodes else None

    def add(self, message: Message, now_s: float) -> None:
        """Take a message that was received at a time. Streams that a new session does not have are forgotten."""
        name = message.node.name if message.node else ""
        if name not in self.nodes and len(self.nodes) >= MOST_STREAMS:
            return
        node = self.nodes.setdefault(name, Instance())
        node.add(message, now_s)
        self.heard_s, self.problem = now_s, None
        if isinstance(message, Stats):
            for gone in node.forget_unheard():
                del self.streams[gone]
            return
        if message.stream not in self.streams:
            if len(self.streams) >= MOST_STREAMS:
                return
            self.streams[message.stream] = StreamHistory(message.stream)
            node.streams.add(message.stream)
        self.streams[message.stream].add(message)

    def silent_nodes(self, now_s: float) -> dict[str, float]:
        """Return the time since the newest message, in seconds, of each node that is gone, by its name."""
        silences = {name: now_s - node.heard_s for name, node in self.nodes.items() if name}
        return {name: silence_s for name, silence_s in silences.items() if silence_s >= GONE_S}

    def is_absent(self, stream: str, now_s: float) -> bool:
        """Return whether nothing comes of a stream any more: its node, or all that comes by this address, is gone."""
        gone = self.silent_nodes(now_s)
        return self.presence(now_s) != "live" or any(stream in self.nodes[name].streams for name in gone)

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
