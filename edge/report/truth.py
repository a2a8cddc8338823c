"""Labels that the user gives for parts of a recording, and how often the predictions agree with them."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..annotation.rows import Row
from ..errors import UsageError
from ..evaluation.csv_table import rows as read_csv
from ..evaluation.labels import match
from ..evaluation.metrics import Accuracy, evaluate
from ..wire.messages import UNCERTAIN

COLUMNS = {
    "begin": ("begin_s", "start", "start_s", "from", "onset", "xmin"),
    "end": ("end_s", "stop", "stop_s", "to", "offset", "xmax"),
    "label": ("emotion", "emo", "expression", "text", "value"),
}
"""Columns of a table of labels, each with other names that are common."""


class Part(NamedTuple):
    """Part of a recording with a label."""

    begin_s: float
    end_s: float
    label: str


def read_parts(path: Path) -> list[Part]:
    """Read rows of `begin,end,label`, in seconds; UsageError names the line that is wrong."""
    parts = []
    for line, row in read_csv(path, tuple(COLUMNS), COLUMNS):
        try:
            part = Part(float(row["begin"]), float(row["end"]), row["label"])
        except ValueError as error:
            raise UsageError(f"{path}, line {line}: {error}; begin and end are seconds of the recording") from error
        if not part.begin_s < part.end_s:
            raise UsageError(f"{path}, line {line}: it ends at {row['end']} s, which is not after {row['begin']} s")
        parts.append(part)
    return parts


def judge(rows: Sequence[Row], parts: Sequence[Part], path: Path) -> Accuracy:
    """Evaluate the windows that end in a part with a label of the model's; UsageError where there are none.

    A window that is `uncertain` counts as wrong.
    """
    labels = list(rows[0].probs)
    probs, truth = [], []
    for row in rows:
        part = next((part for part in parts if part.begin_s < row.end_s <= part.end_s), None)
        label = match(part.label, labels) if part else None
        if label is not None:
            probs.append([np.nan] * len(labels) if row.label == UNCERTAIN else list(row.probs.values()))
            truth.append(labels.index(label))
    if not truth:
        raise UsageError(
            f"{path} labels no window with one of {', '.join(labels)}; its times are seconds from the beginning"
        )
    return evaluate(np.array(probs), np.array(truth))
