"""Sounds without a voice: their spectra and levels, and the stock they are kept in."""

from collections.abc import Callable

import numpy as np
import pytest

from edge.preprocess.media import Samples
from train.simulation import noise
from train.simulation.noise import Beds, Draw

RATE_HZ = 16_000
DRAWN: dict[str, Callable[[int, Draw], Samples]] = {
    "coloured": lambda count, rng: noise.coloured(count, 1.0, rng),
    "hum": lambda count, rng: noise.hum(count, RATE_HZ, rng),
    "fan": lambda count, rng: noise.fan(count, RATE_HZ, rng),
    "clicks": lambda count, rng: noise.clicks(count, RATE_HZ, rng),
    "tones": lambda count, rng: noise.tones(count, RATE_HZ, rng),
    "music": lambda count, rng: noise.music(count, RATE_HZ, rng),
    "babble": lambda count, rng: noise.babble([sine(440)], count, rng),
}


@pytest.fixture
def rng() -> Draw:
    return np.random.default_rng(1)


def sine(hz: float) -> Samples:
    """One second."""
    return np.sin(2 * np.pi * hz * np.arange(RATE_HZ) / RATE_HZ).astype(np.float32)


def power(sound: Samples) -> np.ndarray:
    """Mean square in each bin of the spectrum; all together are that of the sound."""
    spectrum = np.abs(np.fft.rfft(sound.astype(np.float64))) ** 2 / len(sound) ** 2
    spectrum[1:-1] *= 2
    return spectrum


@pytest.mark.parametrize("kind", DRAWN)
@pytest.mark.parametrize("count", [1600, 16_001])
def test_a_sound_is_as_long_as_asked_for_and_that_of_its_generator(kind: str, count: int) -> None:
    for seed in range(4):
        sound, again = (DRAWN[kind](count, np.random.default_rng(seed)) for _ in range(2))
        assert sound.dtype == np.float32
        assert sound.shape == (count,)
        assert np.isfinite(sound).all()
        assert sound.any()
        np.testing.assert_array_equal(sound, again)
        assert not np.array_equal(sound, DRAWN[kind](count, np.random.default_rng(seed + 100)))


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0])
def test_the_power_of_coloured_noise_falls_with_the_frequency(rng: Draw, exponent: float) -> None:
    """A line through the mean power of eight octaves; of the lowest octave's 256 bins that is known to 6 %."""
    spectrum = power(noise.coloured(2**17, exponent, rng))
    octaves = [spectrum[2**k : 2 ** (k + 1)].mean() for k in range(8, 16)]
    assert np.polyfit(np.arange(8), np.log2(octaves), 1)[0] == pytest.approx(-exponent, abs=0.05)


def test_hum_is_made_of_the_mains_and_its_harmonics() -> None:
    bases = []
    for seed in range(6):
        spectrum = power(noise.hum(RATE_HZ, RATE_HZ, np.random.default_rng(seed)))
        base = int(spectrum.argmax())
        bases.append(base)
        lines = spectrum[base : 13 * base : base]
        assert len(lines) == 12
        assert lines.sum() > 0.99 * spectrum.sum()
        falling = np.sqrt(lines[1:] / lines[:-1])
        # The pink noise beneath moves the faintest lines.
        np.testing.assert_allclose(falling, falling[0], atol=0.1)
        assert 0.49 < falling[0] < 0.96
    assert set(bases) == {50, 60}


def test_clicks_are_bursts_with_quiet_between_them() -> None:
    for seed in range(6):
        sound = np.abs(noise.clicks(4 * RATE_HZ, RATE_HZ, np.random.default_rng(seed)))
        assert sound.max() > 20 * np.median(sound)


def test_tones_have_most_of_their_power_in_few_places() -> None:
    for seed in range(6):
        spectrum = np.sort(power(noise.tones(RATE_HZ, RATE_HZ, np.random.default_rng(seed))))
        assert spectrum[-400:].sum() > 0.9 * spectrum.sum()


def test_babble_is_four_to_eight_voices_of_a_similar_level() -> None:
    """Voices of very different levels, told apart by their pitch; those of these seeds are all different."""
    voices = [np.float32(10 ** (-4 * k / 400)) * sine(20 * k) for k in range(1, 400)]
    counts = set()
    for seed in range(12):
        lines = power(noise.babble(voices, RATE_HZ, np.random.default_rng(seed)))[20:8000:20]
        levels = 10 * np.log10(lines[lines > 1e-3])
        counts.add(len(levels))
        assert np.abs(levels).max() <= 4.01
        assert lines[lines <= 1e-3].sum() < 1e-6
    assert counts <= {4, 5, 6, 7, 8}
    assert len(counts) > 2


@pytest.mark.parametrize("count", [1, 7, 10, 23])
def test_a_recording_begins_again_where_it_ends(rng: Draw, count: int) -> None:
    starts = set()
    for _ in range(40):
        found = noise.repeated(np.arange(10, dtype=np.float32), count, rng).astype(int)
        assert found.tolist() == [(found[0] + k) % 10 for k in range(count)]
        starts.add(int(found[0]))
    assert starts == set(range(10))


@pytest.fixture
def beds() -> Beds:
    return Beds([], [sine(440)], RATE_HZ, np.random.default_rng(0))


def test_a_bed_has_a_root_mean_square_of_one(beds: Beds, rng: Draw) -> None:
    for count in (500, 16_000, 60_000):
        for _ in range(8):
            bed = beds.draw(count, rng)
            assert bed.shape == (count,)
            assert np.sqrt(np.mean(bed.astype(np.float64) ** 2)) == pytest.approx(1.0, abs=1e-4)


def test_beds_are_those_of_their_generators(beds: Beds) -> None:
    again = Beds([], [sine(440)], RATE_HZ, np.random.default_rng(0))
    np.testing.assert_array_equal(beds.draw(4000, np.random.default_rng(5)), again.draw(4000, np.random.default_rng(5)))
    other = Beds([], [sine(440)], RATE_HZ, np.random.default_rng(1))
    assert not np.array_equal(beds.draw(4000, np.random.default_rng(5)), other.draw(4000, np.random.default_rng(5)))


def test_three_in_ten_beds_are_recordings_where_there_are_any(rng: Draw) -> None:
    """A recording that nothing drawn equals: a square wave. Of 300 draws the share is known to 0.03."""
    square = np.tile(np.float32([0.1, -0.1]), 1000)
    beds = Beds([square], [sine(440)], RATE_HZ, np.random.default_rng(0))
    found = [np.allclose(np.abs(beds.draw(200, rng)), 1.0, atol=1e-5) for _ in range(300)]
    assert np.mean(found) == pytest.approx(noise.RECORDED_SHARE, abs=0.08)


@pytest.mark.parametrize("dbfs", [-30.0, 0.0, 6.0206])
def test_a_level_is_the_root_mean_square_in_decibels(dbfs: float) -> None:
    found = noise.to_level(3 * sine(440), dbfs)
    np.testing.assert_allclose(found, np.sqrt(2) * 10 ** (dbfs / 20) * sine(440), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("count", [0, 5])
def test_digital_silence_stays_silent(count: int) -> None:
    np.testing.assert_array_equal(noise.to_level(np.zeros(count, np.float32), -20.0), np.zeros(count, np.float32))
