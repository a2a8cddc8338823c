"""Supervision of the loop from turn to turn: the hop that the machine sustains, its figures, and signs of life."""

import itertools
import logging
from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from ..clock import SECOND_NS, Clock
from ..service.systemd import SystemdNotifier
from ..wire.drop_reasons import DROP_REASONS, OVERLOAD
from ..wire.messages import SCHEMA, Message, Stats
from .hop_control import HopControl
from .inbox import Inbox
from .stream_runner import StreamRunner

STATS_NS = SECOND_NS
"""Distance between two `stats.` messages."""

log = logging.getLogger(__name__)


class Outlet(Protocol):
    """Receiver of a loop's messages: a `Publisher`, or what stands in for one."""

    @property
    def dropped(self) -> Counter[str]:
        """Number of messages dropped, of all streams, by drop reason."""
        ...

    @property
    def waiting(self) -> int:
        """Number of messages that wait to be sent."""
        ...

    def publish(self, message: Message) -> None:
        """Take a message without waiting."""
        ...


class Supervisor:
    """Supervisor of one loop: measures its load; once a second publishes `stats.` and sets the hop."""

    def __init__(
        self,
        session: str,
        hop_control: HopControl,
        inbox: Inbox,
        publisher: Outlet,
        streams: Sequence[StreamRunner],
        notifier: SystemdNotifier,
        clock: Clock,
    ) -> None:
        self._session, self._hop_control, self._inbox, self._publisher = session, hop_control, inbox, publisher
        self._reporters = [stream.reporter for stream in streams]
        self._notifier, self._clock = notifier, clock
        self._numbers = itertools.count()
        self._begin_ns = self._stats_ns = clock.now_ns()
        self._worked_ns = 0

    @property
    def hop_ns(self) -> int:
        """Distance between predictions from now on."""
        return self._hop_control.hop_ns

    def dropped(self) -> list[dict[str, int]]:
        """Return, for each stream, what was dropped outside the loop since the start, by reason."""
        return [{**counted, **self._publisher.dropped} for counted in self._inbox.dropped]

    def turn(self, started_ns: int, ended_ns: int) -> None:
        """Take note that the loop has worked from `started_ns` to `ended_ns`."""
        self._worked_ns += ended_ns - started_ns
        self._notifier.alive(ended_ns)
        since_ns = ended_ns - self._stats_ns
        if since_ns < STATS_NS:
            return
        busy = min(1.0, self._worked_ns / since_ns)
        self._stats_ns, self._worked_ns = ended_ns, 0
        dropped = self._all_dropped()
        if self._hop_control.update(ended_ns, busy, sum(dropped[reason] for reason in OVERLOAD)):
            log.warning("predicting every %.2f s from here on, which this machine sustains", self.hop_ns / SECOND_NS)
        self._publisher.publish(self._make_stats(ended_ns, busy, dropped))

    def _all_dropped(self) -> dict[str, int]:
        counters = [
            *self._inbox.dropped,
            *(reporter.drops.counts for reporter in self._reporters),
            self._publisher.dropped,
        ]
        return {reason: sum(counter[reason] for counter in counters) for reason in DROP_REASONS}

    def _make_stats(self, now_ns: int, busy: float, dropped: dict[str, int]) -> Message:
        return Stats(
            schema=SCHEMA,
            session=self._session,
            seq=next(self._numbers),
            t_publish=self._clock.unix_ns(now_ns),
            mono_publish=now_ns,
            uptime_s=(now_ns - self._begin_ns) / SECOND_NS,
            hop_s=self.hop_ns / SECOND_NS,
            busy=busy,
            predictions=sum(reporter.predictions for reporter in self._reporters),
            queues={**self._inbox.waiting(), "messages": self._publisher.waiting},
            dropped=dropped,
        )
