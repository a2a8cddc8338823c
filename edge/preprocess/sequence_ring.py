"""Ring of the newest rows of a sequence: samples, or tokens."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.floating[Any]]
"""float32 `[n, ...]`."""


class SequenceRing:
    """Ring of the newest rows of a sequence, addressed by their positions in it; views hold until it is written to."""

    def __init__(self, kept: int, room: int, shape: Sequence[int] = ()) -> None:
        """Make an empty ring of rows of a shape; with more `room` what is kept is moved less often."""
        self._rows = np.zeros((kept + room, *shape), np.float32)
        self._kept = kept
        self._origin = 0
        self.first = self.end = 0
        """Positions of the oldest row that is kept, and of the row after the newest."""

    def clear(self, position: int = 0) -> None:
        """Forget everything and go on at a position."""
        self._origin = self.first = self.end = position

    def forget_before(self, position: int) -> None:
        """Forget the rows before a position."""
        self.first = min(max(self.first, position), self.end)

    def write(self, position: int, rows: Rows) -> None:
        """Write rows from a position on, one that is kept or the end; what stood there and after it is gone."""
        end = position + len(rows)
        first = max(self.first, end - self._kept)
        if end - self._origin > len(self._rows):
            moved = self.view(first, position)
            self._rows[: len(moved)] = moved
            self._origin = first
        place = max(position, first)
        self._rows[place - self._origin : end - self._origin] = rows[place - position :]
        self.first, self.end = first, end

    def view(self, first: int, end: int) -> Rows:
        """Return a view of the rows from one position up to another, as far as they are kept."""
        first, end = max(first, self.first), min(end, self.end)
        return self._rows[first - self._origin : max(first, end) - self._origin]
