"""Sounds without a voice: drawn noises, music made of chords, and recordings of rooms, roads and things.

Every function returns float32 `[n]` of any level; the caller scales it.
"""

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np

from edge.preprocess.media import Samples

Draw = np.random.Generator

RECORDED_SHARE = 0.3
"""Share of the beds that are recordings."""
PIECES, PIECE_S = 240, 16.0
"""Number and length of the drawn beds in stock."""
MAINS_HZ = (50.0, 60.0)
NOTES_HZ = 440.0 * 2 ** (np.arange(-24, 16) / 12)


def repeated(sound: Samples, count: int, rng: Draw) -> Samples:
    """Return `count` samples of a recording from a random place on, from its begin again where it ends."""
    start = int(rng.integers(len(sound)))
    if start + count <= len(sound):
        return sound[start : start + count]
    return np.resize(np.roll(sound, -start), count)


def coloured(count: int, exponent: float, rng: Draw) -> Samples:
    """Return noise whose power falls with the frequency to the `exponent`: 0 white, 1 pink, 2 brown."""
    spectrum = np.fft.rfft(rng.standard_normal(count).astype(np.float32))
    frequency = np.maximum(np.arange(len(spectrum), dtype=np.float32), count / 800)
    return np.fft.irfft(spectrum * frequency ** (-exponent / 2), count).astype(np.float32)


def hum(count: int, rate_hz: int, rng: Draw) -> Samples:
    """Return the hum of the mains with harmonics that fall at a random rate."""
    time = np.arange(count, dtype=np.float32) / rate_hz
    base = rng.choice(MAINS_HZ)
    falling = rng.uniform(0.5, 0.95)
    parts = [
        falling**k * np.sin(2 * np.pi * base * k * time + rng.uniform(0, 2 * np.pi)).astype(np.float32)
        for k in range(1, 13)
    ]
    return np.sum(parts, axis=0, dtype=np.float32) + np.float32(rng.uniform(0, 0.3)) * coloured(count, 1.0, rng)


def fan(count: int, rate_hz: int, rng: Draw) -> Samples:
    """Return the noise of a fan: brown to pink noise that pulses with the blades, and a faint tone of them."""
    time = np.arange(count, dtype=np.float32) / rate_hz
    blades = rng.uniform(15, 120)
    wind = coloured(count, rng.uniform(0.7, 1.8), rng)
    wind /= np.sqrt(np.mean(np.square(wind))) + 1e-9
    pulse = np.sin(2 * np.pi * blades * time).astype(np.float32)
    return wind * (1 + np.float32(rng.uniform(0, 0.4)) * pulse) + np.float32(rng.uniform(0, 0.5)) * pulse


def clicks(count: int, rate_hz: int, rng: Draw) -> Samples:
    """Return keystrokes, taps and knocks: bursts of 2 to 60 ms that ring at random frequencies, 1 to 12 a second."""
    sound = 1e-3 * rng.standard_normal(count).astype(np.float32)
    length = int(0.06 * rate_hz)
    time = np.arange(length, dtype=np.float32) / rate_hz
    for start in rng.integers(0, max(count - length, 1), size=int(rng.uniform(1, 12) * count / rate_hz) + 1):
        decay = rng.uniform(0.002, 0.02)
        burst = rng.standard_normal(length).astype(np.float32) * rng.uniform(0, 1)
        burst += np.sin(2 * np.pi * rng.uniform(150, 5000) * time).astype(np.float32) * rng.uniform(0, 1)
        part = sound[start : start + length]
        part += (burst * np.exp(-time / decay) * rng.uniform(0.2, 1))[: len(part)]
    return sound


def tones(count: int, rate_hz: int, rng: Draw) -> Samples:
    """Return beeps and steady or gliding tones."""
    time = np.arange(count, dtype=np.float32) / rate_hz
    glide = rng.uniform(-100, 100) if rng.random() < 0.3 else 0.0
    phase = 2 * np.pi * (rng.uniform(120, 3500) * time + glide * time**2 / 2)
    wave = np.sin(phase) if rng.random() < 0.5 else np.sign(np.sin(phase)) * 0.5
    if rng.random() < 0.5:
        wave = wave * (np.sin(2 * np.pi * rng.uniform(0.4, 4) * time) > rng.uniform(-0.5, 0.7))
    return wave.astype(np.float32) + np.float32(0.003) * rng.standard_normal(count).astype(np.float32)


