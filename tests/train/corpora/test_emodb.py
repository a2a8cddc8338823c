"""EMO-DB: labels, speakers, languages and sexes from file names."""

from collections import Counter
from pathlib import Path

from train.corpora import emodb
from train.corpora.utterance import Utterance

NAMED = [
    ("emodb/03a01Wa.flac", "angry", "emodb-03", "de", "male"),
    ("emodb/03a01La.flac", "bored", "emodb-03", "de", "male"),
    ("emodb/03a01Ea.flac", "disgust", "emodb-03", "de", "male"),
    ("emodb/03a01Aa.flac", "fear", "emodb-03", "de", "male"),
    ("emodb/03b10Nc.flac", "neutral", "emodb-03", "de", "male"),
    ("emodb/16a07Fb.flac", "happy", "emodb-16", "de", "female"),
    ("emodb/16b02Ta.flac", "sad", "emodb-16", "de", "female"),
]
COUNTS = {"angry": 127, "bored": 81, "disgust": 46, "fear": 69, "happy": 71, "neutral": 79, "sad": 62}


def test_names_give_label_speaker_language_and_sex(tmp_path: Path) -> None:
    for name, *_ in NAMED:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    expected = [
        Utterance(Path(name).stem, tmp_path / name, label, speaker, "emodb", language=language, sex=sex)
        for name, label, speaker, language, sex in sorted(NAMED)
    ]
    assert emodb.utterances(tmp_path) == expected


def test_the_real_corpus_has_its_counts(data: Path) -> None:
    voices = emodb.utterances(data)
    assert Counter(voice.label for voice in voices) == COUNTS
    speakers = {voice.speaker: voice.sex for voice in voices}
    assert Counter(speakers.values()) == {"female": 5, "male": 5}
