"""Segments of a recording in which the steady label is the same, of each person, in whole milliseconds."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..system.printable import visible
from .rows import Row, by_person


class Segment(NamedTuple):
    """Part of a recording with one steady label."""

    begin_ms: int
    end_ms: int
    label: str
    """Label in one line, control characters spelled out."""


def segments_by_person(rows: Sequence[Row]) -> dict[int | None, list[Segment]]:
    """Return the segments of each person by number, and those about nobody in particular (None).

    Where a person has no row for a window that others have, the person is away: no segment reaches over it.
    """
    windows = {end_s: number for number, end_s in enumerate(sorted({row.end_s for row in rows}))}
    found: dict[int | None, list[Segment]] = {}
    for person, own in by_person(rows).items():
        found[person] = []
        for part in without_gaps(own, windows):
            after_ms = found[person][-1].end_ms if found[person] else 0
            later = [each._replace(begin_ms=max(each.begin_ms, after_ms)) for each in segments(part)]
            found[person] += [each for each in later if each.begin_ms < each.end_ms]
    return found


def without_gaps(rows: Sequence[Row], windows: dict[float, int]) -> Iterator[list[Row]]:
    """Yield the parts of one person's rows between which windows lack; `windows` has the number of each by its end."""
    part: list[Row] = []
    for row in rows:
        if part and windows[row.end_s] > windows[part[-1].end_s] + 1:
            yield part
            part = []
        part.append(row)
    if part:
        yield part


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
