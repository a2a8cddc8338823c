"""Run of a bridge: from a subscriber to the bridge, until a stop; what is lost on the way is said."""

import logging
import threading
import time
from collections.abc import Callable

from ..wire.messages import CameraPicture, Message
from ..wire.subscriber import Subscriber
from .base import Bridge

POLL_S = 0.5
"""Longest wait for a message before the stop is looked at."""
SILENCE_S = 5.0
"""Time without a message after which foal-edge counts as lost: its statuses and stats come every second."""
REPORT_EVERY_S = 10.0
"""Shortest time between two lines about losses."""

log = logging.getLogger(__name__)


class PublisherWatch:
    """Watch over the publisher: says once that it is not heard, and once that it is back."""

    def __init__(self, bridge: Bridge, source: str, now_s: float) -> None:
        self._bridge, self._source = bridge, source
        self._last_s = now_s
        self._heard: bool | None = None
        """True if it is heard; False if it is lost, or if the wait for its first message was complained about."""

    def message_came(self, now_s: float) -> None:
        """Note a message."""
        self._last_s = now_s
        if not self._heard:
            log.info("messages from %s are bridged", self._source)
            self._heard = True
            self._bridge.publisher_back()

    def none_came(self, now_s: float) -> None:
        """Note that no message came by now."""
        if self._heard is not False and now_s - self._last_s >= SILENCE_S:
            log.warning(
                "no message from %s for %g s; is foal-edge running there, and with these --keys? Waiting for it",
                self._source,
                SILENCE_S,
            )
            if self._heard:
                self._bridge.publisher_lost()
            self._heard = False


class NodesWatch:
    """Watch over the nodes behind a proxy: says once of each that it is not heard any more while others are."""

    def __init__(self, bridge: Bridge, now_s: float) -> None:
        self._bridge, self._last_s = bridge, now_s
        self._heard_s: dict[str, float] = {}
        """Time of the newest message of each node that is heard, the one heard of longest ago first."""

    def message_came(self, message: Message, now_s: float) -> None:
        """Note a message, and tell of the nodes that have fallen silent."""
        if now_s - self._last_s >= SILENCE_S:  # the proxy itself was away
            self._heard_s = dict.fromkeys(self._heard_s, now_s)
        self._last_s = now_s
        if message.node is not None:
            self._heard_s.pop(message.node.name, None)
            self._heard_s[message.node.name] = now_s
        while self._heard_s:
            name, heard_s = next(iter(self._heard_s.items()))
            if now_s - heard_s < SILENCE_S:
                break
            del self._heard_s[name]
            log.warning("no message of %s for %g s", name, SILENCE_S)
            self._bridge.node_lost(name)


class LossReport:
    """Report of what is lost: a line where there is more of it, at most every ten seconds."""

    def __init__(self, counts: Callable[[], dict[str, int]]) -> None:
        self._counts = counts
        self._said: dict[str, int] = {}
        self._next_s = 0.0

    def say(self, now_s: float) -> None:
        """Log the losses so far if they have grown."""
        counts = self._counts()
        if counts != self._said and now_s >= self._next_s:
            log.warning("lost so far: %s", describe_losses(counts))
            self._said, self._next_s = counts, now_s + REPORT_EVERY_S


def bridge_messages(
    subscriber: Subscriber,
    bridge: Bridge,
    source: str,
    stop: threading.Event,
    clock_s: Callable[[], float] = time.monotonic,
) -> None:
    """Hand each message of a subscriber to a bridge until the stop, and close the bridge.

    `source` names the addresses for people. Raises FoalError if what is published there is not foal-edge's, or if the
    bridge cannot go on.
    """

    def losses() -> dict[str, int]:
        return {name: n for name, n in {"missed": subscriber.missed.total(), **bridge.dropped}.items() if n}

    watch, report = PublisherWatch(bridge, source, clock_s()), LossReport(losses)
    nodes = NodesWatch(bridge, clock_s())
    bridged = 0
    try:
        while not stop.is_set():
            message: Message | None = subscriber.receive(POLL_S)
            bridge.check()
            if message is None:
                watch.none_came(clock_s())
            else:
                watch.message_came(clock_s())
                nodes.message_came(message, clock_s())
                if not isinstance(message, CameraPicture):  # those are for who subscribes here
                    bridge.send(message)
                    bridged += 1
            report.say(clock_s())
    finally:
        bridge.close()
        log.info("%d messages received; lost: %s", bridged, describe_losses(losses()))


def describe_losses(counts: dict[str, int]) -> str:
    """Return the counts with their names; `nothing` if there are none."""
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "nothing"
