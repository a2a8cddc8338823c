"""Listener: a subscriber in a thread, which notes for each message when it came and how long that took."""

import threading
import time
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from edge.wire.subscriber import Subscriber

POLL_S = 0.2


class Arrival(NamedTuple):
    """Message that came."""

    at_s: float
    """Monotonic time at which it came, in seconds."""
    node: str
    delay_ms: float | None
    """Time since it was published, in milliseconds; None where the node's clocks are not known."""


class Listener:
    """Subscriber to one proxy, or to several of one fleet."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self.arrivals: list[Arrival] = []
        """Messages in the order in which they came."""
        self._subscriber, self._closing = Subscriber(addresses), threading.Event()
        self._thread = threading.Thread(target=self._run, name="listener", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._closing.is_set():
            message = self._subscriber.receive(POLL_S)
            if message is not None and message.node is not None:
                now_ns, offset_ns = time.monotonic_ns(), message.node.mono_offset_ns
                delay_ms = None if offset_ns is None else (now_ns - message.mono_publish + offset_ns) / 1e6
                self.arrivals.append(Arrival(now_ns / 1e9, message.node.name, delay_ms))

    def missed(self) -> Counter[str]:
        """Return the number of messages that never came, by node."""
        counts: Counter[str] = Counter()
        for (_, topic), count in self._subscriber.missed.copy().items():
            counts[topic.split(".")[1].split("/")[0]] += count
        return counts

    def close(self) -> None:
        """End the thread."""
        self._closing.set()
        self._thread.join()
        self._subscriber.close()
