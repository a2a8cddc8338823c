"""RAVDESS: labels and speakers from file names."""

from collections import Counter
from pathlib import Path

from train.corpora import ravdess
from train.corpora.utterance import Utterance

KEPT = [
    ("ravdess/Actor_02/03-01-05-02-01-02-02.flac", "angry", "ravdess-02"),
    ("ravdess/Actor_02/03-01-01-01-01-01-02.flac", "neutral", "ravdess-02"),
    ("ravdess/Actor_17/03-01-03-01-02-01-17.flac", "happy", "ravdess-17"),
    ("ravdess/Actor_17/03-01-04-01-02-01-17.flac", "sad", "ravdess-17"),
]
LEFT_OUT = ["ravdess/Actor_02/03-01-02-01-01-01-02.flac", "ravdess/Actor_02/03-01-08-01-01-01-02.flac"]
COUNTS = {"angry": 160, "happy": 160, "neutral": 80, "sad": 160}


def test_names_give_label_and_speaker_and_other_emotions_are_left_out(tmp_path: Path) -> None:
    for name in [*LEFT_OUT, *(name for name, _, _ in KEPT)]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    expected = [
        Utterance(Path(name).stem, tmp_path / name, label, speaker, "ravdess") for name, label, speaker in sorted(KEPT)
    ]
    assert ravdess.utterances(tmp_path) == expected


def test_the_real_corpus_has_its_counts(data: Path) -> None:
    voices = ravdess.utterances(data)
    assert Counter(voice.label for voice in voices) == COUNTS
    assert len({voice.speaker for voice in voices}) == 20
