"""Who is trained on, who is validated on, who is tested on: by speaker, never by recording."""

from collections.abc import Sequence
from typing import NamedTuple

from edge.errors import UsageError

from ..corpora.utterance import Utterance


class Folds(NamedTuple):
    """Recordings of three disjoint sets of speakers."""

    train: list[Utterance]
    validation: list[Utterance]
    test: list[Utterance]


def split(voices: Sequence[Utterance], validation_speakers: Sequence[str], test_speakers: Sequence[str]) -> Folds:
    """Everyone not named trains; UsageError where a named speaker is unknown or in two folds."""
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


def check_independent(folds: Folds) -> None:
    """UsageError where a fold is empty or a speaker is heard in two of them."""
    heard: dict[str, str] = {}
    for fold, voices in folds._asdict().items():
        if not voices:
            raise UsageError(f"the {fold} fold has no recordings")
        for speaker in {voice.speaker for voice in voices}:
            if speaker in heard:
                raise UsageError(f"{speaker} is in the {heard[speaker]} fold and in the {fold} fold")
            heard[speaker] = fold
