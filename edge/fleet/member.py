"""Member of a fleet: what a proxy knows of one node, and which of its messages are new."""

import logging
from collections import Counter, deque

from ..wire.clock_offset import ClockOffset
from ..wire.control_messages import NodePresence, NodeState
from .naming import NAME_TAKEN, Head, Refused

LOST_S = 3.0
"""Silence after which a node counts as lost: it publishes every second."""
WRONG_CLOCK_NS = 100_000_000
"""Offset of a node's Unix time beyond which its clock is said to be wrong: a fifth of a hop."""
MOST_TOPICS = 1000
"""Number of topics of one node whose last message is kept, those of the newest messages: people come and go."""
MOST_SESSIONS = 8
"""Number of a node's earlier sessions that are remembered, to notice a second node of its name."""

log = logging.getLogger(__name__)


class Member:
    """Node of a fleet. One thread gives it messages; another may set its clock; any may ask for its state."""

    def __init__(self, name: str, address: str = "") -> None:
        self.name, self.address = name, address
        self.session: str | None = None
        """Session whose messages are taken; None before the first."""
        self.heard_s: float | None = None
        """Monotonic time of the newest message, in seconds; None before the first."""
        self.is_lost = False
        """True from a silence that was noticed to the next message."""
        self.clock: ClockOffset | None = None
        """Offset of the node's clocks to this machine; None until it is measured."""
        self.clock_problem: str | None = None
        """Reason why the clocks are not measured, in words; None if they are."""
        self.refused: Counter[str] = Counter()
        """Number of messages that were not forwarded, by reason."""
        self._received = self._repeated = self._missed = 0
        self._delay_ms: float | None = None
        self._sequences: dict[bytes, tuple[str, int]] = {}
        """Session and number of the last message of each topic, the one heard of longest ago first."""
        self._earlier: deque[str] = deque(maxlen=MOST_SESSIONS)
        self._rivals: dict[str, float] = {}
        """Sessions of another node of the name, with the monotonic time at which each was refused last."""

    def check_session(self, session: str, now_s: float) -> bool:
        """Note a message's session; return whether it is a new one. Raises Refused if it is another node's.

        A session that follows another is a restart. One that goes on after another has followed it shows that there are
        two nodes of one name: the first of them keeps it until it is silent.
        """
        is_new = session != self.session
        is_alive = self.heard_s is not None and now_s - self.heard_s < LOST_S
        if is_new and is_alive and session in self._rivals:
            self._rivals[session] = now_s
            raise Refused(NAME_TAKEN)
        if is_new:
            self._take_session(session, now_s, is_alive=is_alive)
        self.heard_s = now_s
        return is_new

    def _take_session(self, session: str, now_s: float, *, is_alive: bool) -> None:
        if not is_alive:
            self._rivals.clear()
            self._earlier.clear()
        elif session in self._earlier and self.session is not None:
            self._earlier.remove(session)
            self._rivals[self.session] = now_s
            log.error(
                "two nodes are called %r, and the messages of the second are refused; give each a name of its own",
                self.name,
            )
        elif self.session is not None:
            self._earlier.append(self.session)
        self.session = session

    def is_repeated(self, topic: bytes, head: Head) -> bool:
        """Return whether a message has come before, and count those that never came before it."""
        session, last_seq = self._sequences.pop(topic, ("", -1))
        is_same = session == head.session
        is_repeated = is_same and head.seq <= last_seq
        self._sequences[topic] = head.session, last_seq if is_repeated else head.seq
        if is_repeated:
            self._repeated += 1
        elif is_same:
            self._missed += head.seq - last_seq - 1
        return is_repeated

    def surplus_topic(self) -> bytes | None:
        """Forget and return the topic that was heard of longest ago, if there are too many."""
        if len(self._sequences) <= MOST_TOPICS:
            return None
        topic = next(iter(self._sequences))
        del self._sequences[topic]
        return topic

    def count_forwarded(self, head: Head, now_ns: int) -> None:
        """Count a message that was forwarded at a time of CLOCK_MONOTONIC, in nanoseconds."""
        self._received += 1
        clock = self.clock
        self._delay_ms = None if clock is None else (now_ns - clock.ours_mono_ns(head.mono_publish)) / 1e6

    def set_clock(self, offset: ClockOffset | None, problem: str | None = None) -> None:
        """Take the offset of the node's clocks, or None to forget it; a clock that becomes wrong or right is said.

        With a `problem`, which kept it from being measured again, the offset stays as it is.
        """
        self.clock_problem = problem
        if problem is not None:
            return
        was_wrong, self.clock = self.has_wrong_clock, offset
        if offset is not None and self.has_wrong_clock and not was_wrong:
            log.warning(
                "the clock of %s is %+.3f s off; its Unix times are wrong, so set it (NTP)", self.name, self.ahead_s
            )
        elif offset is not None and was_wrong and not self.has_wrong_clock:
            log.info("the clock of %s is right again", self.name)

    @property
    def has_wrong_clock(self) -> bool:
        """True if the node's Unix time is off by more than a tenth of a second for certain."""
        return self.clock is not None and abs(self.clock.unix_ns) - self.clock.uncertainty_ns > WRONG_CLOCK_NS

    @property
    def ahead_s(self) -> float:
        """Seconds by which the node's Unix time is ahead of this machine's; 0 until it is measured."""
        return 0.0 if self.clock is None else self.clock.unix_ns / 1e9

    def presence(self, now_s: float) -> NodePresence:
        """Return whether the node is there."""
        if self.heard_s is None:
            return "waiting"
        return "online" if now_s - self.heard_s < LOST_S else "lost"

    def state(self, now_s: float) -> NodeState:
        """Return what is known of the node."""
        clock = self.clock
        return NodeState(
            name=self.name,
            address=self.address,
            state=self.presence(now_s),
            silence_s=None if self.heard_s is None else now_s - self.heard_s,
            received=self._received,
            repeated=self._repeated,
            missed=self._missed,
            refused=dict(self.refused),
            delay_ms=self._delay_ms,
            mono_offset_ns=None if clock is None else clock.mono_ns,
            unix_offset_ns=None if clock is None else clock.unix_ns,
            uncertainty_ns=None if clock is None else clock.uncertainty_ns,
            problem=self._problem(now_s),
        )

    def _problem(self, now_s: float) -> str | None:
        if any(now_s - refused_s < LOST_S for refused_s in list(self._rivals.values())):
            return "two nodes have this name"
        if self.has_wrong_clock:
            return f"its clock is {self.ahead_s:+.3f} s off"
        return self.clock_problem
