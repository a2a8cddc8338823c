"""95 % intervals of UA and WA, from the bootstrap over utterances and runs.

Dimensions: R runs (seeds), N utterances, C classes, S resamples, K of them at a time.

A resample draws R runs and N utterances with replacement, the same utterances for all its runs (the pigeonhole
bootstrap, Owen 2007). Classes are not held fixed: another test set would have other counts of them, and with fixed
counts WA would look surer than the binomial law allows. Two things the intervals leave out: people differ, so new
speakers vary more than new utterances of the same ones; and a single run says nothing of other seeds.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.evaluation.metrics import Floats, Ints, evaluate

LEVEL = 0.95
RESAMPLES = 2000
SEED = 1234
WEIGHTS_AT_ONCE = 2_000_000
"""Largest K * N: a few tens of MB for any number of utterances."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """Predictions of one method for the utterances, run by run; ValueError if shapes or values do not fit."""

    probs: Floats
    """`[R, N, C]`, shares between 0 and 1."""
    truth: Ints
    """`[N]`, class indices."""

    def __post_init__(self) -> None:
        shape = self.probs.shape
        if len(shape) != 3 or 0 in shape or self.truth.shape != shape[1:2]:
            raise ValueError(f"probs {shape} and truth {self.truth.shape}: expected [R, N, C] and [N], none of them 0")
        if not np.all((self.probs >= 0) & (self.probs <= 1 + 1e-5)):
            raise ValueError("probs hold numbers outside 0 to 1; pass logits through a softmax first")
        if not np.all((self.truth >= 0) & (self.truth < shape[2])):
            raise ValueError(f"truth runs from {self.truth.min()} to {self.truth.max()}; there are {shape[2]} classes")


@dataclass(frozen=True)
class Interval:
    """Figure and its 95 % interval; shares, so 0.01 is one point of UA or WA."""

    mean: float
    """Mean of the runs, as observed."""
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """True if the whole interval lies on one side of 0."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Accuracies:
    """UA and WA of one method, or the difference of two methods."""

    ua: Interval
    wa: Interval


def accuracies(outcome: Outcome, *, resamples: int = RESAMPLES, seed: int = SEED) -> Accuracies:
    """Return UA and WA, mean over the runs, with their intervals."""
    return summary(observed_accuracies(outcome), bootstrap(outcome, resamples, seed))


def difference(a: Outcome, b: Outcome, *, resamples: int = RESAMPLES, seed: int = SEED) -> Accuracies:
    """Return the difference of `a` and `b`, paired by utterance and run; ValueError if they cannot be paired."""
    if not np.array_equal(a.truth, b.truth):
        raise ValueError("the two were evaluated on other utterances (truth differs), so they cannot be paired")
    if len(a.probs) != len(b.probs):
        raise ValueError(f"{len(a.probs)} runs against {len(b.probs)}: pairs need the same seeds in both")
    # One seed draws the same utterances and runs for both: that is what pairs them.
    return summary(
        observed_accuracies(a) - observed_accuracies(b), bootstrap(a, resamples, seed) - bootstrap(b, resamples, seed)
    )


def accuracies_over_speakers(
    right: NDArray[np.bool_], truth: Ints, speakers: Ints, *, resamples: int = RESAMPLES, seed: int = SEED
) -> Accuracies:
    """Return UA and WA of predictions, right or wrong `[N]`, with intervals from the bootstrap over speakers.

    A resample draws whole speakers `[N]` with replacement: new speakers vary more than new utterances of the same
    ones. ValueError where N is 0.
    """
    if not len(right):
        raise ValueError("nothing to evaluate: no examples")
    _, number = np.unique(speakers, return_inverse=True)
    of_speaker, of_class = np.eye(number.max() + 1)[number], np.eye(truth.max() + 1)[truth]
    totals, hits = of_speaker.T @ of_class, of_speaker.T @ (of_class * right[:, None])
    drawn = draw_counts(np.random.default_rng(seed), resamples, len(totals)).astype(np.float64)

    def shares(weights: Floats) -> Floats:
        all_totals, all_hits = weights @ totals, weights @ hits
        ua = (all_hits / np.maximum(all_totals, 1)).sum(axis=1) / (all_totals > 0).sum(axis=1)
        return np.stack([ua, all_hits.sum(axis=1) / all_totals.sum(axis=1)], axis=1)

    return summary(shares(np.ones((1, len(totals))))[0], shares(drawn))


def observed_accuracies(outcome: Outcome) -> Floats:
    """Return UA and WA of all utterances, mean over the runs, `[2]`."""
    runs = [evaluate(probs, outcome.truth) for probs in outcome.probs]
    return np.mean([(run.ua, run.wa) for run in runs], axis=0)


def summary(figures: Floats, resampled: Floats) -> Accuracies:
    """Return each of the figures `[2]` with the percentiles of its resamples `[S, 2]`."""
    low, high = np.quantile(resampled, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    ua, wa = (Interval(*map(float, row)) for row in zip(figures, low, high, strict=True))
    return Accuracies(ua, wa)


def bootstrap(outcome: Outcome, resamples: int, seed: int) -> Floats:
    """Return UA and WA of every resample, mean over its runs, `[S, 2]`."""
    runs, count, classes = outcome.probs.shape
    right = outcome.probs.argmax(axis=2) == outcome.truth
    # float32 is exact here: every sum is a whole number of at most N, far below 2 ** 24.
    of_class = np.eye(classes, dtype=np.float32)[outcome.truth]
    right_of_class = (right.T[:, :, None] * of_class[:, None, :]).reshape(count, runs * classes)
    parts = []
    for utterances, chosen in resample_counts(count, runs, resamples, seed):
        totals = (utterances @ of_class).astype(np.float64)[:, None, :]
        hits = (utterances @ right_of_class).astype(np.float64).reshape(-1, runs, classes)
        # As in `evaluate`, UA is over the classes that occur; one that does not has no hits either.
        ua = (hits / np.maximum(totals, 1)).sum(axis=2) / (totals > 0).sum(axis=2)
        wa = hits.sum(axis=2) / count
        parts.append(np.stack([(ua * chosen).sum(axis=1), (wa * chosen).sum(axis=1)], axis=1) / runs)
    return np.concatenate(parts)


def resample_counts(count: int, runs: int, resamples: int, seed: int) -> Iterator[tuple[Floats, Floats]]:
    """Yield how often each utterance `[K, N]` and each run `[K, R]` was drawn, K resamples at a time."""
    rng = np.random.default_rng(seed)
    at_once = max(1, WEIGHTS_AT_ONCE // count)
    for first in range(0, resamples, at_once):
        rows = min(at_once, resamples - first)
        yield draw_counts(rng, rows, count), draw_counts(rng, rows, runs)


def draw_counts(rng: np.random.Generator, rows: int, count: int) -> Floats:
    """Return float32 `[rows, count]`: how often each of `count` was drawn in `count` draws with replacement."""
    places = rng.integers(count, size=(rows, count)) + count * np.arange(rows)[:, None]
    return np.bincount(places.ravel(), minlength=rows * count).reshape(rows, count).astype(np.float32)
