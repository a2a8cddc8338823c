"""EMOVO: labels, speakers, languages and sexes from file names."""

from collections import Counter
from pathlib import Path

from train.corpora import emovo
from train.corpora.utterance import Utterance

NAMED = [
    ("emovo/rab-f1-b1.opus", "angry", "emovo-f1", "it", "female"),
    ("emovo/dis-f1-b2.opus", "disgust", "emovo-f1", "it", "female"),
    ("emovo/pau-f2-d1.opus", "fear", "emovo-f2", "it", "female"),
    ("emovo/gio-m1-l1.opus", "happy", "emovo-m1", "it", "male"),
    ("emovo/neu-m1-l2.opus", "neutral", "emovo-m1", "it", "male"),
    ("emovo/tri-m2-n5.opus", "sad", "emovo-m2", "it", "male"),
    ("emovo/sor-m2-n4.opus", "surprise", "emovo-m2", "it", "male"),
]
COUNTS = {"angry": 56, "disgust": 56, "fear": 56, "happy": 56, "neutral": 56, "sad": 56, "surprise": 56}


def test_names_give_label_speaker_language_and_sex(tmp_path: Path) -> None:
    for name, *_ in NAMED:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    expected = [
        Utterance(Path(name).stem, tmp_path / name, label, speaker, "emovo", language=language, sex=sex)
        for name, label, speaker, language, sex in sorted(NAMED)
    ]
    assert emovo.utterances(tmp_path) == expected


def test_the_real_corpus_has_its_counts(data: Path) -> None:
    voices = emovo.utterances(data)
    assert Counter(voice.label for voice in voices) == COUNTS
    speakers = {voice.speaker: voice.sex for voice in voices}
    assert Counter(speakers.values()) == {"female": 2, "male": 2}
