"""Statistics of samples: percentiles that the samples support, ratios with their intervals, spread and drift.

A percentile is reported where the samples support it: where its distribution-free 95 % interval, which lies between two
order statistics (David & Nagaraja, Order Statistics, 2003, section 7.1), ends inside them. That takes 6 samples for
p50, 36 for p90, 72 for p95 and 368 for p99. MLPerf's counts (Reddi et al., ISCA 2020, section III-D), which bound the
percentile's rank to a twentieth of what is beyond it at 99 %, are 24,576 for p90 and 270,336 for p99: at two windows a
second a day and a half.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

CONFIDENCE = 0.95
RESAMPLES = 2000


class Interval(NamedTuple):
    """Estimate and its 95 % interval, which has no bounds where too few samples support none: 0 and infinity."""

    value: float
    low: float
    high: float

    @property
    def shows_difference(self) -> bool:
        """True if the interval of a ratio does not contain 1."""
        return not self.low <= 1 <= self.high

    @property
    def is_bounded(self) -> bool:
        """True if the samples support an interval."""
        return math.isfinite(self.high)


def samples_needed(percentile: float) -> int:
    """Return how many samples support a percentile (0 to 100, both excluded)."""
    share = max(percentile, 100 - percentile) / 100
    return math.ceil(math.log((1 - CONFIDENCE) / 2) / math.log(share))


def percentile(samples: Sequence[float], wanted: float) -> float | None:
    """Return a percentile of the samples, None where they do not support it."""
    return float(np.percentile(samples, wanted)) if len(samples) >= samples_needed(wanted) else None


def median_ratio(ours: Sequence[float], theirs: Sequence[float], *, paired: bool = False) -> Interval:
    """Return `median(ours) / median(theirs)` with its bootstrap interval (Efron & Tibshirani 1993), drawn by one seed.

    `paired`: sample i of both was taken in one round. Whole rounds are drawn then, so that a round that is slow for
    both does not widen the interval. Both have at least one sample. Where either has fewer than support a median, the
    interval has no bounds.
    """
    ours_, theirs_ = np.asarray(ours, float), np.asarray(theirs, float)
    draw = np.random.default_rng(0)
    if paired:
        rounds = min(len(ours_), len(theirs_))
        ours_, theirs_ = ours_[:rounds], theirs_[:rounds]
    ratio = float(np.median(ours_) / np.median(theirs_))
    if min(len(ours_), len(theirs_)) < samples_needed(50):
        return Interval(ratio, 0.0, math.inf)
    rows = draw.integers(len(ours_), size=(RESAMPLES, len(ours_)))
    others = rows if paired else draw.integers(len(theirs_), size=(RESAMPLES, len(theirs_)))
    ratios = np.median(ours_[rows], axis=1) / np.median(theirs_[others], axis=1)
    low, high = np.percentile(ratios, [50 * (1 - CONFIDENCE), 50 * (1 + CONFIDENCE)])
    return Interval(ratio, float(low), float(high))


def spread(samples: Sequence[float]) -> float:
    """Return how far the slow samples are above the median: (p90 - p50) / p50."""
    middle, high = np.percentile(samples, [50, 90])
    return float((high - middle) / middle)


def drift(samples: Sequence[float]) -> float:
    """Return the median of the last third over that of the first, less 1."""
    third = max(1, len(samples) // 3)
    return float(np.median(samples[-third:]) / np.median(samples[:third]) - 1)
