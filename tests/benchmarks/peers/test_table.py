"""Accuracy of models with other labels, and the table of them."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.peers.job import Answer
from benchmarks.peers.models import Model
from benchmarks.peers.pictures import FaceSet
from benchmarks.peers.run import Measured
from benchmarks.peers.table import FOUR, SEVEN, accuracy_columns, markdown, unweighted_accuracy

LABELS = ["fear", "sad", "neutral", "happy", "angry"]
PROBS = [[0.9, 0.06, 0.04, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0, 0.0], [0.0, 0.2, 0.5, 0.3, 0.0], [0.0, 0.0, 0.6, 0.0, 0.4]]


def test_other_labels_are_dropped_and_faces_with_another_truth_do_not_count() -> None:
    found = unweighted_accuracy(
        LABELS, [*PROBS, [1.0, 0.0, 0.0, 0.0, 0.0]], ["sad", "happy", None, "sad", "fear"], FOUR
    )
    assert found is not None
    ua, count = found
    assert count == 3
    assert ua.mean == pytest.approx((1 / 2 + 1) / 2)  # of the sad ones the first, for which fear had most
    assert ua.low <= ua.mean <= ua.high


def test_a_face_without_any_of_the_labels_is_a_guess() -> None:
    found = unweighted_accuracy(LABELS, [[1.0, 0.0, 0.0, 0.0, 0.0]], ["angry"], FOUR)
    assert found is not None
    assert np.isfinite(found[0].mean)


def test_a_model_that_lacks_a_label_has_no_accuracy() -> None:
    assert unweighted_accuracy(LABELS, PROBS, ["sad", "happy", "angry", "sad"], SEVEN) is None


def made(probs: list[list[list[float]]], labels: list[str] = LABELS) -> Measured:
    answer = Answer(labels, probs, cpu_ms=2.5, weights_bytes=93_160)
    return Measured(Model("made", "npm, 1.0", ("false",), Path()), answer, [2.5, 9.0, 2.4], [], [0.5, 0.7, 0.6])


def made_set(name: str, *sources: str) -> FaceSet:
    truth: list[str | None] = ["sad", "happy", "neutral", "angry"]
    return FaceSet(name, np.zeros((4, 48, 48), np.uint8), dict.fromkeys(sources, truth))


def test_crops_of_the_same_photographs_share_the_column_of_the_better_one() -> None:
    sets = [made_set("photographs, 80% of their sides", "one rater"), made_set("photographs, 100% of", "one rater")]
    better, worse = PROBS, [PROBS[1]] * 4
    for probs in ([better, worse], [worse, better]):
        columns = accuracy_columns(made(probs), sets)
        assert [*columns] == ["photographs, one rater"]
        found = columns["photographs, one rater"]
        assert found is not None
        assert found[0].mean == pytest.approx(3 / 4)


def test_the_table_has_medians_and_a_dash_where_a_label_is_lacking() -> None:
    lines = markdown([made([PROBS])], [made_set("FER2013", "raters", "first labels")]).splitlines()
    assert len(lines) == 3
    assert "FER2013, raters (4) | FER2013, raters, seven labels | FER2013, first labels (4)" in lines[0]
    assert lines[2].startswith("| made | npm, 1.0 | 2.50 | the same | 0.0932 | 0.600 | 75.0 (")
    assert " | - | 75.0 (" in lines[2]
