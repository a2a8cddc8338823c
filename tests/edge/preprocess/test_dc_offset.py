"""Offsets, and what is none."""

import numpy as np
import pytest

from edge.preprocess.dc_offset import without_offset

RATE_HZ = 16000


def tone(hz: float) -> np.ndarray:
    return np.float32(0.3 * np.sin(2 * np.pi * hz * np.arange(2 * RATE_HZ) / RATE_HZ))


@pytest.mark.parametrize("hz", [50, 80, 220, 4000])
def test_a_voice_stays_as_it_was(hz: float) -> None:
    middle = slice(RATE_HZ // 4, -RATE_HZ // 4)
    np.testing.assert_allclose(without_offset(tone(hz), RATE_HZ)[middle], tone(hz)[middle], atol=0.0015)


@pytest.mark.parametrize("offset", [0.5, np.linspace(-0.3, 0.3, 2 * RATE_HZ), 0.2 * tone(0.1)])
def test_an_offset_goes_even_where_it_drifts(offset) -> None:
    middle = slice(RATE_HZ // 4, -RATE_HZ // 4)
    audio = np.asarray(tone(220) + offset, np.float32)
    np.testing.assert_allclose(without_offset(audio, RATE_HZ)[middle], tone(220)[middle], atol=0.002)
    assert abs(float(without_offset(audio, RATE_HZ).mean())) < 0.001


@pytest.mark.parametrize("length", [0, 1, 100])
def test_short_sounds_lose_their_mean(length: int) -> None:
    left = without_offset(np.full(length, 0.25, np.float32), RATE_HZ)
    assert left.dtype == np.float32
    np.testing.assert_allclose(left, np.zeros(length), atol=1e-7)
