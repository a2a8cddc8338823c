"""Defects of one source: each kind is logged once, with its time, and whatever is left out is counted."""

import logging
from collections import Counter
from collections.abc import Callable

from ..clock import SECOND_NS

TRUNCATED, GAP, CLOCK_JUMP, CHANNELS_CANCEL = "truncated", "gap", "clock_jump", "channels_cancel"
"""Kinds of defects for which nothing is left out; the other kinds are drop reasons."""

log = logging.getLogger(__name__)


class Defects:
    """Log of one source's defects: warns of each kind the first time, and counts what is left out in `dropped`."""

    def __init__(
        self, name: str, dropped: Counter[str] | None = None, warn: Callable[[str], None] | None = None
    ) -> None:
        self.name = name
        self.dropped = Counter[str]() if dropped is None else dropped
        self._warn = warn or log.warning
        self._reported: set[str] = set()

    def report(self, kind: str, time_ns: int | None, text: str) -> None:
        """Warn of a defect at a time (None: at no particular time), unless its kind has been reported before."""
        if kind not in self._reported:
            self._reported.add(kind)
            when = "" if time_ns is None else f" at {time_ns / SECOND_NS:.2f} s"
            self._warn(f"{self.name}{when}: {text}")

    def has_reported(self, kind: str) -> bool:
        """Return whether a defect of this kind was met."""
        return kind in self._reported

    def count(self, reason: str, number: int = 1) -> None:
        """Count samples or packets that were left out, by drop reason."""
        self.dropped[reason] += number
