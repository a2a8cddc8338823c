"""Sounds in which nobody speaks, made in code: float32 `[n]`, at any level.

Each takes a generator, the number of samples and their rate. They are other ones than those that training hears
(`train/simulation/noise.py`), so that no model is judged by the very code that it learnt from.
"""

from collections.abc import Callable

import numpy as np

from edge.preprocess.media import Samples

MakeNoise = Callable[[np.random.Generator, int, int], Samples]

HUM_HZ = 50.0
HUM_HARMONICS = 8
FAN_EDGE_HZ = 800.0
"""Frequency from which on a fan's noise falls by 12 dB an octave."""
CLICKS_A_SECOND = 6.0
"""Key strokes of a quick typist, each a click down and a softer one up."""
CLICK_S = 0.012
BEATS_A_MINUTE = (80.0, 130.0)
TRIADS = ((0, 4, 7), (0, 3, 7), (0, 5, 9), (0, 4, 9))
"""Chords in semitones above their root: major, minor, and inversions."""


def white(rng: np.random.Generator, count: int, rate_hz: int) -> Samples:
    """Return white Gaussian noise."""
    return rng.standard_normal(count).astype(np.float32)


def pink(rng: np.random.Generator, count: int, rate_hz: int) -> Samples:
    """Return noise whose power falls by 3 dB an octave, as that of a quiet room about does."""
    return shaped(rng, count, rate_hz, lambda hz: np.maximum(hz, 20.0) ** -0.5)


def fan(rng: np.random.Generator, count: int, rate_hz: int) -> Samples:
    """Return low-passed noise with the tones of a fan's blades."""
    rush = shaped(rng, count, rate_hz, lambda hz: 1 / (1 + (hz / FAN_EDGE_HZ) ** 2))
    blades = rng.uniform(80, 160) * np.arange(1, 5)
    return rush / rms(rush) + 0.3 * tones_of(rng, count, rate_hz, blades, 1 / np.arange(1, 5))


def hum(rng: np.random.Generator, count: int, rate_hz: int) -> Samples:
    """Return the mains and its harmonics over a little noise."""
    orders = np.arange(1, HUM_HARMONICS + 1)
    return tones_of(rng, count, rate_hz, HUM_HZ * orders, 1 / orders) + 0.02 * white(rng, count, rate_hz)


def tone(rng: np.random.Generator, count: int, rate_hz: int) -> Samples:
    """Return one steady tone between 200 and 2,000 Hz."""
    return tones_of(rng, count, rate_hz, np.array([np.exp(rng.uniform(np.log(200), np.log(2000)))]), np.ones(1))


def keyboard(rng: np.random.Generator, count: int, rate_hz: int) -> Samples:
    """Return clicks and taps of keys at random times, 6 a second, over a floor 60 dB below them."""
    made = 1e-3 * white(rng, count, rate_hz)
    length = round(CLICK_S * rate_hz)
    decay = np.exp(-6 * np.arange(length) / length)
    for _ in range(rng.poisson(CLICKS_A_SECOND * count / rate_hz) + 1):
        stroke = rng.integers(0, count)
        for start, loudness in ((stroke, 1.0), (stroke + round(rng.uniform(0.06, 0.12) * rate_hz), 0.4)):
            part = made[start : start + length]
            click = shaped(rng, length, rate_hz, lambda hz: np.exp(-(((hz - 2500) / 2000) ** 2)))
            part += (loudness * rng.uniform(0.5, 1) * decay * click / rms(click))[: len(part)].astype(np.float32)
    return made


def music(rng: np.random.Generator, count: int, rate_hz: int) -> Samples:
    """Return chords on a beat, plucked, with a bass note and a drum."""
    beat = round(60 / rng.uniform(*BEATS_A_MINUTE) * rate_hz)
    root_hz = 110 * 2 ** (rng.integers(0, 12) / 12)
    made = np.zeros(count + 2 * beat, np.float32)
    envelope = np.exp(-3 * np.arange(2 * beat) / (2 * beat))
    for index, start in enumerate(range(0, count, beat)):
        if index % 4 == 0:
            chord = rng.integers(-5, 7) + np.array(TRIADS[rng.integers(len(TRIADS))])
        for semitones in (*(chord + 12), chord[0]):
            partials = root_hz * 2 ** (semitones / 12) * np.arange(1, 7)
            note = tones_of(rng, 2 * beat, rate_hz, partials, 1 / np.arange(1, 7) ** 1.5)
            made[start : start + 2 * beat] += (envelope * note).astype(np.float32)
        drum = rng.standard_normal(beat // 4) * np.exp(-8 * np.arange(beat // 4) / (beat // 4))
        made[start : start + len(drum)] += drum.astype(np.float32)
    return made[:count]


MADE: dict[str, MakeNoise] = {
    "white noise": white,
    "pink noise": pink,
    "hum": hum,
    "fan": fan,
    "keyboard and taps": keyboard,
    "a tone": tone,
    "music": music,
}


def tones_of(
    rng: np.random.Generator, count: int, rate_hz: int, frequencies_hz: np.ndarray, amplitudes: np.ndarray
) -> Samples:
    """Return the sum of sines below half the rate, each with a random phase."""
    time_s = np.arange(count) / rate_hz
    made = np.zeros(count)
    for frequency_hz, amplitude in zip(frequencies_hz, amplitudes, strict=True):
        phase = rng.uniform(0, 2 * np.pi)
        if frequency_hz < rate_hz / 2:
            made += amplitude * np.sin(2 * np.pi * frequency_hz * time_s + phase)
    return made.astype(np.float32)


def shaped(rng: np.random.Generator, count: int, rate_hz: int, gain: Callable[[np.ndarray], np.ndarray]) -> Samples:
    """Return noise whose amplitude at each frequency in Hz is `gain` times that of white noise."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    return np.fft.irfft(spectrum * gain(np.fft.rfftfreq(count, 1 / rate_hz)), count).astype(np.float32)


def rms(samples: np.ndarray) -> float:
    """Return the root of the mean square, 0 for no samples."""
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if len(samples) else 0.0


def at_dbfs(samples: Samples, level_dbfs: float) -> Samples:
    """Return samples scaled to an RMS level in dB relative to full scale; silence stays silence."""
    level = rms(samples)
    return samples if level == 0 else (samples * (10 ** (level_dbfs / 20) / level)).astype(np.float32)
