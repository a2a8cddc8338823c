"""RAVDESS: labels, speakers, languages and sexes from file names."""

from collections import Counter
from pathlib import Path

from train.corpora import ravdess
from train.corpora.utterance import Utterance

NAMED = [
    ("ravdess/Actor_02/03-01-05-02-01-02-02.flac", "angry", "ravdess-02", "en", "female"),
    ("ravdess/Actor_02/03-01-01-01-01-01-02.flac", "neutral", "ravdess-02", "en", "female"),
    ("ravdess/Actor_02/03-01-02-01-01-01-02.flac", "calm", "ravdess-02", "en", "female"),
    ("ravdess/Actor_02/03-01-08-01-01-01-02.flac", "surprise", "ravdess-02", "en", "female"),
    ("ravdess/Actor_17/03-01-03-01-02-01-17.flac", "happy", "ravdess-17", "en", "male"),
    ("ravdess/Actor_17/03-01-04-01-02-01-17.flac", "sad", "ravdess-17", "en", "male"),
    ("ravdess/Actor_17/03-01-06-01-02-01-17.flac", "fear", "ravdess-17", "en", "male"),
    ("ravdess/Actor_17/03-01-07-01-02-01-17.flac", "disgust", "ravdess-17", "en", "male"),
]
COUNTS = {
    "angry": 160,
    "calm": 160,
    "disgust": 160,
    "fear": 152,
    "happy": 160,
    "neutral": 80,
    "sad": 160,
    "surprise": 160,
}


def test_names_give_label_speaker_language_and_sex(tmp_path: Path) -> None:
    for name, *_ in NAMED:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    expected = [
        Utterance(Path(name).stem, tmp_path / name, label, speaker, "ravdess", language=language, sex=sex)
        for name, label, speaker, language, sex in sorted(NAMED)
    ]
    assert ravdess.utterances(tmp_path) == expected


def test_the_real_corpus_has_its_counts(data: Path) -> None:
    voices = ravdess.utterances(data)
    assert Counter(voice.label for voice in voices) == COUNTS
    speakers = {voice.speaker: voice.sex for voice in voices}
    assert Counter(speakers.values()) == {"female": 10, "male": 10}
