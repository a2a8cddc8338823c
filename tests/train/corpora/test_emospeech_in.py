"""Indian EmoSpeech: labels, speakers, languages and sexes from file names."""

from collections import Counter
from pathlib import Path

from train.corpora import emospeech_in
from train.corpora.utterance import Utterance

NAMED = [
    (
        "emospeech_in/39196b80e3/go-safe-angry-1563208488163-39196b80e3.opus",
        "angry",
        "emospeech_in-39196b80e3",
        "en-IN",
        "",
    ),
    (
        "emospeech_in/5dcce36ff7/bacho-safe-calm-1563000218582-5dcce36ff7.opus",
        "neutral",
        "emospeech_in-5dcce36ff7",
        "hi",
        "",
    ),
    (
        "emospeech_in/5dcce36ff7/help-safe-fearful-1563000287080-5dcce36ff7.opus",
        "fear",
        "emospeech_in-5dcce36ff7",
        "en-IN",
        "",
    ),
    (
        "emospeech_in/5dcce36ff7/unknown-safe-happy-1563000287081-5dcce36ff7.opus",
        "happy",
        "emospeech_in-5dcce36ff7",
        "und",
        "",
    ),
]
COUNTS = {"angry": 316, "fear": 257, "happy": 276, "neutral": 456}


def test_names_give_label_speaker_language_and_sex(tmp_path: Path) -> None:
    for name, *_ in NAMED:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    expected = [
        Utterance(Path(name).stem, tmp_path / name, label, speaker, "emospeech_in", language=language, sex=sex)
        for name, label, speaker, language, sex in sorted(NAMED)
    ]
    assert emospeech_in.utterances(tmp_path) == expected


def test_the_real_corpus_has_its_counts(data: Path) -> None:
    voices = emospeech_in.utterances(data)
    assert Counter(voice.label for voice in voices) == COUNTS
    speakers = {voice.speaker: voice.sex for voice in voices}
    assert Counter(speakers.values()) == {"": 82}
