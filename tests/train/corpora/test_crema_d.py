"""CREMA-D: clips by their names, sound beside them or in them."""

from pathlib import Path

import pytest

from edge.errors import UsageError
from tests.train import made_clips
from train.corpora import crema_d
from train.corpora.utterance import Utterance, VideoSegment


def test_sound_is_the_wav_where_there_is_one_and_the_clips_own_where_not(tmp_path: Path) -> None:
    folder = made_clips.crema_d(tmp_path, actors=["1001"], wavs=["1001_DFA_HAP_XX"])
    expected = []
    for code, label in (("ANG", "angry"), ("HAP", "happy"), ("SAD", "sad")):
        name = f"1001_DFA_{code}_XX"
        clip = folder / "VideoFlash" / f"{name}.flv"
        audio = folder / "AudioWAV" / f"{name}.wav" if code == "HAP" else clip
        expected.append(
            Utterance(name, audio, label, "crema-d-1001", "crema-d", fold="group1", video=VideoSegment(clip))
        )
    assert crema_d.utterances(tmp_path) == expected
    assert crema_d.utterances(folder) == expected


def test_folds_are_groups_of_actors(tmp_path: Path) -> None:
    for actor in range(1001, 1008):
        made_clips.write_text(tmp_path / "VideoFlash" / f"{actor}_IEO_NEU_XX.flv", "")
    folds = [(u.speaker, u.fold) for u in crema_d.utterances(tmp_path)]
    assert folds == [(f"crema-d-{1001 + index}", f"group{1 + index % 5}") for index in range(7)]


def test_a_folder_without_clips_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="give the folder CREMA-D or the one that holds it"):
        crema_d.utterances(tmp_path)
