"""Folds are made of whole speakers."""

from pathlib import Path

import pytest

from edge.errors import UsageError
from tests.train import made
from train import config
from train.corpora import ased, emodb, nemo, ravdess
from train.corpora.utterance import Utterance
from train.voices_and_faces.folds import Folds, check_independent, split


def voice(speaker: str, number: int = 0) -> Utterance:
    name = f"{speaker}-{number}"
    return Utterance(name, Path(f"{name}.flac"), "sad", speaker, "corpus")


VOICES = [voice(speaker, number) for number in range(2) for speaker in "abcd"]


def test_every_recording_of_a_speaker_goes_to_one_fold() -> None:
    folds = split(VOICES, ["b"], ["d", "c"])
    assert [sorted(v.name for v in fold) for fold in folds] == [
        ["a-0", "a-1"],
        ["b-0", "b-1"],
        ["c-0", "c-1", "d-0", "d-1"],
    ]


@pytest.mark.parametrize(
    ("validation", "test", "message"),
    [
        (["b"], ["b", "c"], "b is in the validation fold and in the test fold"),
        (["x"], ["b", "y"], "no recordings of x, y; there are a, b, c, d"),
        ([], ["b"], "the validation fold has no recordings"),
        (["b"], [], "the test fold has no recordings"),
        (["a", "b"], ["c", "d"], "the train fold has no recordings"),
    ],
)
def test_a_split_that_cannot_be_meant_is_refused(validation: list[str], test: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        split(VOICES, validation, test)


def test_a_speaker_heard_in_training_and_testing_is_refused() -> None:
    with pytest.raises(UsageError, match="a is in the train fold and in the test fold"):
        check_independent(Folds([voice("a")], [voice("b")], [voice("a", 1)]))


def test_the_shipped_split_is_of_different_people(data: Path) -> None:
    shipped = config.load(made.SHIPPED)
    found = [voice for corpus in (ravdess, emodb, nemo, ased) for voice in corpus.utterances(data)]
    voices = [voice for voice in found if voice.label in shipped.labels]
    folds = split(voices, shipped.recipe.validation_speakers, shipped.recipe.test_speakers)
    speakers = [{voice.speaker for voice in fold} for fold in folds]
    assert len(set.union(*speakers)) == sum(map(len, speakers)) == 39 + 49
    assert [len(fold) for fold in folds] == [
        len(voices) - len(folds.validation) - len(folds.test),
        *map(len, folds[1:]),
    ]
    for fold in folds:
        assert {voice.label for voice in fold} == set(shipped.labels)
        assert {voice.corpus for voice in fold} == {"ravdess", "emodb", "nemo", "ased"}
