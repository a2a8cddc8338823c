"""Watch over another machine's clocks: a thread that measures their offset again and again."""

import logging
import threading
from collections.abc import Callable

from ..errors import FoalError
from ..wire.clock_offset import ClockOffset, estimate_offset
from .addresses import Peer

MEASURE_EVERY_S = 30.0
"""Time between two measurements: clocks drift, by up to 1.5 ms meanwhile (50 ppm)."""
RETRY_S = 3.0
"""Time after which a measurement that failed is tried again."""

log = logging.getLogger(__name__)


class ClockWatch:
    """Thread that measures the clocks at a control port, and hands over each offset, or None with the reason.

    One thread a machine, so that one that does not answer delays no other's.
    """

    def __init__(
        self,
        name: str,
        peer: Peer,
        on_offset: Callable[[ClockOffset | None, str | None], None],
        measure: Callable[[Peer], ClockOffset] | None = None,
        every_s: float = MEASURE_EVERY_S,
    ) -> None:
        self._peer, self._on_offset, self._measure, self._every_s = peer, on_offset, measure or offset_of, every_s
        self._due, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"clock of {name}", daemon=True)
        self._thread.start()

    def measure_now(self) -> None:
        """Measure at once: the machine may have been started anew. From any thread."""
        self._due.set()

    def _run(self) -> None:
        wait_s: float | None = None  # until a first message: nothing is asked of a machine that is not there
        while not (self._due.wait(wait_s) and self._closing.is_set()):
            self._due.clear()
            try:
                self._on_offset(self._measure(self._peer), None)
                wait_s = self._every_s
            except FoalError as error:
                log.debug("%s", error)
                self._on_offset(None, f"its clocks are not measured ({error})")
                wait_s = RETRY_S

    def close(self) -> None:
        """End the thread, once a measurement that is under way has ended."""
        self._closing.set()
        self._due.set()
        self._thread.join()


def offset_of(peer: Peer) -> ClockOffset:
    """Return the offset measured at a peer's control port."""
    assert peer.control is not None  # watched only where there is one
    return estimate_offset(peer.control, keys=peer.keys)
