"""Conditions of sound against what a meter would measure: powers, bands, decay, levels, delays."""

import numpy as np
import pytest

from train.field import sound
from train.field.draws import generator
from train.simulation.noise import repeated

RATE_HZ = 16_000


@pytest.fixture
def rng() -> np.random.Generator:
    return generator(1, "sound")


@pytest.fixture
def voice(rng: np.random.Generator) -> np.ndarray:
    """Two seconds of noise that swells like syllables, -20 dBFS or so."""
    time_s = np.arange(2 * RATE_HZ) / RATE_HZ
    return (0.15 * rng.standard_normal(len(time_s)) * np.sin(2 * np.pi * 3 * time_s) ** 2).astype(np.float32)


def power_db(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.square(samples, dtype=np.float64))))


@pytest.mark.parametrize("snr_db", [20, 0, -5])
def test_noise_is_added_in_the_ratio_that_is_asked_for(
    rng: np.random.Generator, voice: np.ndarray, snr_db: float
) -> None:
    noise = rng.standard_normal(len(voice)).astype(np.float32)
    made = sound.mixed(voice, noise, snr_db)
    gain = float(voice @ made / (voice @ voice))  # below 1 where both were lowered; noise and voice are unrelated
    lowered = np.linalg.lstsq(np.stack([voice, noise], axis=1), made, rcond=None)[0]
    assert power_db(lowered[0] * voice) - power_db(lowered[1] * noise) == pytest.approx(snr_db, abs=0.05)
    assert 0 < gain <= 1.2
    assert np.abs(made).max() <= 1


def test_silence_stays_as_it_is(voice: np.ndarray) -> None:
    assert sound.mixed(voice, np.zeros_like(voice), 10) is voice
    assert np.array_equal(sound.reverberant(0 * voice, np.ones(1, np.float32)), 0 * voice)


@pytest.mark.parametrize("rt60_s", [0.3, 0.6, 1.0])
def test_rooms_decay_by_60_db_in_their_time(rng: np.random.Generator, rt60_s: float) -> None:
    """Schroeder's backward integration (1965), from -5 to -25 dB, three times over: T20."""
    tail = sound.impulse_response(rng, rt60_s, RATE_HZ)[1:].astype(np.float64)
    decay_db = 10 * np.log10(np.cumsum(tail[::-1] ** 2)[::-1] / np.sum(tail**2))
    first, last = (int(np.argmax(decay_db < level)) for level in (-5, -25))
    assert 3 * (last - first) / RATE_HZ == pytest.approx(rt60_s, rel=0.07)


def test_reverberation_keeps_length_level_and_time(rng: np.random.Generator, voice: np.ndarray) -> None:
    wet = sound.reverberant(voice, np.concatenate([np.zeros(500), sound.impulse_response(rng, 0.6, RATE_HZ)]))
    assert len(wet) == len(voice)
    assert power_db(wet) == pytest.approx(power_db(voice), abs=0.1)
    assert delay(voice, wet) == 0


def delay(before: np.ndarray, after: np.ndarray) -> int:
    """Samples by which `after` comes later."""
    size = 2 * len(before)
    matched = np.fft.irfft(np.fft.rfft(after, size) * np.conj(np.fft.rfft(before, size)), size)
    found = int(matched.argmax())
    return found - size if found > size // 2 else found


def test_a_telephone_passes_its_band_alone(rng: np.random.Generator) -> None:
    """White noise goes in: what comes out lies between 300 and 3,400 Hz, but for the noise of eight bits."""
    flat = (0.1 * rng.standard_normal(4 * RATE_HZ)).astype(np.float32)
    made = sound.telephone(flat, RATE_HZ)
    hz = np.fft.rfftfreq(len(made), 1 / RATE_HZ)
    power = np.abs(np.fft.rfft(made)) ** 2
    inside = power[(hz > 350) & (hz < 3300)].mean()
    assert 10 * np.log10(power[hz < 200].mean() / inside) < -30
    assert 10 * np.log10(power[hz > 4100].mean() / inside) < -60
    assert 10 * np.log10(inside / (np.abs(np.fft.rfft(flat)) ** 2)[(hz > 350) & (hz < 3300)].mean()) == pytest.approx(
        0, abs=0.2
    )
    assert len(made) == len(flat)
    assert delay(flat, made) == 0


def test_mu_law_distorts_a_tone_as_g711_says() -> None:
    """Eight bits of mu-law give a tone a signal-to-distortion ratio of about 38 dB at any usual level."""
    time_s = np.arange(2 * RATE_HZ) / RATE_HZ
    for level in (0.5, 0.05):
        tone = (level * np.sin(2 * np.pi * 1000 * time_s)).astype(np.float32)
        made = sound.telephone(tone, RATE_HZ)
        assert power_db(tone) - power_db(made - tone) == pytest.approx(38, abs=4)


def test_opus_keeps_length_and_time_and_is_lossy(voice: np.ndarray) -> None:
    made = sound.opus(voice, RATE_HZ)
    assert made.dtype == np.float32
    assert len(made) == len(voice)
    assert abs(delay(voice, made)) <= 1
    assert 0.4 < np.corrcoef(voice, made)[0, 1] < 0.999


def test_gain_is_cut_off_at_full_scale() -> None:
    made = sound.louder(np.array([0.01, 0.5, -0.5], np.float32), 12)
    assert made == pytest.approx([0.01 * 10**0.6, 1, -1])


def test_babble_holds_every_voice_at_the_same_level(rng: np.random.Generator) -> None:
    time_s = np.arange(RATE_HZ) / RATE_HZ
    voices = [np.sin(2 * np.pi * hz * time_s).astype(np.float32) * level for hz, level in ((200, 0.5), (700, 0.01))]
    power = np.abs(np.fft.rfft(sound.babble(rng, voices, RATE_HZ))) ** 2
    assert power[200] == pytest.approx(power[700], rel=0.05)


def test_a_short_noise_is_repeated(rng: np.random.Generator) -> None:
    noise = np.arange(5, dtype=np.float32)
    made = repeated(noise, 12, rng)
    assert len(made) == 12
    assert np.all(np.diff(made) % 5 == 1)
