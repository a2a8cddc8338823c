"""What looks after the loop from turn to turn: the hop that it sustains, its figures, and the sign that it lives."""

import itertools
import logging

from ..clock import SECOND_NS, Clock
from ..service.systemd import SystemdNotifier
from ..wire.drop_reasons import DROP_REASONS, OVERLOAD
from ..wire.messages import SCHEMA, Message, Stats
from ..wire.publisher import Publisher
from .hop_control import HopControl
from .inbox import Inbox
from .reporter import Reporter

EVERY_NS = SECOND_NS

log = logging.getLogger(__name__)


class Supervisor:
    """Counts the loop's work; once a second it publishes `stats.` and sets the pace."""

    def __init__(
        self,
        session: str,
        pace: HopControl,
        inbox: Inbox,
        publisher: Publisher,
        reporters: list[Reporter],
        notifier: SystemdNotifier,
        clock: Clock,
    ) -> None:
        self._session, self._pace, self._inbox, self._publisher = session, pace, inbox, publisher
        self._reporters, self._notifier, self._clock = reporters, notifier, clock
        self._numbers = itertools.count()
        self._begin_ns = self._looked_ns = clock.now_ns()
        self._worked_ns = 0

    @property
    def hop_ns(self) -> int:
        """Nanoseconds between predictions from here on."""
        return self._pace.hop_ns

    def dropped(self) -> list[dict[str, int]]:
        """A stream each: what was dropped outside the loop, since the start, by reason."""
        return [{**counted, **self._publisher.dropped} for counted in self._inbox.dropped]

    def turn(self, started_ns: int, ended_ns: int) -> None:
        """The loop has worked from `started_ns` to `ended_ns`."""
        self._worked_ns += ended_ns - started_ns
        self._notifier.alive(ended_ns)
        since_ns = ended_ns - self._looked_ns
        if since_ns < EVERY_NS:
            return
        busy = min(1.0, self._worked_ns / since_ns)
        self._looked_ns, self._worked_ns = ended_ns, 0
        dropped = self._all_dropped()
        if self._pace.update(ended_ns, busy, sum(dropped[reason] for reason in OVERLOAD)):
            log.warning("predicting every %.2f s from here on, which this machine sustains", self.hop_ns / SECOND_NS)
        self._publisher.publish(self._stats(ended_ns, busy, dropped))

    def _all_dropped(self) -> dict[str, int]:
        counters = [*self._inbox.dropped, *(reporter.dropped for reporter in self._reporters), self._publisher.dropped]
        return {reason: sum(counter[reason] for counter in counters) for reason in DROP_REASONS}

    def _stats(self, now_ns: int, busy: float, dropped: dict[str, int]) -> Message:
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
