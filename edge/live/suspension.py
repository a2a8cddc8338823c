"""Gaps in which this program did not run: it was stopped and continued, or the machine was suspended."""

import logging
import threading

from ..clock import SECOND_NS, Clock
from ..wire.messages import Message, Prediction, Status

TICK_S = 0.25
GAP_NS = SECOND_NS
"""Between two ticks: what was captured or computed before is of another moment. A busy machine delays a tick by a few
tenths."""

log = logging.getLogger(__name__)


class SuspensionWatch:
    """Notices a gap by a thread that ticks: where no tick has come for a second, nothing else has run either.

    Time is measured by CLOCK_BOOTTIME, which goes on while the machine is suspended; CLOCK_MONOTONIC stands still.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock, self._lock, self._over = clock, threading.Lock(), threading.Event()
        self._ticked_ns, self._awake_since_ns = clock.boot_ns(), 0
        self._thread = threading.Thread(target=self._run, name="suspension watch", daemon=True)

    def start(self) -> None:
        """Begin to tick, from now on: opening devices, before that, may take as long as it likes."""
        self._ticked_ns = self._clock.boot_ns()
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def awake_since_ns(self) -> int:
        """The monotonic time at which the last gap ended, 0 where there was none. A tick, from any thread."""
        with self._lock:
            boot_ns = self._clock.boot_ns()
            gap_ns, self._ticked_ns = boot_ns - self._ticked_ns, boot_ns
            if gap_ns > GAP_NS:
                self._awake_since_ns = self._clock.now_ns()
                log.warning("stopped or suspended for %.1f s; what came before counts no more", gap_ns / SECOND_NS)
            return self._awake_since_ns

    def is_stale(self, message: Message) -> bool:
        """Whether a message, not yet stamped, tells as of now what was judged before the last gap.

        Steady states carry the time they hold from, and an end stays one: those are never stale.
        """
        is_momentary = isinstance(message, Prediction) or (isinstance(message, Status) and message.state != "stopped")
        return is_momentary and message.mono_publish < self.awake_since_ns()

    def _run(self) -> None:
        while not self._over.wait(TICK_S):
            self.awake_since_ns()
