"""Metrics of predictions: UA, WA, confusion matrix, calibration error.

Dimensions: N examples, C classes.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]

CALIBRATION_BINS = 15


@dataclass(frozen=True)
class Accuracy:
    """Figures of one evaluation; shares between 0 and 1."""

    count: int
    """Examples, N."""
    ua: float
    """Unweighted accuracy: the mean of the recalls of the classes that occur."""
    wa: float
    """Weighted accuracy: the share that is right."""
    ece: float
    """Expected calibration error, over 15 equal bins of confidence (Guo et al. 2017)."""
    confusion: list[list[int]]
    """`[C][C]`, row = truth, column = prediction; an example without probabilities is in no column."""


def evaluate(probs: Floats, truth: Ints) -> Accuracy:
    """Evaluate probabilities `[N, C]` against class indices `[N]`; ValueError where N is 0.

    A row that is not finite, as of a window without evidence, is wrong with confidence 0.
    """
    if len(truth) == 0:
        raise ValueError("nothing to evaluate: no examples")
    is_finite = np.asarray(np.isfinite(probs).all(axis=1))
    probs = np.where(is_finite[:, None], probs, 0)
    predicted, classes = probs.argmax(axis=1), probs.shape[1]
    is_right = is_finite & (predicted == truth)
    confusion = confusion_matrix(predicted[is_finite], truth[is_finite], classes)
    counts = np.bincount(truth, minlength=classes)
    occurs = counts > 0
    return Accuracy(
        count=len(truth),
        ua=float((confusion.diagonal()[occurs] / counts[occurs]).mean()),
        wa=float(is_right.mean()),
        ece=calibration_error(probs.max(axis=1), is_right),
        confusion=confusion.tolist(),
    )


def confusion_matrix(predicted: Ints, truth: Ints, classes: int) -> Ints:
    """Return the counts int64 `[C, C]`, row = truth, column = prediction."""
    matrix = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(matrix, (truth, predicted), 1)
    return matrix


def calibration_error(confidence: Floats, right: NDArray[np.bool_]) -> float:
    """Return the mean distance between confidence and accuracy, bin by bin, weighted by the bins' counts."""
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(np.int64), CALIBRATION_BINS - 1)
    gaps = [abs(float((confidence - right)[bins == b].sum())) for b in range(CALIBRATION_BINS)]
    return sum(gaps) / len(confidence)
