"""Forwarding: what a proxy does with each message of a node, from the frames that came to those that are sent."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable

from ..clock import SECOND_NS, Clock
from ..system.logs import RateLimitedLog
from ..wire.clock_offset import ClockOffset
from ..wire.control_messages import NodeState
from ..wire.messages import Node
from ..wire.publishing_socket import PublishingSocket
from .member import LOST_S, Member
from .naming import TOO_MANY_NODES, Received, Refused, add_node, change_node, read, read_people

MOST_NODES = 1000
"""Number of nodes that may connect to one proxy; the messages of further ones are refused."""

STATUS = b"status."
"""Beginning of the topics that tell which people are there."""

log = logging.getLogger(__name__)


class Forwarding:
    """Members of a fleet, and the way of their messages to one socket. One thread hands it messages.

    `session` identifies the proxy. `on_start` is called with the name of each node that is heard for the first time, or
    again after a silence or a restart: its clocks are not known then.
    """

    def __init__(
        self,
        members: Iterable[Member],
        session: str,
        clock: Clock,
        out: PublishingSocket[Member],
        on_start: Callable[[str], None],
        *,
        relays: bool,
    ) -> None:
        self.members = {member.name: member for member in members}
        """Members by their names."""
        self.unnamed: Counter[str] = Counter()
        """Number of messages refused whose node is not known, by reason."""
        self.home: ClockOffset | None = None
        """Offset of the clocks of the proxy that a relay sends to; None until it is measured."""
        self._session, self._clock, self._out, self._on_start, self._relays = session, clock, out, on_start, relays
        self._log = RateLimitedLog(log)

    def states(self) -> list[NodeState]:
        """Return what is known of each node, by name; from any thread."""
        now_s = self._now_s()
        return [member.state(now_s) for _, member in sorted(self.members.copy().items())]

    def take_own(self, name: str, frames: list[bytes]) -> None:
        """Forward a message that a node has published under its own streams, or count it as refused."""
        member = self.members[name]
        try:
            message = read(frames)
            self._note(member, message)
            topic, body = add_node(message, self._field(member))
        except Refused as refused:
            self._refuse(member.refused, name, refused)
        else:
            self._forward(member, message, topic, body)

    def take_named(self, frames: list[bytes]) -> None:
        """Forward a message that a node has sent here under its name, or count it as refused."""
        member: Member | None = None
        try:
            message = read(frames)
            topic, body = change_node(message, self._session)
            assert message.head.node is not None  # or it would have been refused
            member = self._member(message.head.node.name)
            self._note(member, message)
        except Refused as refused:
            counts, name = (self.unnamed, "a node") if member is None else (member.refused, member.name)
            self._refuse(counts, name, refused)
        else:
            offset = offset_in(message.head.node)
            if offset != member.clock:
                member.set_clock(offset)
            self._forward(member, message, topic, body)

    def _member(self, name: str) -> Member:
        if name not in self.members:
            if len(self.members) >= MOST_NODES:
                raise Refused(TOO_MANY_NODES)
            self.members[name] = Member(name)
        return self.members[name]

    def _note(self, member: Member, message: Received) -> None:
        """Note that a node is heard; a silence or another session means that its clocks may be others."""
        is_new = member.check_session(message.head.session, self._now_s())
        if is_new or member.is_lost:
            member.set_clock(None)
            self._on_start(member.name)
        if member.is_lost:
            member.is_lost = False
            log.info("%s is heard again", member.name)
            self._out.repeat(member)

    def _forward(self, member: Member, message: Received, topic: bytes, body: bytes) -> None:
        if member.is_repeated(topic, message.head):
            return
        self._out.send(topic, member, body)
        if topic.startswith(STATUS):
            self._out.forget_people(topic[len(STATUS) : -1].decode(), read_people(body))
        member.count_forwarded(message.head, self._clock.now_ns())
        if (surplus := member.surplus_topic()) is not None:
            self._out.cache.remove(surplus)

    def _field(self, member: Member) -> Node:
        """Return the field that a node's messages carry: its clocks beside those of the machine that publishes."""
        clock, home = member.clock, self.home
        if self._relays:
            clock = clock.beside(home) if clock is not None and home is not None else None
        if clock is None:
            return Node(member.name, self._session, None, None, None)
        return Node(member.name, self._session, clock.mono_ns, clock.unix_ns, clock.uncertainty_ns)

    def _refuse(self, counts: Counter[str], name: str, refused: Refused) -> None:
        counts[refused.reason] += 1
        if counts[refused.reason] == 1:
            self._log(logging.WARNING, "messages of %s are not forwarded: %s", name, refused)

    def look_for_lost(self) -> None:
        """Note which nodes have fallen silent: their last messages are not repeated to new subscribers."""
        now_s = self._now_s()
        for member in self.members.values():
            if not member.is_lost and member.presence(now_s) == "lost":
                member.is_lost = True
                log.warning("%s is lost: nothing has come from it for %g s", member.name, LOST_S)

    def _now_s(self) -> float:
        return self._clock.now_ns() / SECOND_NS


def offset_in(node: Node | None) -> ClockOffset | None:
    """Return the offset that a message carries; None if it was not measured."""
    if node is None or node.mono_offset_ns is None or node.unix_offset_ns is None or node.uncertainty_ns is None:
        return None
    return ClockOffset(node.mono_offset_ns, node.unix_offset_ns, node.uncertainty_ns)
