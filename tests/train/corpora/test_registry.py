"""Every corpus has a name."""

import pytest

from edge.errors import UsageError
from train.corpora import crema_d
from train.corpora.registry import CLIPS, VOICES, find
from train.corpora.utterance import LABELS


def test_voices_and_clips_are_apart() -> None:
    assert list(VOICES) == ["ravdess", "emodb", "nemo", "ased", "emospeech_in", "emotiontts_ko", "emovo"]
    assert list(CLIPS) == ["iemocap", "crema-d", "ravdess-av", "meld", "table"]


@pytest.mark.parametrize("name", [*VOICES, *CLIPS])
def test_every_corpus_says_what_it_is_in_a_line(name: str) -> None:
    assert 20 < len(find(name).ABOUT) < 120
    assert "\n" not in find(name).ABOUT
    assert set(getattr(find(name), "EXPECTED", LABELS)) == set(LABELS)


def test_a_corpus_is_found_by_its_name() -> None:
    assert find("crema-d") is crema_d


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"no corpus is named cremad; there are ravdess, .*, emovo, iemocap, crema-d"):
        find("cremad")
