"""Made noises: levels, spectra, and the same again from the same seed."""

import numpy as np
import pytest

from train.field import noises
from train.field.draws import generator

RATE_HZ, COUNT = 16_000, 6 * 16_000


@pytest.mark.parametrize("kind", noises.MADE)
def test_noises_are_finite_and_follow_from_their_seed(kind: str) -> None:
    made, again, other = (noises.MADE[kind](generator(seed, kind), COUNT, RATE_HZ) for seed in (1, 1, 2))
    assert made.dtype == np.float32
    assert made.shape == (COUNT,)
    assert np.isfinite(made).all()
    assert np.ptp(made) > 0
    assert np.array_equal(made, again)
    assert not np.array_equal(made, other)


@pytest.mark.parametrize("level_dbfs", [-80, -20])
def test_levels_are_met(level_dbfs: float) -> None:
    made = noises.at_dbfs(noises.fan(generator(1), COUNT, RATE_HZ), level_dbfs)
    assert 20 * np.log10(np.sqrt(np.mean(made.astype(np.float64) ** 2))) == pytest.approx(level_dbfs, abs=0.01)
    assert np.array_equal(noises.at_dbfs(np.zeros(3, np.float32), level_dbfs), np.zeros(3))


def test_pink_noise_falls_by_3_db_an_octave() -> None:
    power = np.abs(np.fft.rfft(noises.pink(generator(1), 10 * COUNT, RATE_HZ))) ** 2
    hz = np.fft.rfftfreq(10 * COUNT, 1 / RATE_HZ)
    octaves = [power[(hz >= low) & (hz < 2 * low)].mean() for low in (100, 200, 400, 800, 1600, 3200)]
    assert np.diff(10 * np.log10(octaves)) == pytest.approx(-3, abs=0.4)


def test_hum_lies_on_the_harmonics_of_the_mains() -> None:
    power = np.abs(np.fft.rfft(noises.hum(generator(1), COUNT, RATE_HZ))) ** 2
    hz = np.fft.rfftfreq(COUNT, 1 / RATE_HZ)
    assert power[(hz % 50 == 0) & (hz <= 400)].sum() > 0.9 * power.sum()


def test_keys_are_struck_and_then_silent() -> None:
    made = noises.keyboard(generator(1), COUNT, RATE_HZ)
    levels = np.sqrt(np.mean(made.reshape(-1, 160) ** 2, axis=1))
    assert np.median(levels) < 0.01 * levels.max()
