"""Acoustics of rooms, microphones and telephones, as filters of a dry voice."""

import numpy as np

from edge.preprocess.media import Samples

from .noise import Draw

MU = 255.0
"""Compression of ITU-T G.711's mu-law."""
TELEPHONE_HZ = (300.0, 3400.0)


def impulse_response(rate_hz: int, reverberation_s: float, direct_db: float, rng: Draw) -> Samples:
    """Return a room's impulse response: the direct sound, then noise whose level falls 60 dB in `reverberation_s`.

    `direct_db` is the level of the direct sound over that of the whole tail (Polack's model, 1988).
    """
    count = int(rate_hz * reverberation_s)
    time = np.arange(count) / rate_hz
    tail = rng.standard_normal(count) * 10 ** (-3 * time / reverberation_s)
    tail[: int(rate_hz * rng.uniform(0.002, 0.02))] = 0
    tail *= 10 ** (-direct_db / 20) / (np.sqrt(np.square(tail).sum()) + 1e-9)
    tail[0] = 1.0
    return tail.astype(np.float32)


def convolve(sound: Samples, response: Samples) -> Samples:
    """Convolve a sound with an impulse response; the length is the sound's."""
    size = -(-(len(sound) + len(response)) // 8000) * 8000
    product = np.fft.rfft(sound, size) * np.fft.rfft(response, size)
    return np.fft.irfft(product, size)[: len(sound)].astype(np.float32)


def equalise(sound: Samples, rate_hz: int, gains_db: np.ndarray) -> Samples:
    """Filter a sound by gains at frequencies equally spaced on the mel scale, from 0 to half of the rate."""
    spectrum = np.fft.rfft(sound)
    hz = np.linspace(0, rate_hz / 2, len(spectrum))
    places = np.log10(1 + hz / 700) / np.log10(1 + rate_hz / 1400) * (len(gains_db) - 1)
    gains = 10 ** (np.interp(places, np.arange(len(gains_db)), gains_db) / 20)
    return np.fft.irfft(spectrum * gains.astype(np.float32), len(sound)).astype(np.float32)


def band_pass(sound: Samples, rate_hz: int, low_hz: float, high_hz: float) -> Samples:
    """Keep the band between two frequencies; the slopes outside fall 60 dB in a third of an octave."""
    spectrum = np.fft.rfft(sound)
    hz = np.maximum(np.linspace(0, rate_hz / 2, len(spectrum)), 1.0)
    beyond = np.maximum(np.maximum(np.log2(low_hz / hz), np.log2(hz / high_hz)), 0)
    return np.fft.irfft(spectrum * (10 ** (-9 * beyond)).astype(np.float32), len(sound)).astype(np.float32)


def mu_law(sound: Samples) -> Samples:
    """Return a sound in -1..1 after 8 bits of mu-law (ITU-T G.711, the continuous curve)."""
    compressed = np.sign(sound) * np.log1p(MU * np.abs(np.clip(sound, -1, 1))) / np.log1p(MU)
    rounded = np.round(compressed * 127) / 127
    return (np.sign(rounded) * np.expm1(np.abs(rounded) * np.log1p(MU)) / MU).astype(np.float32)
