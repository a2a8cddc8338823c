"""Table of the comparison: cost and accuracy of each model, with intervals.

Dimensions: N faces, C labels.
"""

from collections.abc import Sequence
from statistics import median

import numpy as np

from edge.bench.table_format import number
from edge.wire.page import table
from train.intervals import Interval, Outcome, accuracies

from .pictures import FaceSet
from .run import Measured

FOUR = ("angry", "happy", "neutral", "sad")
SEVEN = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")


def unweighted_accuracy(
    labels: Sequence[str], probs: Sequence[Sequence[float]], truth: Sequence[str | None], wanted: Sequence[str]
) -> tuple[Interval, int] | None:
    """Return UA among the `wanted` labels and the number of faces that have one; None where a model lacks a label.

    A model's other labels are dropped and the rest is normalised again; faces with another truth do not count.
    """
    if not set(wanted) <= set(labels):
        return None
    rows = [row for row, label in enumerate(truth) if label in wanted]
    kept = np.asarray(probs)[rows][:, [labels.index(label) for label in wanted]]
    kept = (kept + 1e-12) / (kept + 1e-12).sum(axis=1, keepdims=True)
    names = list(wanted)
    indices = np.array([names.index(str(truth[row])) for row in rows])
    return accuracies(Outcome(kept[None], indices)).ua, len(rows)


def accuracy_columns(found: Measured, sets: Sequence[FaceSet]) -> dict[str, tuple[Interval, int] | None]:
    """Return UA by column: each truth of each set among four labels, the raters' among seven.

    Crops of the same photographs share a column: each model has the crop that suits it best.
    """
    assert found.answer is not None, "nothing was classified"
    labels, columns = found.answer.labels, dict[str, tuple[Interval, int] | None]()
    for each, probs in zip(sets, found.answer.probs, strict=True):
        group = each.name.partition(",")[0]
        for source, truth in each.truths.items():
            name = f"{group}, {source}"
            ua = unweighted_accuracy(labels, probs, truth, FOUR)
            best = columns.get(name)
            columns[name] = ua if best is None or (ua and ua[0].mean > best[0].mean) else best
            if source == "raters":
                columns[f"{name}, seven labels"] = unweighted_accuracy(labels, probs, truth, SEVEN)
    return columns


def markdown(measured: Sequence[Measured], sets: Sequence[FaceSet]) -> str:
    """Return the table in Markdown, one row a model."""
    columns = [accuracy_columns(each, sets) for each in measured]
    heads = ["", "", "CPU ms a face", "one more face of a window", "weights, MB", "start, s"]
    heads += [name + count(name, columns) for name in columns[0]]
    rows = [
        [
            each.model.name,
            each.model.about,
            number(median(each.cpu_ms)),
            number(median(each.encoder_cpu_ms)) if each.encoder_cpu_ms else "the same",
            number(each.answer.weights_bytes / 1e6 if each.answer else None),
            number(median(each.start_s)),
            *(cell(ua) for ua in accuracy.values()),
        ]
        for each, accuracy in zip(measured, columns, strict=True)
    ]
    return table(heads, rows) + "\n"


def count(name: str, columns: Sequence[dict[str, tuple[Interval, int] | None]]) -> str:
    """Return the number of faces of a column in brackets, as any model that has its labels counted them."""
    return next((f" ({ua[1]:,})" for each in columns if (ua := each[name])), "")


def cell(ua: tuple[Interval, int] | None) -> str:
    """Return a UA in percent with its 95 % interval; `-` where a model lacks a label."""
    return f"{ua[0].mean:.1%} ({ua[0].low:.1%} to {ua[0].high:.1%})".replace("%", "") if ua else "-"
