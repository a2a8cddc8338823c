"""Statistics of samples, against brute force."""

import math

import numpy as np
import pytest

from edge.bench.statistics import Interval, drift, median_ratio, percentile, samples_needed, spread

PERCENTILES = [(50, 6), (90, 36), (95, 72), (99, 368)]


def has_interval(count: int, share: float) -> bool:
    """Whether two order statistics bound the percentile with at most 2.5 % beyond either, by the binomial."""
    below = [math.comb(count, k) * share**k * (1 - share) ** (count - k) for k in range(count + 1)]
    # The smallest sample lies above the percentile where none is below it; the largest below where all are.
    return below[0] <= 0.025 and below[count] <= 0.025


@pytest.mark.parametrize(("wanted", "count"), PERCENTILES)
def test_needed_is_the_smallest_count_with_an_interval(wanted: float, count: int) -> None:
    assert samples_needed(wanted) == count
    assert next(n for n in range(1, 1000) if has_interval(n, wanted / 100)) == count
    assert samples_needed(100 - wanted) == count


@pytest.mark.parametrize(("wanted", "count"), PERCENTILES[:3])
def test_the_interval_ends_inside_the_samples(wanted: float, count: int) -> None:
    draws = np.random.default_rng(0).random((40_000, count))
    beyond = (draws.max(axis=1) < wanted / 100).mean()
    assert beyond < 0.028
    one_less = (draws[:, 1:].max(axis=1) < wanted / 100).mean()
    assert one_less > 0.024


def test_a_percentile_needs_its_samples() -> None:
    values = list(np.random.default_rng(0).random(368))
    assert percentile(values, 99) == pytest.approx(np.quantile(values, 0.99))
    assert percentile(values[1:], 99) is None
    assert percentile(values[:6], 50) == pytest.approx((sorted(values[:6])[2] + sorted(values[:6])[3]) / 2)
    assert percentile([], 50) is None


def test_the_interval_of_a_ratio_covers_the_truth() -> None:
    draw = np.random.default_rng(1)
    held = 0
    for _ in range(150):
        interval = median_ratio(1.2 * draw.lognormal(0, 0.2, 40), draw.lognormal(0, 0.2, 40))
        held += interval.low <= 1.2 <= interval.high
    assert held / 150 >= 0.88


def test_pairs_take_out_what_is_slow_for_both() -> None:
    draw = np.random.default_rng(2)
    common = draw.lognormal(0, 0.5, 60)
    ours, theirs = 1.1 * common * draw.lognormal(0, 0.01, 60), common * draw.lognormal(0, 0.01, 60)
    paired, unpaired = median_ratio(ours, theirs, paired=True), median_ratio(ours, theirs)
    assert paired.low < 1.1 < paired.high
    assert paired.high - paired.low < (unpaired.high - unpaired.low) / 3
    assert paired.shows_difference
    assert not unpaired.shows_difference


def test_a_ratio_is_always_the_same() -> None:
    ours, theirs = list(np.random.default_rng(3).random((2, 30)) + 1)
    assert median_ratio(ours, theirs) == median_ratio(ours, theirs)
    assert median_ratio(ours, theirs).value == pytest.approx(np.median(ours) / np.median(theirs))


def test_pairs_end_with_the_shorter() -> None:
    assert median_ratio([2] * 6 + [50] * 7, [1] * 6, paired=True) == Interval(2, 2, 2)


@pytest.mark.parametrize(("ours", "theirs", "is_bounded"), [(1, 1, 0), (40, 5, 0), (5, 40, 0), (6, 6, 1)])
def test_an_interval_takes_as_many_samples_as_a_median(ours: int, theirs: int, is_bounded: int) -> None:
    """Six values lie on both sides of the median with a probability of 1 - 2 / 2**6, 97 %; five with 94 %."""
    interval = median_ratio([3] * ours, [2] * theirs)
    assert interval.value == 1.5
    assert interval.is_bounded == is_bounded
    assert interval.shows_difference == is_bounded
    assert median_ratio([3] * ours, [2] * theirs, paired=True).is_bounded == is_bounded


@pytest.mark.parametrize(
    ("low", "high", "shows"), [(0.9, 1.1, False), (1, 1.1, False), (1.01, 1.1, True), (0.8, 0.9, True)]
)
def test_a_difference_is_shown_where_1_is_outside(low: float, high: float, shows: bool) -> None:
    assert Interval((low + high) / 2, low, high).shows_difference is shows


def test_spread_and_drift() -> None:
    values = [10.0] * 50 + [10.0 + i / 10 for i in range(51)]
    assert spread(values) == pytest.approx((sorted(values)[90] - 10) / 10)
    assert drift([10, 10, 10, 11, 12, 12, 13, 12, 11]) == pytest.approx(0.2)
    assert drift([10, 12]) == pytest.approx(0.2)
    assert drift([5]) == 0
