"""Figures of one condition: how often it is right, how sure it is, and what it says."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from edge.evaluation.metrics import calibration_error

from ..intervals import Interval, accuracies_over_speakers
from .judge import Judgement


class Subject(NamedTuple):
    """Facts about what a scene shows."""

    truth: str | None
    """Label; None where nobody shows an emotion."""
    speaker: str
    """Person, or recording of a noise: resampled as a whole for the intervals."""
    groups: dict[str, str]
    """Value by kind of group, such as `corpus`, `language` and `sex`."""


class Case(NamedTuple):
    """Scene that was judged."""

    subject: Subject
    judgement: Judgement
    is_found: bool | None = None
    """True if the face was found where it is; None where no face was looked for."""


class Figures(msgspec.Struct, frozen=True, omit_defaults=True):
    """Figures of some cases; shares between 0 and 1. A window that publishes no emotion counts as wrong."""

    count: int
    ua: Interval | None
    """UA with its 95 % interval over speakers; None where there is no truth."""
    wa: Interval | None
    ece: float | None
    """Calibration error of the emotions that are published; None where there is no truth or none is published."""
    confidence: float | None
    """Mean confidence of the emotions that are published; None where none is."""
    uncertain: float
    """Share of windows that publish no emotion."""
    unsteady: float
    """Share of windows after which the steady state names no emotion."""
    said: str | None
    """Emotion that is published most often."""
    said_share: float
    """Share of windows in which it is."""
    ua_published: float | None
    """UA of the windows that publish an emotion alone."""
    found: float | None
    """Share of faces found where they are; None where none were looked for."""


def measure(cases: Sequence[Case]) -> Figures:
    """Return the figures of cases; ValueError where there are none."""
    if not cases:
        raise ValueError("nothing to measure: no cases")
    judgements = [case.judgement for case in cases]
    published = [case for case in cases if case.judgement.label is not None]
    confidences = np.array([case.judgement.confidence for case in published])
    said = Counter(case.judgement.label for case in published).most_common(1)
    has_truth = all(case.subject.truth is not None for case in cases)
    found = [case.is_found for case in cases if case.is_found is not None]
    ua, wa = accuracy(cases) if has_truth else (None, None)
    right = np.array([is_right(case) for case in published], bool)
    return Figures(
        count=len(cases),
        ua=ua,
        wa=wa,
        ece=calibration_error(confidences, right) if has_truth and published else None,
        confidence=float(confidences.mean()) if published else None,
        uncertain=1 - len(published) / len(cases),
        unsteady=float(np.mean([not judgement.is_steady for judgement in judgements])),
        said=said[0][0] if said else None,
        said_share=said[0][1] / len(cases) if said else 0.0,
        ua_published=accuracy(published)[0].mean if has_truth and published else None,
        found=float(np.mean(found)) if found else None,
    )


def accuracy(cases: Sequence[Case]) -> tuple[Interval, Interval]:
    """Return UA and WA with their intervals over speakers."""
    right = np.array([is_right(case) for case in cases])
    _, truth = np.unique([str(case.subject.truth) for case in cases], return_inverse=True)
    _, speakers = np.unique([case.subject.speaker for case in cases], return_inverse=True)
    found = accuracies_over_speakers(right, truth, speakers)
    return found.ua, found.wa


def is_right(case: Case) -> bool:
    """Return whether the emotion that is published is the true one."""
    return case.judgement.label is not None and case.judgement.label == case.subject.truth


def split(cases: Sequence[Case], key: Callable[[Case], str | None]) -> dict[str, list[Case]]:
    """Return the cases by the value of a key, sorted; those without one are left out."""
    parts: dict[str, list[Case]] = {}
    for case in cases:
        value = key(case)
        if value is not None:
            parts.setdefault(value, []).append(case)
    return dict(sorted(parts.items()))
