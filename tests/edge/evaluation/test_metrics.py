"""The figures of an evaluation, against loops over the examples."""

import numpy as np
import pytest

from edge.evaluation.metrics import calibration_error, confusion_matrix, evaluate


def drawn(seed: int, count: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(classes), count), rng.integers(0, classes, count)


def test_four_examples_by_hand() -> None:
    probs = np.array([[0.9, 0.1, 0.0], [0.6, 0.4, 0.0], [0.2, 0.8, 0.0], [0.7, 0.3, 0.0]])
    result = evaluate(probs, np.array([0, 0, 1, 1]))
    assert result.count == 4
    assert result.confusion == [[2, 0, 0], [1, 1, 0], [0, 0, 0]]
    assert result.wa == 0.75
    assert result.ua == pytest.approx((1.0 + 0.5) / 2)
    assert result.ece == pytest.approx((0.1 + 0.4 + 0.2 + 0.7) / 4)


@pytest.mark.parametrize(("seed", "count", "classes"), [(0, 1, 4), (1, 50, 4), (2, 500, 7), (3, 3, 6)])
def test_accuracies_and_confusion_match_counting(seed: int, count: int, classes: int) -> None:
    probs, truth = drawn(seed, count, classes)
    guesses = [max(range(classes), key=lambda c, row=row: row[c]) for row in probs]
    recalls = []
    for c in sorted(set(truth.tolist())):
        of_class = [guess for guess, true in zip(guesses, truth, strict=True) if true == c]
        recalls.append(of_class.count(c) / len(of_class))
    result = evaluate(probs, truth)
    assert result.ua == pytest.approx(sum(recalls) / len(recalls))
    assert result.wa == pytest.approx(sum(g == t for g, t in zip(guesses, truth, strict=True)) / count)
    pairs = list(zip(truth.tolist(), guesses, strict=True))
    assert result.confusion == [[pairs.count((t, p)) for p in range(classes)] for t in range(classes)]


@pytest.mark.parametrize(("seed", "count"), [(4, 1), (5, 40), (6, 2000)])
def test_calibration_error_matches_counting_bin_by_bin(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    confidence, right = rng.uniform(0.2, 1, count), rng.random(count) < 0.6
    expected = 0.0
    for b in range(15):
        members = [i for i in range(count) if b / 15 <= confidence[i] < (b + 1) / 15]
        if members:
            accuracy = sum(bool(right[i]) for i in members) / len(members)
            expected += len(members) / count * abs(accuracy - sum(confidence[i] for i in members) / len(members))
    assert calibration_error(confidence, right) == pytest.approx(expected)


@pytest.mark.parametrize(("confidence", "right", "expected"), [(1.0, True, 0.0), (1.0, False, 1.0), (0.0, False, 0.0)])
def test_certainty_falls_into_the_outer_bins(confidence: float, right: bool, expected: float) -> None:
    assert calibration_error(np.array([confidence]), np.array([right])) == expected


def test_rows_are_the_truth() -> None:
    assert confusion_matrix(np.array([1, 1]), np.array([0, 0]), 2).tolist() == [[0, 2], [0, 0]]


def test_nothing_to_evaluate_is_refused() -> None:
    with pytest.raises(ValueError, match="no examples"):
        evaluate(np.zeros((0, 4)), np.zeros(0, np.int64))


def test_a_row_that_is_not_finite_is_wrong_whatever_its_truth() -> None:
    for truth in (0, 1):
        found = evaluate(np.array([[np.nan, np.nan], [0.9, 0.1]]), np.array([truth, 0]))
        assert found.wa == 0.5
        assert found.confusion == [[1, 0], [0, 0]]
        assert found.ua == pytest.approx(0.5)
        assert found.ece == pytest.approx(0.05)
