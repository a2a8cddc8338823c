"""Answers of a model to labelled clips, one a clip, as CSV and JSON."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import structs

from ..system.files import replacing
from .csv_table import PROBABILITY, write_rows
from .metrics import Accuracy


class Answer(msgspec.Struct, frozen=True):
    """Answer to one clip."""

    path: str
    """Path or address of the clip, without passwords."""
    truth: str
    """True label."""
    label: str | None
    """Most probable label, `uncertain` with neither speech nor a face; None where the clip could not be predicted."""
    confidence: float | None
    """Probability of the label, 0 to 1; None where the clip could not be predicted."""
    probs: dict[str, float] | None
    """Calibrated probabilities by label, NaN where the model gives none; None where the clip could not be predicted."""
    error: str | None
    """Reason for which the clip could not be predicted; None where it could."""


class AnswerReport(msgspec.Struct, frozen=True):
    """Answers to all clips of a table."""

    bundle: str
    """Name and version of the bundle."""
    backend: str
    labels: list[str]
    """Labels of the bundle, in the order of the confusion matrix."""
    accuracy: Accuracy | None
    """Accuracy on the clips that could be predicted; None where there are none."""
    clips: list[Answer]


def flatten(answer: Answer, labels: Sequence[str]) -> dict[str, Any]:
    """Return an answer as the values of its CSV columns, in their order; None for a missing one."""
    fields = structs.asdict(answer)
    probs, error = fields.pop("probs") or {}, fields.pop("error")
    return {**fields, **{f"{PROBABILITY}{label}": probs.get(label) for label in labels}, "error": error}


def write_csv(report: AnswerReport, path: Path) -> None:
    """Write a row a clip; FoalError where the disk does not take it."""
    with replacing(path) as part:
        write_rows(part, [flatten(answer, report.labels) for answer in report.clips])


def write_json(report: AnswerReport, path: Path) -> None:
    """Write the accuracy and an object a clip; FoalError where the disk does not take it."""
    with replacing(path) as part:
        part.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n")
