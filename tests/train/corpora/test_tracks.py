"""How much sound and picture files hold."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.train import made_clips
from train.corpora import tracks
from train.corpora.tracks import Track


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return made_clips.write_clip(tmp_path / "clip.avi", "sad", seconds=4.0)


def test_unless_decoded_the_header_is_believed(clip: Path) -> None:
    assert tracks.audio(clip, False).duration_s == pytest.approx(0.12)
    assert tracks.video(clip, False) == Track(4.0, 4.0)


def test_decoded_the_tracks_are_as_long_as_what_was_recorded(clip: Path) -> None:
    assert tracks.audio(clip, True).duration_s == pytest.approx(4.0, abs=0.06)
    assert tracks.video(clip, True).duration_s == pytest.approx(4.0, abs=0.1)


@pytest.mark.parametrize("deep", [False, True])
def test_a_track_that_is_not_there_has_no_length(tmp_path: Path, deep: bool) -> None:
    audio = made_clips.write_wav(tmp_path / "a.wav", made_clips.class_tone("sad"))
    video = made_clips.write_video(tmp_path / "b.avi", [made_clips.image(0, (0, 0, 0), (9, 9, 9))] * 9)
    assert tracks.video(audio, deep) == tracks.audio(video, deep) == Track(None)


def test_damage_in_the_middle_is_found_by_decoding(clip: Path) -> None:
    content = bytearray(clip.read_bytes())
    third, half = len(content) // 3, len(content) // 2
    content[third:half] = bytes(half - third)
    clip.write_bytes(content)
    assert tracks.audio(clip, False) == Track(pytest.approx(0.12), header_duration_s=pytest.approx(4.0, abs=0.05))
    assert tracks.audio(clip, True).problem.startswith(f"{clip} at 1.09 s: damaged audio is skipped")


@pytest.mark.parametrize("measure", [tracks.audio, tracks.video])
def test_a_folder_is_no_recording(tmp_path: Path, measure: Callable[[Path, bool], Track]) -> None:
    found = measure(tmp_path, False)
    assert found.duration_s is None
    assert found.problem.startswith(f"{tmp_path} is a directory")


@pytest.mark.parametrize("deep", [False, True])
def test_whatever_a_decoder_raises_is_the_files_own(clip: Path, deep: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise IndexError("tuple index out of range")

    monkeypatch.setattr(tracks, "read_blocks", broken)
    monkeypatch.setattr(tracks, "read_frames", broken)
    for track in (tracks.audio(clip, deep), tracks.video(clip, deep)):
        assert track == Track(None, problem=f"{clip} has failed: IndexError: tuple index out of range")
