"""When claps and flashes began, to the sample and to the frame."""

import numpy as np
import pytest

from edge.errors import SourceError
from edge.preprocess.media import Block, Frame
from edge.sync.onsets import OnsetDetector, brightness, clap_starts, flash_starts
from tests.edge.sync.made_claps import as_media, claps, flashes

MS = 1_000_000
RATE_HZ = 16000


def kept(media) -> OnsetDetector:
    detector = OnsetDetector()
    for item in media:
        detector.add(item)
    return detector


@pytest.mark.parametrize("noise", [0.0, 0.001, 0.02])
def test_a_clap_begins_at_its_first_sample(noise: float) -> None:
    at_s = np.array([1.00003, 2.5, 4.1234, 6.0])
    samples = np.float32(claps(at_s, 8, RATE_HZ, noise))
    np.testing.assert_allclose(clap_starts(samples, RATE_HZ) / RATE_HZ, at_s, atol=0.0005)


def test_tones_swells_and_soft_clicks_are_no_claps() -> None:
    time_s = np.arange(4 * RATE_HZ) / RATE_HZ
    tone = 0.3 * np.sin(2 * np.pi * 440 * time_s)
    swelling = tone * (1 + np.sin(2 * np.pi * 1.5 * time_s)) / 2
    soft = 0.01 * claps(np.array([1.0]), 4, RATE_HZ, 0.00001)
    for samples in (tone, swelling + 0.01 * np.sin(2 * np.pi * 90 * time_s), soft):
        assert len(clap_starts(np.float32(samples), RATE_HZ)) == 0


def test_an_echo_is_no_second_clap() -> None:
    samples = np.float32(claps(np.array([1.0]), 3, RATE_HZ) + 0.5 * claps(np.array([1.15]), 3, RATE_HZ))
    assert clap_starts(samples, RATE_HZ).tolist() == [RATE_HZ]


def test_times_are_those_of_the_blocks_whatever_lies_between_them() -> None:
    """Sound that was lost for 3 s: what comes after is timed by its own block."""
    media = as_media(claps(np.array([1.0, 3.0]), 4, RATE_HZ), [])
    moved = [Block(block.samples, block.end_ns + (3000 * MS if block.end_ns > 2000 * MS else 0)) for block in media]
    np.testing.assert_allclose(kept(moved).claps_ns(RATE_HZ), [1000 * MS, 6000 * MS], atol=0.2 * MS)


@pytest.mark.parametrize("fps", [5, 25, 30, 240])
def test_a_flash_is_the_first_frame_that_shows_it(fps: int) -> None:
    levels = flashes(np.array([1.0, 3.0, 5.0]), 7, fps)[:, 0, 0, 0]
    found = kept(as_media(np.zeros(0), levels, fps=fps))
    assert found.frame_ns == pytest.approx(1e9 / fps, abs=1)
    np.testing.assert_allclose(found.flashes_ns(), [1000 * MS, 3000 * MS, 5000 * MS], atol=1)


def test_a_first_frame_that_is_half_lit_is_the_flash() -> None:
    levels = np.full(100, 40.0)
    levels[50], levels[51:56] = 130, 220
    assert flash_starts(levels, 40 * MS).tolist() == [50]


def test_slow_light_noise_and_flicker_are_no_flashes() -> None:
    frames = np.arange(250)
    sunrise = np.linspace(20, 220, 250)
    noise = 100 + np.random.default_rng(0).normal(0, 3, 250)
    flicker = 100 + 60 * (frames % 2)
    for levels in (sunrise, noise, flicker):
        assert len(flash_starts(levels, 40 * MS)) == 0


def test_brightness_is_the_mean_of_the_whole_image() -> None:
    image = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    assert brightness(image) == pytest.approx(image.mean(), abs=1)
    assert brightness(np.full((3, 2, 3), 7, np.uint8)) == 7


def test_without_a_clap_or_a_flash_the_error_says_the_levels() -> None:
    detector = kept([Block(np.full(320, 0.25, np.float32), 20 * MS), Frame(np.full((4, 4, 3), 90, np.uint8), 0)])
    with pytest.raises(
        SourceError, match=r"no clap was detected in 0.0 s of audio, the loudest sample 0.25 .*clap or click"
    ):
        detector.claps_ns(RATE_HZ)
    with pytest.raises(
        SourceError, match=r"no flash was detected in 1 frames, their brightness 90 to 90 of 255; point"
    ):
        detector.flashes_ns()
    with pytest.raises(SourceError, match=r"no clap was detected in 0\.0 s of audio"):
        OnsetDetector().claps_ns(RATE_HZ)
    with pytest.raises(SourceError, match="no flash was detected in 0 frames"):
        OnsetDetector().flashes_ns()
