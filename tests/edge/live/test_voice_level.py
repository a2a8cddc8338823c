"""Bursts of noise at known times, over a room's background."""

import numpy as np
import pytest

from edge.clock import to_ns
from edge.live.voice_level import VoiceLevel, above_background
from edge.preprocess.media import Block
from edge.preprocess.rings import SampleRing

RATE_HZ = 16000
BEGIN_NS = to_ns(50.0)


def ring(samples: np.ndarray) -> SampleRing:
    made = SampleRing(RATE_HZ, 6 * RATE_HZ)
    for first in range(0, len(samples), 320):
        end = first + len(samples[first : first + 320])
        made.extend(Block(samples[first:end], BEGIN_NS + end * 1_000_000_000 // RATE_HZ))
    return made


def bursts(gain: float = 1.0) -> np.ndarray:
    """Four seconds: a room, loud from 1 to 2 s, softer from 3 to 3.5 s."""
    rng = np.random.default_rng(0)
    loudness = np.full(4 * RATE_HZ, 0.0005)
    loudness[RATE_HZ : 2 * RATE_HZ] = 0.1
    loudness[3 * RATE_HZ : round(3.5 * RATE_HZ)] = 0.01
    return (gain * loudness * rng.standard_normal(len(loudness))).astype(np.float32)


def at(seconds: float) -> int:
    return BEGIN_NS + to_ns(seconds)


@pytest.mark.parametrize("gain", [1.0, 0.3])
def test_levels_are_those_above_the_background(gain: float) -> None:
    voice = VoiceLevel(ring(bursts(gain)), at(4.0))
    begins, ends = (np.array([at(s) for s in times]) for times in ((0.2, 1.1, 2.2, 3.1), (0.8, 1.9, 2.8, 3.4)))
    room, loud, quiet, soft = voice.between(begins, ends)
    assert room == pytest.approx(0, abs=0.02)
    assert quiet == pytest.approx(0, abs=0.02)
    assert loud == 1.0  # 46 dB above the room: more than the loudest that counts
    assert soft == pytest.approx((26 - 6) / 30, abs=0.08)  # 26 dB above it; levels of 10 ms scatter
    assert [voice.is_voiced(at(s)) for s in (0.4, 1.5, 2.15, 2.5, 3.2)] == [False, True, True, False, True]


def test_what_comes_after_the_end_is_not_heard() -> None:
    voice = VoiceLevel(ring(bursts()), at(0.9))
    assert not voice.is_voiced(at(1.1))
    assert voice.between(np.array([at(1.2)]), np.array([at(1.8)])).tolist() == [0.0]


def test_a_window_is_turned_as_a_ring() -> None:
    voice = VoiceLevel(ring(bursts()), at(4.0))
    assert voice.length_ns == to_ns(4.0)
    begins, ends = (np.array([at(s) for s in times]) for times in ((0.2, 1.2, 2.2), (0.8, 1.8, 2.8)))
    turned = voice.turned(begins, ends, np.array([to_ns(s) for s in (0.0, 1.0, 3.0)]))
    assert turned[0] == pytest.approx(voice.between(begins, ends), abs=0.02)  # of 60 steps of 10 ms one may be another
    loud = [[False, True, False], [True, False, False], [False, False, True]]
    assert (turned > 0.9).tolist() == loud


def test_hiss_and_pitch_count_less_than_vowels() -> None:
    time_s = np.arange(2 * RATE_HZ) / RATE_HZ
    is_on = (time_s % 0.5) < 0.25

    def tone(hz: float) -> float:
        samples = (0.02 * is_on * np.sin(2 * np.pi * hz * time_s)).astype(np.float32)
        noise = 0.002 * np.random.default_rng(1).standard_normal(len(samples)).astype(np.float32)
        return float(above_background(samples + noise, RATE_HZ).mean())

    assert tone(800) > 2 * tone(110)
    assert tone(800) > 2 * tone(3200)


@pytest.mark.parametrize("count", [0, 100, 400])
def test_little_or_no_sound_has_no_voice(count: int) -> None:
    voice = VoiceLevel(ring(np.zeros(count, np.float32)), at(0.1))
    assert not voice.is_voiced(at(0.0))
    assert voice.between(np.array([at(0.0)]), np.array([at(0.1)])).tolist() == [0.0]


def test_digital_silence_is_no_voice() -> None:
    assert not above_background(np.zeros(RATE_HZ, np.float32), RATE_HZ).any()
