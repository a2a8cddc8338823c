"""Folds for training, validation and test, split by speaker, never by recording."""

from collections.abc import Sequence
from typing import NamedTuple

from edge.errors import UsageError

from ..corpora.copies import same_content
from ..corpora.utterance import Utterance
from ..log import console


class Folds(NamedTuple):
    """Recordings of three disjoint sets of speakers."""

    train: list[Utterance]
    validation: list[Utterance]
    test: list[Utterance]


def by_speaker(voices: Sequence[Utterance], validation_speakers: Sequence[str], test_speakers: Sequence[str]) -> Folds:
    """Split voices by speaker, those not named being trained on; UsageError if one is unknown or in two folds.

    No file is opened.
    """
    speakers = {voice.speaker for voice in voices}
    unknown = sorted((set(validation_speakers) | set(test_speakers)) - speakers)
    if unknown:
        raise UsageError(f"no recordings of {', '.join(unknown)}; there are {', '.join(sorted(speakers))}")
    folds = Folds(
        [voice for voice in voices if voice.speaker not in {*validation_speakers, *test_speakers}],
        [voice for voice in voices if voice.speaker in validation_speakers],
        [voice for voice in voices if voice.speaker in test_speakers],
    )
    check_independent(folds)
    return folds


def split(voices: Sequence[Utterance], validation_speakers: Sequence[str], test_speakers: Sequence[str]) -> Folds:
    """Split voices by speaker, without copies of what is held out; UsageError as `by_speaker`."""
    folds = without_copies(by_speaker(voices, validation_speakers, test_speakers))
    check_independent(folds)
    return folds


def without_copies(folds: Folds) -> Folds:
    """Return the folds without training recordings that are exact copies of validation or test recordings."""
    evaluated = {id(voice) for voice in (*folds.validation, *folds.test)}
    dropped: set[int] = set()
    for alike in same_content([voice for fold in folds for voice in fold]):
        if any(id(voice) in evaluated for voice in alike):
            dropped |= {id(voice) for voice in alike} - evaluated
    for voice in folds.train:
        if id(voice) in dropped:
            console.print(f"left out of training: {voice.path} is an exact copy of a validation or test recording")
    return folds._replace(train=[voice for voice in folds.train if id(voice) not in dropped])


def check_independent(folds: Folds) -> None:
    """Raise UsageError if a fold is empty or a speaker is in two of them."""
    fold_of_speaker: dict[str, str] = {}
    for fold, voices in folds._asdict().items():
        if not voices:
            raise UsageError(f"the {fold} fold has no recordings")
        for speaker in {voice.speaker for voice in voices}:
            if speaker in fold_of_speaker:
                raise UsageError(f"{speaker} is in the {fold_of_speaker[speaker]} fold and in the {fold} fold")
            fold_of_speaker[speaker] = fold
