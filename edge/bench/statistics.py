"""What may be said of samples: percentiles that they support, ratios with their intervals, and how noisy they are.

A percentile is said where the samples support it: where its distribution-free 95 % interval, which lies between two
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
    """An estimate and its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def shows_difference(self) -> bool:
        """Of a ratio: whether 1 lies outside."""
        return not self.low <= 1 <= self.high


def needed(percentile: float) -> int:
    """How many samples support a percentile (0 to 100, both excluded)."""
    share = max(percentile, 100 - percentile) / 100
    return math.ceil(math.log((1 - CONFIDENCE) / 2) / math.log(share))


def percentile(samples: Sequence[float], wanted: float) -> float | None:
    """None where the samples do not support it."""
    return float(np.percentile(samples, wanted)) if len(samples) >= needed(wanted) else None


def median_ratio(ours: Sequence[float], theirs: Sequence[float], *, paired: bool = False) -> Interval:
    """`median(ours) / median(theirs)`, its interval by the bootstrap (Efron & Tibshirani 1993); always the same one.

    `paired`: sample i of both was taken in one round, so that rounds are drawn, and what is slow for both is no noise.
    Both have at least one sample.
    """
    ours_, theirs_ = np.asarray(ours, float), np.asarray(theirs, float)
    draw = np.random.default_rng(0)
    if paired:
        rounds = min(len(ours_), len(theirs_))
        ours_, theirs_ = ours_[:rounds], theirs_[:rounds]
    rows = draw.integers(len(ours_), size=(RESAMPLES, len(ours_)))
    others = rows if paired else draw.integers(len(theirs_), size=(RESAMPLES, len(theirs_)))
    ratios = np.median(ours_[rows], axis=1) / np.median(theirs_[others], axis=1)
    low, high = np.percentile(ratios, [50 * (1 - CONFIDENCE), 50 * (1 + CONFIDENCE)])
    return Interval(float(np.median(ours_) / np.median(theirs_)), float(low), float(high))


def spread(samples: Sequence[float]) -> float:
    """How far the slower half is from the median: (p90 - p50) / p50."""
    middle, high = np.percentile(samples, [50, 90])
    return float((high - middle) / middle)


def drift(samples: Sequence[float]) -> float:
    """The median of the last third over that of the first, less 1."""
    third = max(1, len(samples) // 3)
    return float(np.median(samples[-third:]) / np.median(samples[:third]) - 1)
