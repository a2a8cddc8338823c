"""Channels made one, against their arithmetic."""

import re
from collections import Counter

import numpy as np
import pytest

from edge.sources.audio_conversion import Downmixer, Resampler
from edge.sources.defects import Defects

RATE_HZ = 48000
STEREO, SURROUND = ("FL", "FR"), ("FL", "FR", "FC", "LFE", "BL", "BR")


def voice(seconds: float = 1.0, hz: float = 220.0) -> np.ndarray:
    return np.float32(0.3 * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE_HZ)) / RATE_HZ))


def noise(seed: int, seconds: float = 1.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, round(seconds * RATE_HZ)).astype(np.float32)


class Heard:
    """What a mix gives, in pieces of 20 ms, and what it says and counts."""

    def __init__(self, names: tuple[str, ...], *channels: np.ndarray) -> None:
        self.said: list[str] = []
        self.dropped = Counter[str]()
        mono = Downmixer(RATE_HZ, names, Defects("it", self.dropped, self.said.append))
        pieces = np.split(np.stack(channels), range(960, len(channels[0]), 960), axis=1)
        self.samples = np.concatenate([mono(piece, 1_000_000_000) for piece in pieces])


def test_one_channel_is_as_it_was() -> None:
    np.testing.assert_array_equal(Heard(("FC",), voice()).samples, voice())


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (voice(), voice()),
        (voice(), 0 * voice()),
        (noise(1), noise(2)),
        (voice(), -0.5 * voice()),
        (voice() + noise(1), -voice() + noise(1)),
    ],
)
def test_stereo_is_its_mean(left: np.ndarray, right: np.ndarray) -> None:
    heard = Heard(STEREO, left, right)
    np.testing.assert_allclose(heard.samples, (left + right) / 2, atol=1e-7)
    assert not heard.said


@pytest.mark.parametrize("rest", [0 * voice(), noise(3) * 0.01])
def test_of_cancelling_channels_one_is_used_and_reported_once(rest: np.ndarray) -> None:
    heard = Heard(STEREO, voice(), -voice() + rest)
    assert np.abs(np.abs(heard.samples) - np.abs(voice())).max() < 0.01
    [said] = heard.said
    assert re.fullmatch(r"it at 1.00 s: its channels cancel each other out; only channel [12] is used", said)


def test_a_dc_offset_that_channels_share_hides_no_cancellation() -> None:
    """A balanced line on a stereo input: its inverted half on the right, the converter's offset on both."""
    heard = Heard(STEREO, voice() + 0.3, 0.3 - voice())
    assert np.abs(np.abs(heard.samples - 0.3) - np.abs(voice())).max() < 0.01
    assert len(heard.said) == 1


def test_wide_music_does_not_switch_back_and_forth() -> None:
    """Left and right sway between alike and opposite, four times a second."""
    sway = np.sin(2 * np.pi * 4 * np.arange(4 * RATE_HZ) / RATE_HZ).astype(np.float32)
    left, right = voice(4.0), voice(4.0) * sway
    heard = Heard(STEREO, left, right)
    np.testing.assert_allclose(heard.samples, (left + right) / 2, atol=1e-7)


def test_a_mix_that_no_longer_cancels_is_used_again() -> None:
    left = np.concatenate([voice(), noise(1, 3.0)])
    right = np.concatenate([-voice(), noise(1, 3.0)])
    heard = Heard(STEREO, left, right)
    np.testing.assert_array_equal(heard.samples[:RATE_HZ], voice())
    np.testing.assert_allclose(heard.samples[-RATE_HZ:], noise(1, 3.0)[-RATE_HZ:], atol=1e-7)


def test_of_surround_audio_the_centre_is_used() -> None:
    channels = [noise(seed) for seed in range(6)]
    np.testing.assert_array_equal(Heard(SURROUND, *channels).samples, channels[2])


def test_surround_audio_with_a_silent_centre_gives_its_loudest_channel() -> None:
    channels = [noise(seed) * level for seed, level in enumerate([1, 2, 0, 0.1, 0.1, 0.1])]
    heard = Heard(SURROUND, *channels)
    np.testing.assert_array_equal(heard.samples, channels[1])
    assert heard.said == ["it at 1.00 s: its centre channel is silent; only channel 2 is used"]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30, -3e9])
def test_non_finite_samples_are_silence_counted_and_reported_once(bad: float) -> None:
    samples = voice()
    samples[[5, 6, 20000]] = bad
    heard = Heard(("FC",), samples)
    expected = voice()
    expected[[5, 6, 20000]] = 0
    np.testing.assert_array_equal(heard.samples, expected)
    assert heard.dropped == {"samples_not_finite": 3}
    assert heard.said == ["it at 1.00 s: samples are not finite numbers; they are replaced by silence and counted"]


def test_samples_beyond_full_scale_stay() -> None:
    np.testing.assert_array_equal(Heard(("FC",), 32768 * voice()).samples, 32768 * voice())


@pytest.mark.parametrize(("from_hz", "to_hz"), [(48000, 16000), (44100, 16000), (8000, 16000), (16000, 16000)])
def test_pieces_give_the_resampled_whole(from_hz: int, to_hz: int) -> None:
    resampled = Resampler(from_hz, to_hz)
    audio = np.float32(np.sin(2 * np.pi * 440 * np.arange(from_hz) / from_hz))
    parts = [resampled(piece) for piece in np.split(audio, range(441, from_hz, 441))]
    heard = np.concatenate([*parts, resampled.finish()])
    expected = np.sin(2 * np.pi * 440 * np.arange(len(heard)) / to_hz)
    assert len(heard) == pytest.approx(to_hz, abs=2)
    np.testing.assert_allclose(heard[100:-100], expected[100:-100], atol=0.01)
