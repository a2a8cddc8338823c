"""EMO-DB: labels and speakers from file names."""

from collections import Counter
from pathlib import Path

from train.corpora import emodb
from train.corpora.utterance import Utterance

KEPT = [
    ("emodb/03a01Wa.flac", "angry", "emodb-03"),
    ("emodb/03b10Nc.flac", "neutral", "emodb-03"),
    ("emodb/16a07Fb.flac", "happy", "emodb-16"),
    ("emodb/16b02Ta.flac", "sad", "emodb-16"),
]
LEFT_OUT = ["emodb/03a01La.flac", "emodb/03a01Ea.flac", "emodb/03a01Aa.flac"]
COUNTS = {"angry": 127, "happy": 71, "neutral": 79, "sad": 62}


def test_names_give_label_and_speaker_and_other_emotions_are_left_out(tmp_path: Path) -> None:
    for name in [*LEFT_OUT, *(name for name, _, _ in KEPT)]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    expected = [
        Utterance(Path(name).stem, tmp_path / name, label, speaker, "emodb") for name, label, speaker in sorted(KEPT)
    ]
    assert emodb.utterances(tmp_path) == expected


def test_the_real_corpus_has_its_counts(data: Path) -> None:
    voices = emodb.utterances(data)
    assert Counter(voice.label for voice in voices) == COUNTS
    assert len({voice.speaker for voice in voices}) == 10
