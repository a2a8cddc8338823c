"""Whom the field test takes: people whom nobody trained on, in turn from every group."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from train.config import Config
from train.field.recordings import Recordings, balanced, is_kept_for_tests

FACES = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


@pytest.mark.parametrize(
    ("fold", "speakers"),
    [
        ("validation", {"ravdess-18", "emodb-15", "nemo-TP0"}),
        ("test", {"ravdess-14", "emodb-13", "nemo-WR0"}),
        ("held-out", {"ravdess-18", "emodb-15", "nemo-TP0", "ravdess-14", "emodb-13", "nemo-WR0"}),
    ],
)
def test_voices_are_of_the_folds_speakers(corpora: Path, tiny: Config, fold: str, speakers: set[str]) -> None:
    found = Recordings(tiny, tiny.labels, corpora, fold, 100, 1)  # type: ignore[arg-type]
    assert {voice.utterance.speaker for voice in found.voices} == speakers
    assert {voice.utterance.label for voice in found.voices} == set(tiny.labels)


def test_a_corpus_that_is_not_there_is_left_out(
    corpora: Path, tiny: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    found = Recordings(tiny, tiny.labels, corpora, "held-out", 100, 1)
    assert set(found.whole_corpora()).isdisjoint(("ravdess", "emodb", "nemo"))
    assert "left out" in capsys.readouterr().out


def test_faces_have_the_label_that_their_picture_shows(corpora: Path, tiny: Config) -> None:
    """A made face is noise around the lightness of its class."""
    found = Recordings(tiny, tiny.labels, corpora, "held-out", 100, 1).faces_as_first_labelled
    assert {face.subject.truth for face in found} == set(tiny.labels)
    for face in found:
        assert face.image.shape == (48, 48, 3)
        assert FACES[round((face.image.mean() - 40) / 20)] == face.subject.truth


def test_a_share_of_every_group_is_taken() -> None:
    items = list(range(100))
    keys = ["many" if item < 90 else "few" for item in items]
    chosen = balanced(items, keys, 20, seed=1)
    assert Counter(keys[item] for item in chosen) == {"many": 10, "few": 10}
    assert chosen == balanced(items, keys, 20, seed=1)
    assert chosen != balanced(items, keys, 20, seed=2)
    assert sorted(balanced(items, keys, 1000, seed=1)) == items


def test_a_third_of_the_photographed_people_is_kept() -> None:
    kept = np.mean([is_kept_for_tests(f"Person_{number}") for number in range(3000)])
    assert kept == pytest.approx(1 / 3, abs=0.03)
