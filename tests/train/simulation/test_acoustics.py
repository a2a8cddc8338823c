"""Acoustics of rooms, microphones and telephones against their definitions."""

import numpy as np
import pytest

from edge.preprocess.media import Samples
from train.simulation.acoustics import band_pass, convolve, equalise, impulse_response, mu_law
from train.simulation.noise import Draw

RATE_HZ = 16_000


@pytest.fixture
def rng() -> Draw:
    return np.random.default_rng(0)


def sine(hz: float) -> Samples:
    """One second."""
    return np.sin(2 * np.pi * hz * np.arange(RATE_HZ) / RATE_HZ).astype(np.float32)


def level_db(sound: Samples) -> float:
    return float(10 * np.log10(np.mean(np.square(sound, dtype=np.float64))))


@pytest.mark.parametrize("reverberation_s", [0.2, 0.5, 1.0])
def test_reverberation_falls_60_db_in_its_time(rng: Draw, reverberation_s: float) -> None:
    """Schroeder's backward integration (1965) from -5 to -35 dB; a draw of the noise moves it by a few per cent."""
    tail = impulse_response(RATE_HZ, reverberation_s, 0.0, rng).astype(np.float64)
    tail[0] = 0
    first = int(tail.nonzero()[0][0])
    decay = np.cumsum(tail[:first:-1] ** 2)[::-1]
    decay_db = 10 * np.log10(decay / decay[0])
    begin, end = (int((decay_db > level).sum()) for level in (-5, -35))
    slope = np.polyfit(np.arange(begin, end) / RATE_HZ, decay_db[begin:end], 1)[0]
    assert -60 / slope == pytest.approx(reverberation_s, rel=0.05)


@pytest.mark.parametrize("direct_db", [-6.0, 0.0, 10.0])
def test_the_direct_sound_is_as_far_above_the_tail_as_asked_for(rng: Draw, direct_db: float) -> None:
    response = impulse_response(RATE_HZ, 0.4, direct_db, rng).astype(np.float64)
    assert response[0] == 1.0
    assert -10 * np.log10(np.sum(response[1:] ** 2)) == pytest.approx(direct_db, abs=0.01)
    assert not response[1 : int(0.002 * RATE_HZ)].any(), "walls are further away than 2 ms"


@pytest.mark.parametrize("lengths", [(1, 1), (500, 30), (7000, 2000), (30, 500)])
def test_a_convolution_equals_numpys(rng: Draw, lengths: tuple[int, int]) -> None:
    sound, response = (rng.standard_normal(length).astype(np.float32) for length in lengths)
    found = convolve(sound, response)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, np.convolve(sound, response)[: len(sound)], atol=1e-3)


def test_an_equaliser_has_its_gains_at_places_equal_on_the_mel_scale() -> None:
    gains_db = np.array([6.0, -8.0, 3.0, 0.0, 8.0, -2.0, 1.0])
    mel = np.linspace(0, 2595 * np.log10(1 + RATE_HZ / 2 / 700), len(gains_db))
    for hz, gain_db in list(zip(700 * (10 ** (mel / 2595) - 1), gains_db, strict=True))[1:-1]:
        found = level_db(equalise(sine(round(hz)), RATE_HZ, gains_db)) - level_db(sine(round(hz)))
        assert found == pytest.approx(gain_db, abs=0.1)


def test_a_flat_equaliser_changes_nothing(rng: Draw) -> None:
    sound = rng.standard_normal(4001).astype(np.float32)
    np.testing.assert_allclose(equalise(sound, RATE_HZ, np.zeros(7)), sound, atol=1e-5)


@pytest.mark.parametrize(
    ("hz", "loss_db"),
    [
        (300, 0.0),
        (1000, 0.0),
        (3400, 0.0),
        (300 / 2 ** (1 / 6), 30.0),
        (300 / 2 ** (1 / 3), 60.0),
        (3400 * 2 ** (1 / 6), 30.0),
    ],
)
def test_a_band_pass_falls_60_db_in_a_third_of_an_octave(hz: float, loss_db: float) -> None:
    """At whole Hz, which are bins of a second; a bin of the lowest is 0.7 dB wide."""
    tone = sine(round(hz))
    assert level_db(tone) - level_db(band_pass(tone, RATE_HZ, 300, 3400)) == pytest.approx(loss_db, abs=0.5)


def test_mu_law_gives_the_values_of_g711(rng: Draw) -> None:
    """127 steps on each side of zero; each value is coded by the nearest one of the compressed curve."""
    codes = np.arange(-127, 128)
    values = np.sign(codes) * (256.0 ** (np.abs(codes) / 127) - 1) / 255
    sound = rng.uniform(-1.2, 1.2, 5000).astype(np.float32)
    clipped = np.clip(sound, -1, 1)
    compressed = np.sign(clipped) * np.log(1 + 255 * np.abs(clipped.astype(np.float64))) / np.log(256)
    expected = values[np.abs(codes[None] / 127 - compressed[:, None]).argmin(axis=1)]
    np.testing.assert_allclose(mu_law(sound), expected, atol=1e-6)


def test_mu_law_of_a_loud_tone_has_the_known_noise() -> None:
    """38 dB below the tone for 8 bits, at full scale and 20 dB below it alike."""
    for gain in (0.9, 0.09):
        tone = gain * sine(1013)
        assert level_db(tone) - level_db(mu_law(tone) - tone) == pytest.approx(38, abs=1.5)


def test_mu_law_leaves_silence() -> None:
    assert not mu_law(np.zeros(10, np.float32)).any()
