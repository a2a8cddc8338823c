"""Segments of a recording in which the steady label is the same, in whole milliseconds."""

from collections.abc import Sequence
from typing import NamedTuple

from ..system.printable import visible
from .rows import Row


class Segment(NamedTuple):
    """Part of a recording with one steady label."""

    begin_ms: int
    end_ms: int
    label: str
    """Label in one line, control characters spelled out."""


def segments(rows: Sequence[Row]) -> list[Segment]:
    """Return the segments of a recording: one after the other, none empty.

    The first begins with the first window, the others with the end of the window that brought the change; the last
    ends with the last window.
    """
    changes: list[tuple[int, str]] = []
    for row in rows:
        if not changes:
            changes.append((milliseconds(row.start_s), row.steady_label))
        elif row.steady_label != changes[-1][1]:
            changes.append((milliseconds(row.end_s), row.steady_label))
    ends = [begin for begin, _ in changes[1:]] + [milliseconds(row.end_s) for row in rows[-1:]]
    return [
        Segment(begin, end, visible(label)) for (begin, label), end in zip(changes, ends, strict=True) if begin < end
    ]


def milliseconds(time_s: float) -> int:
    """Return a time in whole milliseconds."""
    return round(time_s * 1000)
