"""nEMO: labels and speakers from file names."""

from collections import Counter
from pathlib import Path

from train.corpora import nemo
from train.corpora.utterance import Utterance

KEPT = [
    ("nemo/SM0_anger_1.opus", "angry", "nemo-SM0"),
    ("nemo/SM0_neutral_20.opus", "neutral", "nemo-SM0"),
    ("nemo/WR0_happiness_3.opus", "happy", "nemo-WR0"),
    ("nemo/WR0_sadness_14.opus", "sad", "nemo-WR0"),
]
LEFT_OUT = ["nemo/SM0_fear_1.opus", "nemo/SM0_surprise_2.opus"]
COUNTS = {"angry": 749, "happy": 749, "neutral": 809, "sad": 769}


def test_names_give_label_and_speaker_and_other_emotions_are_left_out(tmp_path: Path) -> None:
    for name in [*LEFT_OUT, *(name for name, _, _ in KEPT)]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    expected = [
        Utterance(Path(name).stem, tmp_path / name, label, speaker, "nemo") for name, label, speaker in sorted(KEPT)
    ]
    assert nemo.utterances(tmp_path) == expected


def test_the_real_corpus_has_its_counts(data: Path) -> None:
    voices = nemo.utterances(data)
    assert Counter(voice.label for voice in voices) == COUNTS
    assert len({voice.speaker for voice in voices}) == 9
