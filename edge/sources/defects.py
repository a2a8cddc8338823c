"""Remarks on what is wrong with one source: said once a kind, with their time, and counted."""

import logging
from collections import Counter
from collections.abc import Callable

from ..clock import SECOND_NS

TORN, GAP, JUMP, CANCELLED = "torn", "gap", "jump", "cancelled"
"""Kinds of trouble with a recording for which nothing is left out; the others are drop reasons."""

log = logging.getLogger(__name__)


class Defects:
    """Says each kind of trouble the first time that it is met, and counts what was left out for it in `dropped`."""

    def __init__(
        self, name: str, dropped: Counter[str] | None = None, say: Callable[[str], None] | None = None
    ) -> None:
        self.name = name
        self.dropped = Counter[str]() if dropped is None else dropped
        self._say = say or log.warning
        self._said: set[str] = set()

    def say(self, kind: str, time_ns: int | None, text: str) -> None:
        """Say what is the matter at a time, None where there is none; nothing where the kind has been said."""
        if kind not in self._said:
            self._said.add(kind)
            when = "" if time_ns is None else f" at {time_ns / SECOND_NS:.2f} s"
            self._say(f"{self.name}{when}: {text}")

    def has_said(self, kind: str) -> bool:
        """Whether something of that kind was met."""
        return kind in self._said

    def count(self, reason: str, number: int = 1) -> None:
        """Count what was left out."""
        self.dropped[reason] += number
