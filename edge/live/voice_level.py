"""Level of a voice over time, as a mouth's opening follows it."""

import numpy as np
from numpy.typing import NDArray

from ..clock import SECOND_NS, to_ns
from ..preprocess.media import Samples
from ..preprocess.rings import SampleRing

STEP_S = 0.01
STEP_NS = to_ns(STEP_S)
REDUCED_HZ = 3200
"""Rate to which the samples are averaged. With their differences that leaves about 400 to 1,400 Hz: the first formant
of open vowels, and neither a voice's pitch nor its hiss."""
BACKGROUND_QUANTILE, BACKGROUND_DB = 0.1, 6.0
"""Share of the time in which it is no louder than the background, and the background's own variation."""
QUIETEST_DB = -90.0
"""Quietest background: a line without noise is not infinitely quiet."""
LOUDEST_DB = 30.0
"""Distance above the background from which on all is equally loud."""
VOICED = 0.15
"""Level from which on there may be a voice."""
NEAR_NS = to_ns(0.25)
"""Time to either side within which a voice's pauses belong to it."""

Times = NDArray[np.int64]
Levels = NDArray[np.float64]


class VoiceLevel:
    """Level above the background, 0 to 1, in the newest window of sound."""

    def __init__(self, samples: SampleRing, end_ns: int) -> None:
        """Take the samples captured before `end_ns`."""
        heard = samples.until(end_ns)
        levels = above_background(heard, samples.rate_hz)
        last_ns = end_ns if samples.end_ns is None else min(samples.end_ns, end_ns)
        self._start_ns = last_ns - len(heard) * SECOND_NS // samples.rate_hz
        self._levels = levels
        self._sums = np.concatenate([np.zeros(1), np.cumsum(levels)])

    def is_voiced(self, time_ns: int) -> bool:
        """Return whether something as loud as a voice is heard about a time; False where there is no sound."""
        first, last = ((time_ns - self._start_ns + away) // STEP_NS for away in (-NEAR_NS, NEAR_NS))
        near = self._levels[max(0, first) : max(0, last)]
        return bool(near.max(initial=0.0) >= VOICED)

    def between(self, start_ns: Times, end_ns: Times) -> Levels:
        """Return the mean levels from some times to others, of any one shape; 0 outside the window."""
        steps = np.arange(len(self._sums))
        begin, end = ((times - self._start_ns) / STEP_NS for times in (start_ns, end_ns))
        sums = np.interp(end, steps, self._sums) - np.interp(begin, steps, self._sums)
        return np.asarray(sums / np.maximum(end - begin, 1.0))

    def turned(self, start_ns: Times, end_ns: Times, by_ns: Times) -> Levels:
        """Return the same `[m, n]` with the window turned as a ring by each of some times `[m]`, to 10 ms.

        Each of them is 0 or more, and less than the length.
        """
        steps = len(self._levels)
        begin = (start_ns - self._start_ns) // STEP_NS % steps + by_ns[:, None] // STEP_NS
        begin -= steps * (begin >= steps)
        end = np.minimum(begin + np.maximum((end_ns - start_ns) // STEP_NS, 1), steps)
        return np.asarray((self._sums[end] - self._sums[begin]) / (end - begin))

    @property
    def length_ns(self) -> int:
        """Length of the sound that is there."""
        return len(self._levels) * STEP_NS


def above_background(samples: Samples, rate_hz: int) -> Levels:
    """Return the level in each whole step of 10 ms of float32 `[n]`: 0 up to the background, 1 from 30 dB above it."""
    together = max(1, rate_hz // REDUCED_HZ)
    reduced = samples[: len(samples) // together * together].reshape(-1, together).mean(axis=1, dtype=np.float64)
    step = round(STEP_S * rate_hz / together)
    squares = np.square(np.diff(reduced, prepend=reduced[:1]))
    powers = squares[: len(squares) // step * step].reshape(-1, step).mean(axis=1)
    if len(powers) < 3:
        return np.zeros(len(powers))
    levels_db = 10 * np.log10(np.convolve(powers, np.full(3, 1 / 3), mode="same") + 1e-12)
    background_db = max(QUIETEST_DB, quantile(levels_db, BACKGROUND_QUANTILE))
    return np.asarray(((levels_db - background_db - BACKGROUND_DB) / LOUDEST_DB).clip(0, 1))


def quantile(values: Levels, share: float) -> float:
    """Return the quantile of `[n]`, as `numpy.quantile` does, which takes fifty times as long."""
    return float(np.interp(share * (len(values) - 1), np.arange(len(values)), np.sort(values)))
