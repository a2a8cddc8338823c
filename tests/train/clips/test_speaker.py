"""Of two people in one picture, the crops are those of the one whose mouth goes with the voice, on either side."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edge.preprocess.framing import make_framing
from edge.preprocess.windowing import FrameGrid
from edge.sources.media import read_audio, read_frames
from tests.train.made_clips import FPS, RATE_HZ, write_video, write_wav
from tests.train.made_talkers import SECONDS, SIDES, for_people, mouths, one_who_talks, sides_of, two_talkers
from train.clips.speaker import speaker_crops
from train.config import Config
from train.corpora.utterance import Utterance, VideoSegment

FRAMES_HZ = 5.0


@pytest.fixture(scope="module")
def two() -> Config:
    return for_people(2)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Utterance]:
    """A clip of two people for each side on which the speaker may be."""
    folder = tmp_path_factory.mktemp("talkers")
    return {side: one_who_talks(folder / f"{side}.mp4", side) for side in SIDES}


def images(chosen: Config, utterance: Utterance) -> list[np.ndarray]:
    return [crop.image for crop in speaker_crops(chosen, utterance, FRAMES_HZ)]


@pytest.mark.parametrize("side", SIDES)
def test_the_crops_are_the_speakers(two: Config, clips: dict[str, Utterance], side: str) -> None:
    found = speaker_crops(two, clips[side], FRAMES_HZ)
    assert sides_of([crop.image for crop in found]) == {side}
    slots_ns = np.arange(round(SECONDS * FRAMES_HZ)) * 10**9 / FRAMES_HZ
    np.testing.assert_allclose([crop.time_ns for crop in found], slots_ns, atol=1e6)  # a container's time base: 1 ms


def test_they_are_those_of_the_runtimes_framing(two: Config, clips: dict[str, Utterance]) -> None:
    utterance = clips["right"]
    framing = make_framing("face", two.video.height, two.video.width, people=2)
    followed = [framing(frame.framed).people for frame in read_frames(utterance.path, FrameGrid(FRAMES_HZ))]
    expected = [each.crop for people in followed for each in people if sides_of([each.crop]) == {"right"}]
    np.testing.assert_array_equal(images(two, utterance), expected)


def test_a_frame_rate_of_its_own_is_kept(two: Config, clips: dict[str, Utterance]) -> None:
    found = speaker_crops(two, clips["left"], 10.0)
    slots = [int((crop.time_ns / 1e9 + 1e-3) * 10) for crop in found]  # a container's time base: 1 ms
    assert slots == list(range(round(SECONDS * 10)))
    assert sides_of([crop.image for crop in found]) == {"left"}


def test_where_nobodys_mouth_goes_with_the_voice_there_are_none(two: Config, tmp_path: Path) -> None:
    spoken, other = mouths()
    still = np.zeros_like(spoken)
    assert images(two, two_talkers(tmp_path / "still.mp4", still, still, spoken)) == []
    assert images(two, two_talkers(tmp_path / "unheard.mp4", spoken, other, None)) == []


def test_who_speaks_longer_is_the_speaker(two: Config, tmp_path: Path) -> None:
    spoken, _ = mouths()
    is_first = np.arange(len(spoken)) < 0.7 * len(spoken)
    utterance = two_talkers(tmp_path / "a.mp4", spoken * is_first, spoken * ~is_first, spoken)
    assert sides_of(images(two, utterance)) == {"left"}


def test_audio_of_a_file_of_its_own_begins_with_the_segment(
    two: Config, clips: dict[str, Utterance], tmp_path: Path
) -> None:
    later_s, clip = 0.4, clips["right"]
    apart = write_wav(tmp_path / "a.wav", read_audio(clip.path, RATE_HZ)[round(later_s * RATE_HZ) :])
    utterance = Utterance("a", apart, "happy", "c-a", "c", video=VideoSegment(clip.path, later_s, SECONDS))
    found = images(two, utterance)
    assert sides_of(found) == {"right"}
    assert len(found) == round((SECONDS - later_s) * FRAMES_HZ)


def test_with_one_person_it_is_the_largest_face_whoever_speaks(clips: dict[str, Utterance]) -> None:
    one, utterance = for_people(1), clips["right"]
    framing = make_framing("face", one.video.height, one.video.width)
    expected = [framing(frame.framed).crop for frame in read_frames(utterance.path, FrameGrid(FRAMES_HZ))]
    np.testing.assert_array_equal(images(one, utterance), expected)


@pytest.mark.parametrize("side", SIDES)
def test_real_people_are_told_apart(two: Config, recordings: list[Path], tmp_path: Path, side: str) -> None:
    """One real clip beside another; their person is the same one, so that the right one's colours are exchanged."""
    spoken, other = recordings[:2]

    def both() -> Iterator[np.ndarray]:
        shown = (spoken, other) if side == "left" else (other, spoken)
        frames = [read_frames(path, FrameGrid(FPS)) for path in shown]
        for left, right in zip(*frames, strict=False):
            yield np.concatenate([left.image, right.image[..., ::-1]], axis=1)

    path = write_video(tmp_path / "a.mp4", both(), read_audio(spoken, RATE_HZ), size=(960, 360))
    found = images(two, Utterance("a", path, "happy", "c-a", "c", video=VideoSegment(path)))
    assert len(found) >= 8
    assert sides_of(found) == {side}
