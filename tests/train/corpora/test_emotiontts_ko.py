"""emotiontts_open_db: labels, speakers, languages and sexes from file names."""

from collections import Counter
from pathlib import Path

from train.corpora import emotiontts_ko
from train.corpora.utterance import Utterance

NAMED = [
    ("emotiontts_ko/ema00001_neutral.opus", "neutral", "emotiontts_ko-ema", "ko", "female"),
    ("emotiontts_ko/emf00203_angry.opus", "angry", "emotiontts_ko-emf", "ko", "male"),
    ("emotiontts_ko/ned00305_sad.opus", "sad", "emotiontts_ko-ned", "ko", "female"),
    ("emotiontts_ko/nek00103_happy.opus", "happy", "emotiontts_ko-nek", "ko", "male"),
]
COUNTS = {"angry": 60, "happy": 60, "neutral": 60, "sad": 60}


def test_names_give_label_speaker_language_and_sex(tmp_path: Path) -> None:
    for name, *_ in NAMED:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    expected = [
        Utterance(Path(name).stem, tmp_path / name, label, speaker, "emotiontts_ko", language=language, sex=sex)
        for name, label, speaker, language, sex in sorted(NAMED)
    ]
    assert emotiontts_ko.utterances(tmp_path) == expected


def test_the_real_corpus_has_its_counts(data: Path) -> None:
    voices = emotiontts_ko.utterances(data)
    assert Counter(voice.label for voice in voices) == COUNTS
    speakers = {voice.speaker: voice.sex for voice in voices}
    assert Counter(speakers.values()) == {"female": 5, "male": 7}
