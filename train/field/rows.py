"""Rows of the field test, and the trials that make them."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import msgspec

from edge.geometry import Box

from ..intervals import Interval
from .figures import Case, Figures, Subject, measure, split
from .judge import Judge, Scene

LEAST_OVERLAP = 0.3
"""Smallest overlap (intersection over union) of a found face with the true one."""


class OwnFigures(msgspec.Struct, frozen=True):
    """Figures of a section that judges something else than emotions."""

    count: int
    columns: dict[str, Interval]
    """Figures by the title of their column, which names their unit."""


class Row(msgspec.Struct, frozen=True):
    """Figures of one condition."""

    section: str
    name: str
    figures: Figures | None
    """Figures of emotions; None in a section with figures of its own."""
    by: dict[str, dict[str, Figures]]
    """Figures by group, such as `corpus` -> `emodb`."""
    more: dict[str, float]
    """Further figures by name, shares between 0 and 1."""
    own: OwnFigures | None = None


class Trial(NamedTuple):
    """One part of the field test: a condition, or several that share their windows."""

    section: str
    name: str
    run: Callable[[], list[Row]]


class Shown(NamedTuple):
    """Scene with the facts about it."""

    scene: Scene
    subject: Subject
    face: Box | None = None
    """Place of the face in the image; None where no face is looked for."""


def judge_all(judge: Judge, shown: Iterable[Shown]) -> list[Case]:
    """Judge scenes one after another."""
    cases = []
    for each in shown:
        judgement = judge(each.scene)
        is_found = None if each.face is None else overlap(each.face, judgement.box) >= LEAST_OVERLAP
        cases.append(Case(each.subject, judgement, is_found))
    return cases


def make_row(section: str, name: str, cases: Sequence[Case], more: dict[str, float] | None = None) -> Row:
    """Return the figures of cases, of all and by group; a group that all cases share is not repeated."""
    kinds = list(dict.fromkeys(kind for case in cases for kind in case.subject.groups))
    parts = {kind: split(cases, lambda case, kind=kind: case.subject.groups.get(kind)) for kind in kinds}  # type: ignore[misc]
    by = {
        kind: {value: measure(part) for value, part in values.items()}
        for kind, values in parts.items()
        if len(values) > 1
    }
    return Row(section, name, measure(cases), by, more or {})


def overlap(a: Box, b: Box | None) -> float:
    """Return the intersection of two boxes over their union; 0 where one is missing."""
    if b is None:
        return 0.0
    width = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    height = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    both = max(0, width) * max(0, height)
    return both / (a.area() + b.area() - both)
