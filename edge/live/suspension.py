"""Gaps in which this program did not run: a stop and continuation, or a suspension of the machine."""

import logging
import threading

from ..clock import SECOND_NS, Clock
from ..wire.messages import BasePrediction, CameraPicture, Message, Status

TICK_S = 0.25
GAP_NS = SECOND_NS
"""Distance between two ticks that counts as a gap. A busy machine delays a tick by a few tenths of a second."""

log = logging.getLogger(__name__)


class SuspensionWatch:
    """Detector of gaps by a thread that ticks: where no tick has come for a second, nothing else has run either.

    Time is measured by CLOCK_BOOTTIME, which goes on while the machine is suspended; CLOCK_MONOTONIC stands still.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock, self._lock, self._over = clock, threading.Lock(), threading.Event()
        self._ticked_ns, self._awake_since_ns = clock.boot_ns(), 0
        self._thread = threading.Thread(target=self._run, name="suspension watch", daemon=True)

    def start(self) -> None:
        """Start to tick. Whatever takes long before that, such as opening devices, is no gap."""
        self._ticked_ns = self._clock.boot_ns()
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def awake_since_ns(self) -> int:
        """Tick, from any thread; return the monotonic time at which the last gap ended, 0 if there was none."""
        with self._lock:
            boot_ns = self._clock.boot_ns()
            gap_ns, self._ticked_ns = boot_ns - self._ticked_ns, boot_ns
            if gap_ns > GAP_NS:
                self._awake_since_ns = self._clock.now_ns()
                log.warning("stopped or suspended for %.1f s; what came before counts no more", gap_ns / SECOND_NS)
            return self._awake_since_ns

    def is_stale(self, message: Message) -> bool:
        """Return whether a message, not yet stamped, would state as current what was judged before the last gap.

        Steady states carry the time they hold from, and an end stays one: those are never stale.
        """
        is_momentary = isinstance(message, BasePrediction | CameraPicture) or (
            isinstance(message, Status) and message.state != "stopped"
        )
        return is_momentary and message.mono_publish < self.awake_since_ns()

    def _run(self) -> None:
        while not self._over.wait(TICK_S):
            self.awake_since_ns()
