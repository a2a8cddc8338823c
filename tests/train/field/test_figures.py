"""Figures of cases by hand."""

import numpy as np
import pytest

from train.field.figures import Case, Subject, measure, split
from train.field.judge import SILENT


def case(truth: str | None, said: str | None, confidence: float = 0.8, speaker: str = "a") -> Case:
    return Case(Subject(truth, speaker, {}), SILENT._replace(label=said, confidence=confidence, is_steady=bool(said)))


def test_a_window_without_emotion_counts_as_wrong() -> None:
    cases = [case("sad", "sad"), case("sad", None), case("angry", "angry"), case("angry", "sad")]
    found = measure(cases)
    assert found.ua is not None
    assert found.wa is not None
    assert found.ua.mean == found.wa.mean == 0.5
    assert found.ua_published == pytest.approx((1 + 0.5) / 2)
    assert found.uncertain == found.unsteady == 0.25
    assert found.confidence == pytest.approx(0.8)
    assert found.ece == pytest.approx(abs(0.8 - 2 / 3))
    assert (found.said, found.said_share) == ("sad", 0.5)
    assert found.found is None


def test_without_truth_there_is_no_accuracy() -> None:
    found = measure([case(None, "sad"), case(None, None)])
    assert (found.ua, found.wa, found.ece, found.ua_published) == (None, None, None, None)
    assert found.uncertain == 0.5


def test_faces_that_were_looked_for_are_counted() -> None:
    cases = [case("sad", "sad")._replace(is_found=found) for found in (True, False, True, True)]
    assert measure(cases).found == 0.75


def test_intervals_know_that_one_speaker_is_one_person() -> None:
    """Ten speakers, all right or all wrong: the interval is that of ten, not of two hundred."""
    cases = [case("sad", "sad" if number % 2 else "angry", speaker=str(number)) for number in range(10)] * 20
    found = measure(cases).wa
    assert found is not None
    assert found.mean == 0.5
    expected = np.quantile(np.random.default_rng(0).binomial(10, 0.5, 100_000) / 10, [0.025, 0.975])
    assert (found.low, found.high) == pytest.approx(tuple(expected), abs=0.051)  # one of ten speakers, and rounding


def test_no_cases_are_an_error() -> None:
    with pytest.raises(ValueError, match="no cases"):
        measure([])


def test_cases_are_split_by_a_key() -> None:
    cases = [case("sad", "sad"), case("angry", "sad"), case("sad", None), case(None, None)]
    parts = split(cases, lambda each: each.subject.truth)
    assert {name: len(part) for name, part in parts.items()} == {"angry": 1, "sad": 2}
