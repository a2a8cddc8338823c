"""Labels by other words."""

import pytest

from edge.evaluation.labels import WORDS, match

SEVEN = ["angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"]


@pytest.mark.parametrize(
    ("word", "label"),
    [
        *(("anger", "angry"), ("ANG", "angry"), (" Angry ", "angry"), ("joy", "happy"), ("Happiness", "happy")),
        *(("sadness", "sad"), ("SAD", "sad"), ("neutrality", "neutral"), ("neu", "neutral"), ("fearful", "fear")),
        *(("dis", "disgust"), ("surprised", "surprise"), ("calm", None), ("excited", None), ("", None)),
    ],
)
def test_words_of_corpora(word: str, label: str | None) -> None:
    assert match(word, SEVEN) == label


def test_a_bundle_may_use_other_words() -> None:
    assert match("angry", ["Anger", "Joy"]) == "Anger"
    assert match("happy", ["Anger", "Joy"]) == "Joy"


def test_what_could_be_two_labels_is_none_unless_it_is_one() -> None:
    assert match("happiness", ["joy", "happy"]) is None
    assert match("joy", ["joy", "happy"]) == "joy"


def test_no_word_means_two_emotions() -> None:
    words = [word for group in WORDS for word in group]
    assert len(words) == len(set(words))
