"""One running foal-edge as its subscriber knows it: its streams, its figures, and whether it is there."""

from typing import Literal

from ..wire.messages import Message, Stats, topic
from ..wire.sequences import Sequences
from .history import StreamHistory
from .link import Link

GONE_S = 3.0
"""Silence after which a runtime is taken for gone: it publishes every second."""
MOST_STREAMS = 64
"""Largest number of streams shown of one runtime; further ones are passed over."""
SETTLED_S = 10.0
"""Uptime by which each stream of a session has sent something."""

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
    """Running foal-edge, or one that will be there some time; or the proxies of a fleet, with the nodes behind them."""

    def __init__(self, link: Link) -> None:
        self.links = [link]
        """Links by which its messages come: one, or those to several proxies."""
        self.streams: dict[str, StreamHistory] = {}
        self.nodes: dict[str, Instance] = {}
        """Nodes by their names; a runtime that is no proxy is one with an empty name."""
        self.heard_s: float | None = None
        """Time of the newest message, as `time.monotonic` of this process; None before the first."""
        self._sequences = Sequences()

    @property
    def address(self) -> str:
        """Address, or addresses of several proxies, for people."""
        return " and ".join(link.address for link in self.links)

    @property
    def has_keys(self) -> bool:
        """True if keys are used."""
        return any(link.has_keys for link in self.links)

    @property
    def problem(self) -> str | None:
        """Error in what is received; None where there is none."""
        return next((link.problem for link in self.links if link.problem), None)

    @property
    def stats(self) -> Stats | None:
        """Newest stats of a runtime that is no proxy; None before the first."""
        return self.nodes[""].stats if "" in self.nodes else None

    def add(self, message: Message, now_s: float) -> None:
        """Take a message that was received at a time; of several proxies the first one that brings it counts.

        Streams that a new session does not have are forgotten.
        """
        self.heard_s = now_s
        is_new = self._sequences.is_new((message.session, topic(message).decode()), message.seq)
        if len(self.links) > 1 and not is_new:
            return
        name = message.node.name if message.node else ""
        if name not in self.nodes and len(self.nodes) >= MOST_STREAMS:
            return
        node = self.nodes.setdefault(name, Instance())
        node.add(message, now_s)
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

    def has_session_of(self, message: Message) -> bool:
        """Return whether it has the node of a message, in the same session."""
        node = self.nodes.get(message.node.name) if message.node else None
        return node is not None and node.session == message.session

    def join(self, other: "Runtime") -> None:
        """Take over the links of another runtime, and the nodes that this one does not have."""
        self.links += other.links
        for name in other.nodes.keys() - self.nodes.keys():
            self.nodes[name] = other.nodes[name]
            self.streams.update({stream: other.streams[stream] for stream in other.nodes[name].streams})

    def silent_links(self, now_s: float) -> dict[str, float]:
        """Return the time since the newest message, in seconds, of each of several proxies that is gone, by address."""
        silences = {link.address: now_s - (link.heard_s or 0.0) for link in self.links if len(self.links) > 1}
        return {address: silence_s for address, silence_s in silences.items() if silence_s >= GONE_S}

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
