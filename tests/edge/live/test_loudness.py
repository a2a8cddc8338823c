"""Levels of sounds whose loudness is known."""

import math

import numpy as np
import pytest

from edge.live.loudness import rms_dbfs, speech_share

RATE_HZ = 16000


def sine(amplitude: float, seconds: float) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * 200 * np.arange(round(seconds * RATE_HZ)) / RATE_HZ)).astype(np.float32)


@pytest.mark.parametrize("amplitude", [1.0, 0.5, 0.001])
def test_a_sine_is_3_db_below_its_amplitude(amplitude: float) -> None:
    assert rms_dbfs(sine(amplitude, 1.0)) == pytest.approx(20 * math.log10(amplitude) - 10 * math.log10(2), abs=1e-3)


def test_a_full_square_wave_is_0_dbfs() -> None:
    assert rms_dbfs(np.float32([1, -1, 1, -1])) == 0.0


@pytest.mark.parametrize("samples", [np.zeros(0, np.float32), np.zeros(100, np.float32)])
def test_silence_and_nothing_have_no_level(samples: np.ndarray) -> None:
    assert rms_dbfs(samples) is None


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([(0.001, 1.0), (0.3, 1.0)], 0.5),
        ([(0.001, 3.0), (0.3, 1.0)], 0.25),
        ([(0.3, 2.0)], 0.0),
        ([(0.0, 2.0)], 0.0),
        ([(0.00001, 1.0), (0.001, 1.0)], 0.0),
    ],
    ids=["half", "quarter", "nothing stands out", "digital silence", "below -50 dBFS"],
)
def test_speech_is_the_share_that_stands_out(parts: list[tuple[float, float]], expected: float) -> None:
    samples = np.concatenate([sine(amplitude, seconds) for amplitude, seconds in parts])
    assert speech_share(samples, RATE_HZ) == pytest.approx(expected)


@pytest.mark.parametrize(("count", "expected"), [(0, None), (319, None), (320, 0.0), (639, 0.0)])
def test_under_one_piece_of_20_ms_there_is_no_share(count: int, expected: float | None) -> None:
    assert speech_share(np.full(count, 0.5, np.float32), RATE_HZ) == expected
