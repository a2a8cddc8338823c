"""Choice of the person whom a stream's own messages are about: the one who speaks, else the largest."""

from collections.abc import Sequence

from ..clock import SECOND_NS
from .window import Window

SPEAKS_FOR_NS = SECOND_NS
"""Time for which another person has to speak, and the main one not, before they become the main person."""
LARGER_FOR_NS = 2 * SECOND_NS
"""Time for which another face has to be larger, where nobody speaks."""
LARGER = 1.5
"""Ratio of areas from which on a face is larger: a step forward, and no nod."""


class MainPerson:
    """Main person of a stream, who changes only for a reason that lasts."""

    def __init__(self) -> None:
        self.person: int | None = None
        """Number of the main person; None where there is nobody."""
        self._rival: int | None = None
        self._rival_since_ns = 0

    def choose(self, windows: Sequence[Window]) -> Window:
        """Return the window of the main person, out of those of the people there, or the only one."""
        by_number = {window.person: window for window in windows}
        if self.person not in by_number:
            self.person, self._rival = first_choice(windows), None
        main = by_number[self.person]
        rival, lasts_ns = challenger(main, windows)
        if rival != self._rival:
            self._rival, self._rival_since_ns = rival, main.end_ns
        elif rival is not None and main.end_ns - self._rival_since_ns >= lasts_ns:
            self.person, self._rival = rival, None
        return by_number[self.person]


def first_choice(windows: Sequence[Window]) -> int | None:
    """Return the number of the person who speaks, else of the largest."""
    return min(windows, key=lambda window: (window.speaker != window.person, -area(window))).person


def challenger(main: Window, windows: Sequence[Window]) -> tuple[int | None, int]:
    """Return who would be a better main person, None for nobody, and for how long they have to be."""
    speaking = next((window.person for window in windows if window.speaker == window.person), None)
    if speaking is not None:
        return (speaking if speaking != main.person else None), SPEAKS_FOR_NS
    largest = max(windows, key=area)
    return (largest.person if area(largest) > LARGER * area(main) else None), LARGER_FOR_NS


def area(window: Window) -> int:
    """Return the area of a person's face, in pixels."""
    box = window.framing.box if window.framing else None
    return box.area() if box else 0
