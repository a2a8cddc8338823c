"""nEMO: labels, speakers, languages and sexes from file names."""

from collections import Counter
from pathlib import Path

from train.corpora import nemo
from train.corpora.utterance import Utterance

NAMED = [
    ("nemo/SM0_anger_1.opus", "angry", "nemo-SM0", "pl", "male"),
    ("nemo/SM0_fear_1.opus", "fear", "nemo-SM0", "pl", "male"),
    ("nemo/SM0_neutral_20.opus", "neutral", "nemo-SM0", "pl", "male"),
    ("nemo/EB0_happiness_3.opus", "happy", "nemo-EB0", "pl", "female"),
    ("nemo/EB0_sadness_14.opus", "sad", "nemo-EB0", "pl", "female"),
    ("nemo/EB0_surprised_2.opus", "surprise", "nemo-EB0", "pl", "female"),
]
COUNTS = {"angry": 749, "happy": 749, "neutral": 809, "sad": 769}


def test_names_give_label_speaker_language_and_sex(tmp_path: Path) -> None:
    for name, *_ in NAMED:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    expected = [
        Utterance(Path(name).stem, tmp_path / name, label, speaker, "nemo", language=language, sex=sex)
        for name, label, speaker, language, sex in sorted(NAMED)
    ]
    assert nemo.utterances(tmp_path) == expected


def test_the_real_corpus_has_its_counts(data: Path) -> None:
    voices = nemo.utterances(data)
    assert Counter(voice.label for voice in voices) == COUNTS
    speakers = {voice.speaker: voice.sex for voice in voices}
    assert Counter(speakers.values()) == {"female": 4, "male": 5}
