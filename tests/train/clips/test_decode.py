"""Utterances are cut from their files exactly, by the runtime's own grid."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from edge.errors import SourceError
from edge.preprocess.media import Frame
from edge.preprocess.windowing import FrameGrid
from edge.sources.image_conversion import DecodedImage
from edge.sources.media import read_frames
from tests.train import made_clips
from tests.train.made_clips import FPS, number_of
from train.clips import decode
from train.clips.decode import decode_audio, decode_frames
from train.corpora import crema_d, iemocap
from train.corpora.utterance import Utterance, VideoSegment

COUNT = 90
DARK, LIGHT = (30, 30, 30), (180, 180, 180)
CONTAINERS = {
    "plain.avi": {},
    "reordered.avi": {"bf": "2"},
    "h264.avi": {"codec": "libx264"},
    "h264.mp4": {"codec": "libx264"},
    "clip.flv": {},
    "clip.mkv": {"bf": "2"},
    "no_index.ts": {"codec": "mpeg2video", "bf": "2", "rate": 25},
    "raw.h264": {"codec": "libx264", "rate": 25},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("containers")
    for name, options in CONTAINERS.items():
        made_clips.write_video(made / name, (made_clips.image(n, DARK, LIGHT) for n in range(COUNT)), **options)
    return made


def rate_of(name: str) -> int:
    return CONTAINERS[name].get("rate", FPS)


def numbers(found: Sequence[Frame]) -> list[int]:
    return [number_of(frame.image) for frame in found]


def expected(name: str, begin_s: float, end_s: float, grid_rate_hz: float) -> list[int]:
    """The first frame of each slot of the grid, which begins with the cut."""
    rate = rate_of(name)
    first: dict[int, int] = {}
    for number in range(COUNT):
        if begin_s <= round(number / rate, 9) < end_s:
            first.setdefault(int((number / rate - begin_s) * grid_rate_hz + 1e-6), number)
    return list(first.values())


@pytest.mark.parametrize("name", CONTAINERS)
@pytest.mark.parametrize(("begin_s", "end_s"), [(0.0, 1.0), (0.21, 1.3), (2.0, 2.4), (2.47, 3.3)])
def test_the_very_frames_between_begin_and_end_are_cut(folder: Path, name: str, begin_s: float, end_s: float) -> None:
    found = list(decode_frames(VideoSegment(folder / name, begin_s, end_s), 5.0, 6.0))
    assert numbers(found) == expected(name, begin_s, end_s, 5.0)
    times_s = [number / rate_of(name) - begin_s for number in numbers(found)]
    np.testing.assert_allclose([frame.end_ns / 1e9 for frame in found], times_s, atol=0.001)


@pytest.mark.parametrize("name", ["plain.avi", "h264.mp4", "clip.flv", "no_index.ts", "raw.h264"])
def test_a_whole_file_gives_the_frames_that_the_runtime_takes(folder: Path, name: str) -> None:
    found = list(decode_frames(VideoSegment(folder / name), 5.0, 60.0))
    runtime = list(read_frames(folder / name, FrameGrid(5.0)))
    assert [frame.end_ns for frame in found] == [frame.end_ns for frame in runtime]
    assert numbers(found) == numbers(runtime)


def test_no_more_than_the_longest_is_cut(folder: Path) -> None:
    assert numbers(list(decode_frames(VideoSegment(folder / "plain.avi", 1.0, 5.0), 5.0, 0.5))) == [15, 18, 21]
    assert numbers(list(decode_frames(VideoSegment(folder / "plain.avi", 5.0), 5.0, 6.0))) == [75, 78, 81, 84, 87]


def test_a_cut_behind_the_files_end_has_no_frames(folder: Path) -> None:
    assert list(decode_frames(VideoSegment(folder / "plain.avi", 9.0, 9.5), 5.0, 6.0)) == []


def test_decoding_begins_near_the_cut(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = decode.decode_from
    seen: list[float] = []

    def counted(path: Path, begin_s: float) -> Iterator[tuple[DecodedImage, float]]:
        for image, time_s in original(path, begin_s):
            seen.append(time_s)
            yield image, time_s

    monkeypatch.setattr(decode, "decode_from", counted)
    assert numbers(list(decode.decode_frames(VideoSegment(folder / "plain.avi", 5.0, 5.2), 5.0, 6.0))) == [75]
    assert seen[0] == pytest.approx(60 / FPS)


@pytest.mark.parametrize(("half", "light", "width"), [("left", 30, 36), ("right", 180, 36), ("whole", 105, 72)])
def test_a_half_is_the_speakers_columns(folder: Path, half: str, light: int, width: int) -> None:
    found = next(decode_frames(VideoSegment(folder / "plain.avi", 1.0, 2.0, half), 5.0, 6.0))
    assert found.image.shape == (48, width, 3)
    assert found.image[:20].mean() == pytest.approx(light, abs=3)
    assert number_of(found.image) == 15


def test_a_made_dialog_shows_the_class_in_the_speakers_half(tmp_path: Path) -> None:
    made_clips.iemocap(tmp_path, sessions=1, dialogs=["M_impro01"])
    for utterance in iemocap.utterances(tmp_path):
        assert utterance.video
        found = list(decode_frames(utterance.video, 5.0, 6.0))
        assert len(found) == 3
        for frame in found:
            colour = frame.image[2:20, 4:-4].mean(axis=(0, 1))
            np.testing.assert_allclose(colour, made_clips.COLOURS[utterance.label], atol=12)
        assert len(decode_audio(utterance, 16_000, 6.0)) == 9600


def test_sound_is_resampled_and_cut_to_the_longest(tmp_path: Path) -> None:
    path = made_clips.write_wav(tmp_path / "a.wav", made_clips.class_tone("happy", seconds=1.0))
    heard = decode_audio(Utterance("a", path, "happy", "c-a", "c"), 8000, 0.75)
    assert heard.dtype == np.float32
    assert heard.shape == (6000,)
    assert np.abs(np.fft.rfft(heard)).argmax() * 8000 / 6000 == pytest.approx(500, abs=2)


def test_a_file_with_one_track_gives_nothing_of_the_other(tmp_path: Path, folder: Path) -> None:
    path = made_clips.write_wav(tmp_path / "a.wav", made_clips.class_tone("sad"))
    assert list(decode_frames(VideoSegment(path), 5.0, 6.0)) == []
    silent = decode_audio(Utterance("b", folder / "plain.avi", "sad", "c-a", "c"), 16_000, 6.0)
    assert (silent.dtype, silent.shape) == (np.float32, (0,))


def test_a_missing_and_a_damaged_file_are_refused_by_name(tmp_path: Path) -> None:
    damaged = made_clips.write_text(tmp_path / "damaged.avi", "RIFF, and no more")
    for path, message in ((tmp_path / "none.avi", "no such file: .*none.avi"), (damaged, "damaged.avi cannot be read")):
        with pytest.raises(SourceError, match=message):
            list(decode_frames(VideoSegment(path), 5.0, 6.0))
        with pytest.raises(SourceError, match=message):
            decode_audio(Utterance("a", path, "sad", "c-a", "c"), 16_000, 6.0)


def test_real_clips_are_cut(tmp_path: Path) -> None:
    if "FOAL_CLIPS" not in os.environ:
        pytest.skip("FOAL_CLIPS names no folder of CREMA-D clips (.flv)")
    (tmp_path / "VideoFlash").symlink_to(Path(os.environ["FOAL_CLIPS"]).absolute())
    utterances = crema_d.utterances(tmp_path)
    assert utterances
    for utterance in utterances:
        assert utterance.video
        found = list(decode_frames(utterance.video, 5.0, 6.0))
        seconds = len(decode_audio(utterance, 16_000, 6.0)) / 16_000
        assert 1 < seconds < 6
        assert len(found) == pytest.approx(5 * seconds, abs=2)
        assert [frame.end_ns * 5 // 10**9 for frame in found] == list(range(len(found)))
        assert {frame.image.shape for frame in found} == {(360, 480, 3)}
