"""Intervals, against resampling by hand, the binomial law and known truths."""

import math
import random
import tracemalloc

import numpy as np
import pytest

from edge.evaluation.metrics import evaluate
from train.intervals import (
    RESAMPLES,
    SEED,
    Interval,
    Outcome,
    accuracies,
    accuracies_over_speakers,
    bootstrap,
    difference,
    resample_counts,
)


def outcome(seed: int, runs: int, count: int, classes: int, skill: float = 1.0) -> Outcome:
    """Random probabilities that lean towards the truth; one seed, the same truth."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, count)
    logits = rng.normal(size=(runs, count, classes)) + skill * np.eye(classes)[truth]
    return Outcome(np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True), truth)


def certain(right: np.ndarray) -> Outcome:
    """bool `[R, N]` -> two classes, all utterances of class 0."""
    return Outcome(np.stack([right, ~right], axis=2).astype(np.float64), np.zeros(right.shape[1], dtype=np.int64))


def test_every_resample_is_what_evaluate_says_of_the_drawn_rows() -> None:
    """Twelve utterances of four classes, so that some resamples lack a class."""
    chosen = outcome(0, runs=3, count=12, classes=4)
    lacking = 0
    expected = []
    for utterances, runs in resample_counts(12, 3, 50, seed=7):
        for times, run_times in zip(utterances.astype(int), runs.astype(int), strict=True):
            assert times.sum() == 12
            rows = np.repeat(np.arange(12), times)
            figures = [evaluate(chosen.probs[r, rows], chosen.truth[rows]) for r in np.repeat(np.arange(3), run_times)]
            lacking += len(set(chosen.truth[rows])) < 4
            expected.append([sum(f.ua for f in figures) / 3, sum(f.wa for f in figures) / 3])
    assert lacking > 0
    np.testing.assert_allclose(bootstrap(chosen, 50, seed=7), expected, rtol=1e-12)


def test_intervals_match_resampling_by_hand() -> None:
    chosen = outcome(1, runs=4, count=40, classes=3)
    draw = random.Random(5)
    uas, was = [], []
    for _ in range(1500):
        rows = draw.choices(range(40), k=40)
        figures = [evaluate(chosen.probs[run, rows], chosen.truth[rows]) for run in draw.choices(range(4), k=4)]
        uas.append(sum(f.ua for f in figures) / 4)
        was.append(sum(f.wa for f in figures) / 4)
    result = accuracies(chosen)
    for interval, by_hand in ((result.ua, uas), (result.wa, was)):
        assert [interval.low, interval.high] == pytest.approx(np.quantile(by_hand, [0.025, 0.975]), abs=0.02)
        assert interval.high - interval.low > 0.15


def test_the_means_are_those_of_evaluate() -> None:
    chosen = outcome(2, runs=3, count=60, classes=4)
    runs = [evaluate(probs, chosen.truth) for probs in chosen.probs]
    result = accuracies(chosen, resamples=10)
    assert result.ua.mean == pytest.approx(np.mean([run.ua for run in runs]))
    assert result.wa.mean == pytest.approx(np.mean([run.wa for run in runs]))


@pytest.mark.parametrize(("count", "right"), [(50, 30), (200, 160)])
def test_one_run_follows_the_binomial_law(count: int, right: int) -> None:
    wa = accuracies(certain(np.arange(count)[None] < right), resamples=20_000).wa
    share = right / count
    terms = [math.comb(count, k) * share**k * (1 - share) ** (count - k) for k in range(count + 1)]
    cumulated = np.cumsum(terms)
    exact = [np.searchsorted(cumulated, quantile) / count for quantile in (0.025, 0.975)]
    assert wa.mean == share
    assert [wa.low, wa.high] == pytest.approx(exact, abs=1.01 / count)
    assert wa.high - wa.low == pytest.approx(2 * 1.96 * math.sqrt(share * (1 - share) / count), rel=0.1)


def test_the_mix_of_classes_varies_too() -> None:
    """Class 0 always right, class 1 never: held fixed, the class counts would leave no doubt of WA at all."""
    truth = np.repeat([0, 1], 50)
    result = accuracies(Outcome(np.tile([[1.0, 0.0]], (1, 100, 1)), truth))
    assert result.ua == Interval(0.5, 0.5, 0.5)
    assert result.wa.high - result.wa.low == pytest.approx(2 * 1.96 * 0.05, rel=0.1)


def test_runs_that_disagree_widen_the_interval() -> None:
    half = np.random.default_rng(0).random(400) < 0.5
    alike = accuracies(certain(np.stack([half, half]))).wa
    apart = accuracies(certain(np.stack([np.ones(400, bool), np.zeros(400, bool)]))).wa
    assert alike.mean == pytest.approx(apart.mean, abs=0.05)
    assert alike.high - alike.low < 0.11
    assert (apart.low, apart.high) == (0.0, 1.0)


def test_intervals_cover_the_true_accuracy() -> None:
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(300):
        wa = accuracies(certain(rng.random((1, 150)) < 0.7), resamples=300).wa
        hits += wa.low <= 0.7 <= wa.high
    assert 0.91 <= hits / 300 <= 0.98


def test_differences_cover_none_where_there_is_none() -> None:
    """Two methods as good as each other, five runs each; utterances are hard or easy, runs good or bad."""
    rng = np.random.default_rng(4)
    hits = 0
    for _ in range(200):
        ease = rng.normal(0.5, 1, 150)
        a, b = (certain(ease + rng.normal(0, 0.2, (5, 1)) + rng.normal(size=(5, 150)) > 0) for _ in range(2))
        wa = difference(a, b, resamples=300).wa
        hits += wa.low <= 0 <= wa.high
    assert 0.90 <= hits / 200 <= 1


def test_a_difference_is_paired() -> None:
    """`a` is right where `b` is and on 30 of 1,000 more: alone their intervals overlap, paired it is clear."""
    rng = np.random.default_rng(6)
    b_right = rng.random((2, 1000)) < 0.7
    a_right = b_right | (np.arange(1000) % 33 == 0)
    a, b = certain(a_right), certain(b_right)
    alone_a, alone_b, paired = accuracies(a).wa, accuracies(b).wa, difference(a, b).wa
    assert alone_a.low < alone_b.high
    assert paired.mean == pytest.approx(a_right.mean() - b_right.mean())
    assert paired.low > 0
    assert paired.excludes_zero
    assert paired.high - paired.low < 0.02


def test_differences_change_sign_and_vanish() -> None:
    a, b = outcome(8, 2, 80, 4, skill=2.0), outcome(8, 2, 80, 4, skill=0.0)
    there, back = difference(a, b), difference(b, a)
    assert there.ua.low > 0
    assert [back.ua.mean, back.ua.low, back.ua.high] == pytest.approx([-there.ua.mean, -there.ua.high, -there.ua.low])
    assert back.ua.excludes_zero
    assert difference(a, a).ua == Interval(0.0, 0.0, 0.0)
    assert not difference(a, a).ua.excludes_zero


def test_the_same_seed_gives_the_same_interval() -> None:
    chosen = outcome(9, 2, 30, 4)
    assert accuracies(chosen) == accuracies(chosen, resamples=RESAMPLES, seed=SEED)
    assert accuracies(chosen) != accuracies(chosen, seed=SEED + 1)


def test_memory_is_bounded() -> None:
    chosen = outcome(10, runs=10, count=10_000, classes=4)
    tracemalloc.start()
    bootstrap(chosen, 450, SEED)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 80e6


@pytest.mark.parametrize(
    ("probs", "truth", "match"),
    [
        (np.full((5, 2), 0.5), np.zeros(5, int), r"expected \[R, N, C\] and \[N\]"),
        (np.full((1, 5, 2), 0.5), np.zeros(4, int), r"\(1, 5, 2\) and truth \(4,\)"),
        (np.zeros((1, 0, 2)), np.zeros(0, int), "none of them 0"),
        (np.full((1, 1, 2), 3.0), np.zeros(1, int), "softmax"),
        (np.full((1, 1, 2), np.nan), np.zeros(1, int), "softmax"),
        (np.full((1, 2, 2), 0.5), np.array([0, 2]), "truth runs from 0 to 2; there are 2 classes"),
    ],
)
def test_what_does_not_belong_together_is_refused(probs: np.ndarray, truth: np.ndarray, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        Outcome(probs, truth)


def test_what_cannot_be_paired_is_refused() -> None:
    with pytest.raises(ValueError, match="truth differs"):
        difference(outcome(0, 2, 30, 4), outcome(1, 2, 30, 4))
    with pytest.raises(ValueError, match="2 runs against 3"):
        difference(outcome(0, 2, 30, 4), outcome(0, 3, 30, 4))


def test_speakers_are_resampled_as_a_whole() -> None:
    """A speaker's utterances are all right or all wrong: WA varies as the mean of the speakers does."""
    rng = np.random.default_rng(3)
    speakers = np.repeat(np.arange(40), 25)
    right = rng.random(40)[speakers] < 0.5
    found = accuracies_over_speakers(right, speakers % 1, speakers)
    share = right.mean()
    deviation = np.sqrt(share * (1 - share) / 40)
    assert found.wa.mean == pytest.approx(share)
    assert found.ua == found.wa  # one class
    # 2,000 resamples place a limit within about a tenth of the deviation
    assert (found.wa.low, found.wa.high) == pytest.approx(
        (share - 1.96 * deviation, share + 1.96 * deviation), abs=0.25 * deviation
    )