def music(count: int, rate_hz: int, rng: Draw) -> Samples:
    """Return chords and a melody of decaying or sustained harmonic notes, with drums in half of the pieces."""
    sound = np.zeros(count, np.float32)
    beat = int(rate_hz * rng.uniform(0.2, 0.8))
    sustain, drums = rng.uniform(0.2, 3.0), rng.random() < 0.5
    brightness = rng.uniform(0.3, 0.85)
    chord = rng.choice(NOTES_HZ[:20]) * 2 ** (np.array([0, rng.choice([3, 4]), 7]) / 12)
    for start in range(0, count, beat):
        if rng.random() < 0.3:
            chord = rng.choice(NOTES_HZ[:20]) * 2 ** (np.array([0, rng.choice([3, 4]), 7]) / 12)
        notes = list(chord) if rng.random() < 0.5 else []
        notes += [rng.choice(NOTES_HZ)] if rng.random() < 0.8 else []
        length = min(count - start, int(2.5 * beat))
        time = np.arange(length, dtype=np.float32) / rate_hz
        envelope = (
            np.minimum(time / 0.01, 1) * np.exp(-time / sustain) * np.minimum((length - np.arange(length)) / 400, 1)
        )
        for note in notes:
            for harmonic in range(1, min(7, int(rate_hz / 2 / note))):
                sound[start : start + length] += (
                    brightness**harmonic * envelope * np.sin(2 * np.pi * note * harmonic * time + harmonic)
                )
        if drums:
            burst = rng.standard_normal(length).astype(np.float32) * np.exp(-time / rng.choice([0.01, 0.08]))
            sound[start : start + length] += np.float32(rng.uniform(0.3, 2)) * burst
    return sound


def babble(voices: Sequence[Samples], count: int, rng: Draw) -> Samples:
    """Return four to eight voices at once, each of another recording, of a similar level."""
    sound = np.zeros(count, np.float32)
    for index in rng.integers(len(voices), size=int(rng.integers(4, 9))):
        voice = repeated(voices[index], count, rng)
        sound += voice / (np.sqrt(np.mean(np.square(voice))) + 1e-9) * np.float32(10 ** (rng.uniform(-4, 4) / 20))
    return sound


class Beds:
    """Stock of sounds that lie under a stream, or are all that is heard; windows are cut out of it at random.

    `rng` draws the stock, when the first window is asked for.
    """

    def __init__(self, recorded: Sequence[Samples], voices: Sequence[Samples], rate_hz: int, rng: Draw) -> None:
        self._voices, self._rate_hz, self._rng = voices, rate_hz, rng
        self._recorded = [to_level(sound, 0.0) for sound in recorded]

    @cached_property
    def _drawn(self) -> list[Samples]:
        """Sounds of random kinds."""
        rate_hz, rng = self._rate_hz, self._rng
        kinds: dict[Callable[[int], Samples], float] = {
            lambda count: coloured(count, 0.0, rng): 1.0,
            lambda count: coloured(count, rng.uniform(0.5, 2), rng): 1.5,
            lambda count: hum(count, rate_hz, rng): 0.7,
            lambda count: fan(count, rate_hz, rng): 0.7,
            lambda count: clicks(count, rate_hz, rng): 1.0,
            lambda count: tones(count, rate_hz, rng): 0.6,
            lambda count: music(count, rate_hz, rng): 2.0,
            lambda count: babble(self._voices, count, rng): 2.5,
        }
        shares = np.array(list(kinds.values()))
        count = round(PIECE_S * rate_hz)
        drawn = rng.choice(len(kinds), size=PIECES, p=shares / shares.sum())
        return [to_level(list(kinds)[kind](count), 0.0) for kind in drawn]

    def draw(self, count: int, rng: Draw) -> Samples:
        """Return `count` samples of a random bed, scaled to a root mean square of 1."""
        stock = self._recorded if self._recorded and rng.random() < RECORDED_SHARE else self._drawn
        return to_level(repeated(stock[int(rng.integers(len(stock)))], count, rng), 0.0)


def to_level(sound: Samples, dbfs: float) -> Samples:
    """Scale a sound to a level; digital silence stays what it is."""
    level = float(np.sqrt(np.dot(sound, sound) / max(len(sound), 1)))
    return sound * np.float32(10 ** (dbfs / 20) / level) if level > 0 else sound
