"""Who trains, who chooses and who is tested in leave-one-fold-out cross-validation."""

from pathlib import Path

import pytest
import torch

from edge.errors import UsageError
from train.clips.split import PROTOCOLS, Protocol, Split, folds, shared_speakers, split
from train.corpora import iemocap
from train.corpora.utterance import Utterance

FOLDS = ["b", "a", "c", "d", "b", "a", "c", "d", "d"]


def utterances(names: list[str], speakers: str = "") -> list[Utterance]:
    """One of each fold and speaker, in this order; without `speakers` each is another one."""
    return [
        Utterance(f"u{row}", Path(f"u{row}.wav"), "sad", speaker or f"c-{row}", "c", fold)
        for row, (fold, speaker) in enumerate(zip(names, speakers or [""] * len(names), strict=True))
    ]


def rows(part: torch.Tensor) -> list[int]:
    assert part.dtype == torch.int64
    return part.tolist()


def all_of(protocol: Protocol) -> list[Split]:
    return [split(utterances(FOLDS), left_out, protocol) for left_out in "abcd"]


def test_folds_are_in_the_corpus_own_order() -> None:
    assert folds(utterances(FOLDS)) == ["b", "a", "c", "d"]
    assert folds(utterances(["train", "train", "dev", "test"])) == ["train", "dev", "test"]


def test_of_a_split_into_train_dev_and_test_the_last_is_tested_and_dev_chooses() -> None:
    found = split(utterances(["train", "train", "dev", "test"]), "test", "strict")
    assert [rows(part) for part in found] == [[0, 1], [2], [3]]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_utterance_is_tested_exactly_once(protocol: Protocol) -> None:
    tested = [row for found in all_of(protocol) for row in rows(found.test)]
    assert sorted(tested) == list(range(len(FOLDS)))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_nobody_who_chooses_or_is_tested_trains(protocol: Protocol) -> None:
    for found in all_of(protocol):
        assert not {*rows(found.train)} & {*rows(found.validation), *rows(found.test)}
        assert sorted({*rows(found.train), *rows(found.validation), *rows(found.test)}) == list(range(len(FOLDS)))


def test_as_published_the_left_out_fold_chooses() -> None:
    found = split(utterances(FOLDS), "b", "published")
    assert [rows(part) for part in found] == [[1, 2, 3, 5, 6, 7, 8], [0, 4], [0, 4]]


@pytest.mark.parametrize(
    ("left_out", "train", "validation", "test"),
    [("b", [1, 2, 5, 6], [3, 7, 8], [0, 4]), ("d", [0, 1, 4, 5], [2, 6], [3, 7, 8])],
)
def test_strictly_the_fold_before_the_left_out_one_chooses(
    left_out: str, train: list[int], validation: list[int], test: list[int]
) -> None:
    found = split(utterances(FOLDS), left_out, "strict")
    assert [rows(part) for part in found] == [train, validation, test]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_no_actor_of_a_made_release_is_on_two_sides(release: Path, protocol: Protocol) -> None:
    found = iemocap.utterances(release)
    assert shared_speakers(found) == []
    for left_out in folds(found):
        train, validation, test = ({found[row].speaker for row in part} for part in split(found, left_out, protocol))
        assert (len(train), len(validation), len(test)) == (8 if protocol == "published" else 6, 2, 2)
        assert not train & (validation | test)
        assert (validation == test) == (protocol == "published")


def test_speakers_of_several_folds_are_named() -> None:
    assert shared_speakers(utterances(["a", "b", "c", "a"], "xyxz")) == ["x"]
    assert shared_speakers(utterances(["a", "b", "c", "a"], "xyzx")) == []


def test_two_folds_are_too_few() -> None:
    with pytest.raises(UsageError, match="the corpus has the folds a, b; cross-validation needs at least three"):
        folds(utterances(["a", "b", "a"]))
    with pytest.raises(UsageError, match="at least three"):
        split(utterances(["a", "b", "a"]), "a", "strict")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["A", "a", "b"], "fold 'a' has no file name of its own, as that of 'A' is the same"),
        (["1.5", "1-5", "2"], r"fold '1-5' has .* that of '1\.5' is the same"),
        (["1", "+", "2"], r"fold '\+' has no file name of its own, as nothing is left of it"),
    ],
)
def test_folds_that_would_share_a_file_are_refused(names: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        folds(utterances(names))
