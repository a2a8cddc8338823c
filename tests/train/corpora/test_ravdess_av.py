"""RAVDESS with its picture: spoken clips anywhere below the folder."""

from pathlib import Path

import pytest

from edge.errors import UsageError
from train.corpora import ravdess_av
from train.corpora.utterance import Utterance, VideoSegment

KEPT = [
    ("Actor_02/01-01-05-02-01-02-02.mp4", "angry", "ravdess-02", "group1"),
    ("Actor_02/01-01-01-01-01-01-02.mp4", "neutral", "ravdess-02", "group1"),
    ("Video_Speech_Actor_17/Actor_17/01-01-03-01-02-01-17.mp4", "happy", "ravdess-17", "group2"),
    ("Video_Speech_Actor_17/Actor_17/01-01-04-01-02-01-17.mp4", "sad", "ravdess-17", "group2"),
]
LEFT_OUT = [
    "Actor_02/02-01-05-02-01-02-02.mp4",
    "Actor_02/01-02-05-02-01-02-02.mp4",
    "Actor_02/01-01-02-01-01-01-02.mp4",
    "Actor_02/._01-01-05-02-01-02-02.mp4",
]


def test_names_give_label_speaker_and_group_and_only_spoken_clips_with_both_tracks_are_kept(tmp_path: Path) -> None:
    for name in [*LEFT_OUT, *(name for name, *_ in KEPT)]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert ravdess_av.utterances(tmp_path) == [
        Utterance(
            (tmp_path / name).stem,
            tmp_path / name,
            label,
            speaker,
            "ravdess-av",
            fold=fold,
            video=VideoSegment(tmp_path / name),
        )
        for name, label, speaker, fold in sorted(KEPT)
    ]


def test_a_folder_without_clips_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no \*\*/01-01-\*\.mp4 in "):
        ravdess_av.utterances(tmp_path)
