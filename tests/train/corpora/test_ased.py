"""ASED: labels, speakers, languages and sexes from file names."""

from collections import Counter
from pathlib import Path

from train.corpora import ased
from train.corpora.utterance import Utterance

NAMED = [
    ("ased/angry/a5-04-01-02-28.opus", "angry", "ased-28", "am", "male"),
    ("ased/fearful/f1-01-02-01-01.opus", "fear", "ased-01", "am", "female"),
    ("ased/happy/h3-04-02-02-53.opus", "happy", "ased-53", "am", "male"),
    ("ased/neutral/n2-03-01-01-09.opus", "neutral", "ased-09", "am", ""),
    ("ased/sad/S4-05-02-02-09.opus", "sad", "ased-09", "am", ""),
]
COUNTS = {"angry": 379, "fear": 402, "happy": 382, "neutral": 405, "sad": 378}


def test_names_give_label_speaker_language_and_sex(tmp_path: Path) -> None:
    for name, *_ in NAMED:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    expected = [
        Utterance(Path(name).stem, tmp_path / name, label, speaker, "ased", language=language, sex=sex)
        for name, label, speaker, language, sex in sorted(NAMED)
    ]
    assert ased.utterances(tmp_path) == expected


def test_the_real_corpus_has_its_counts(data: Path) -> None:
    voices = ased.utterances(data)
    assert Counter(voice.label for voice in voices) == COUNTS
    speakers = {voice.speaker: voice.sex for voice in voices}
    assert Counter(speakers.values()) == {"female": 15, "male": 31, "": 4}
