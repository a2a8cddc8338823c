"""Motion of one person's mouth over time, and how it goes with a voice."""

import math
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..clock import SECOND_NS, to_ns
from ..preprocess.face_detector import Face
from ..preprocess.mouth import Mouth
from ..preprocess.pictures import Picture
from .voice_level import Times, VoiceLevel, quantile

KEPT_NS = to_ns(6.0)
"""Time for which motion is kept."""
LONGEST_STEP_NS = to_ns(0.25)
"""Longest time between two images that are compared."""
USUAL_STEP_S = 1 / 15
"""Time between two images to which changes are scaled: they grow with its square root."""
STILLEST, STILL_QUANTILE = 0.04, 0.15
"""Change of a mouth at rest: noise at least, and otherwise as much as in the stillest sixth of the time."""
MOVING_NS = to_ns(0.35)
"""Time to either side over which a mouth's motion is averaged."""
MOVING, MOST_MOVING = 0.6, 0.7
"""Motion from which on a mouth may be speaking, and from which on more of it says no more."""
SHORT_NS, LONG_NS = to_ns(1.0), to_ns(2.5)
"""Time to either side in which mouth and voice are compared: in all of it, and in what the mouth moves of a longer
one. Where less is to come, as much more is taken of what was before."""
LEAST_STEPS = 8
"""Fewest motions that are compared."""
SKEWS_NS = np.array([to_ns(seconds) for seconds in (-0.12, -0.08, -0.04, 0.0, 0.04, 0.08, 0.12)])
"""Times by which the sound may be late."""
AT_END_NS = to_ns(0.03)
"""Time to either side of an image over which the level is averaged that goes with the opening of the mouth."""
LEAST_TURN_NS, TURNS = to_ns(0.5), 20
"""Shortest time by which the sound is turned about to see how it goes with a mouth by chance, and how many times."""
LEAST_LENGTH_NS, USUAL_CHANCE = to_ns(2.0), 0.2
"""Length of sound from which on chance is measured, and what it brings before."""
LEAST_CHANCE = 0.15
"""Part of every correlation that tells nothing, however quickly both change."""

Floats = NDArray[np.float64]


class Step(NamedTuple):
    """Motion of a mouth from one image to the next."""

    begin_ns: int
    end_ns: int
    change: float
    """Change beyond the head's; NaN where the mouth is not seen."""
    lower: float
    """Way of the lower lip downwards."""


class Evidence(NamedTuple):
    """Signs that a person speaks at a time."""

    synchrony: float
    """Correlation of mouth and voice in 2 s, at the skew at which it is highest, over what chance brings."""
    long_synchrony: float
    """The same, of 5 s, while the mouth moves."""
    moving: float
    """Motion of the mouth about the time, 0 to 0.7: the logarithm of its changes over those at rest."""


class MouthTrack:
    """Motion of one person's mouth in the last seconds."""

    def __init__(self) -> None:
        self._mouth = Mouth()
        self._last_ns: int | None = None
        self._steps: deque[Step] = deque()

    def see(self, picture: Picture, face: Face, end_ns: int) -> None:
        """Take the next image, with the face where it was last found."""
        begin_ns, self._last_ns = self._last_ns, end_ns
        motion = self._mouth.see(picture, face)
        if begin_ns is None or not 0 < end_ns - begin_ns <= LONGEST_STEP_NS:
            return
        if motion is None:
            self._steps.append(Step(begin_ns, end_ns, np.nan, np.nan))
        else:
            own = max(0.0, motion.change**2 - motion.head**2) * USUAL_STEP_S * SECOND_NS / (end_ns - begin_ns)
            self._steps.append(Step(begin_ns, end_ns, own**0.5, motion.lower))
        while self._steps[0].begin_ns < end_ns - KEPT_NS:
            self._steps.popleft()

    def is_seen_since(self, time_ns: int) -> bool:
        """Return whether the person has been seen at a time or later."""
        return self._last_ns is not None and self._last_ns >= time_ns

    def was_seen(self, time_ns: int) -> bool:
        """Return whether the person's face was there at a time."""
        near = (step.begin_ns - MOVING_NS <= time_ns <= step.end_ns + MOVING_NS for step in reversed(self._steps))
        return any(near)

    def compare(self, voice: VoiceLevel, least: int = LEAST_STEPS) -> "Comparison | None":
        """Return the comparison with a voice; None where fewer than `least` motions are seen."""
        steps = [step for step in self._steps if not np.isnan(step.change)]
        return Comparison(steps, voice, least) if len(steps) >= least else None


class Comparison:
    """Comparison of a mouth's steps with a voice."""

    def __init__(self, steps: Sequence[Step], voice: VoiceLevel, least: int = LEAST_STEPS) -> None:
        """Take at least `least` steps of which as many have to lie about a time."""
        self._least = least
        begin = np.array([step.begin_ns for step in steps], np.int64)
        self._end = np.array([step.end_ns for step in steps], np.int64)
        changes = np.array([step.change for step in steps])
        self._moved = np.log1p(changes / max(STILLEST, quantile(changes, STILL_QUANTILE)))
        self._lower = np.array([step.lower for step in steps])
        self._moving = around(self._end, self._moved)
        late = SKEWS_NS[:, None]
        self._levels = voice.between(begin + late, self._end + late)
        self._levels_at_end = voice.between(self._end + late - AT_END_NS, self._end + late + AT_END_NS)
        self.chance = math.hypot(LEAST_CHANCE, self._by_chance(begin, voice))
        """Size of the correlations that chance brings to this mouth with this voice."""

    def at(self, times_ns: Times) -> list[Evidence | None]:
        """Return the evidence about each time `[s]`; None where too little is seen."""
        short = self._within(times_ns, SHORT_NS)
        long = self._within(times_ns, LONG_NS) & (self._moving > MOVING)
        synchrony = self._synchrony(short)
        has_long = np.count_nonzero(long, axis=1) >= LEAST_STEPS
        long_synchrony = np.where(has_long, self._synchrony(long), synchrony)
        moving = np.minimum(np.interp(times_ns, self._end, self._moving), MOST_MOVING)
        is_enough = np.count_nonzero(short, axis=1) >= self._least
        signs = zip(synchrony.tolist(), long_synchrony.tolist(), moving.tolist(), strict=True)
        return [Evidence(*each) if enough else None for each, enough in zip(signs, is_enough, strict=True)]

    def _within(self, times_ns: Times, side_ns: int) -> NDArray[np.bool_]:
        """Return which steps `[s, n]` lie about each time."""
        first_ns = np.minimum(times_ns - side_ns, self._end[-1] - 2 * side_ns)
        return np.asarray((self._end >= first_ns[:, None]) & (self._end <= times_ns[:, None] + side_ns))

    def _synchrony(self, chosen: NDArray[np.bool_]) -> Floats:
        """Return the synchrony `[s]` of mouth and voice in the chosen steps `[s, n]`."""
        moved = correlations(self._moved, self._levels, chosen)
        opened = correlations(openings(self._lower, chosen), self._levels_at_end, chosen)
        return np.asarray(((moved + opened) / 2).max(axis=1) / self.chance)

    def _by_chance(self, begin: Times, voice: VoiceLevel) -> float:
        """Return the spread of correlations with the sound out of step: slow and even motions go with any voice."""
        if voice.length_ns < LEAST_LENGTH_NS:
            return USUAL_CHANCE
        by_ns = np.linspace(LEAST_TURN_NS, voice.length_ns - LEAST_TURN_NS, TURNS).astype(np.int64)
        chosen = np.ones((1, len(begin)), np.bool_)
        moved = correlations(self._moved, voice.turned(begin, self._end, by_ns), chosen)
        levels_at_end = voice.turned(self._end - AT_END_NS, self._end + AT_END_NS, by_ns)
        opened = correlations(openings(self._lower, chosen), levels_at_end, chosen)
        return float(((moved + opened) / 2).std())


def openings(lower: Floats, chosen: NDArray[np.bool_]) -> Floats:
    """Return how far a mouth is open `[s, n]` after chosen ways of the lower lip, the same at the first and the last.

    Small errors of each way add up, and are taken for even.
    """
    ways = np.where(chosen, lower, 0.0)
    places, numbers = np.cumsum(ways, axis=1), np.cumsum(chosen, axis=1)
    first = np.take_along_axis(ways, chosen.argmax(axis=1)[:, None], axis=1)
    last, steps = places[:, -1:], np.maximum(numbers[:, -1:] - 1, 1)
    return np.asarray(places - first - (last - first) * (numbers - 1) / steps)


def around(times_ns: Times, values: Floats) -> Floats:
    """Return the mean of the values within 0.35 s of each time `[n]`."""
    near = np.abs(times_ns[:, None] - times_ns) <= MOVING_NS
    return np.asarray(near @ values / near.sum(axis=1))


def correlations(one: Floats, others: Floats, chosen: NDArray[np.bool_]) -> Floats:
    """Return the correlations `[s, m]` of `[n]` or `[s, n]` with `[m, n]` in chosen places `[s, n]`.

    They are about 0 where one hardly varies.
    """
    weights = chosen.astype(np.float64)
    count = np.maximum(weights.sum(axis=1, keepdims=True), 1.0)
    centred = (one - (weights * one).sum(axis=1, keepdims=True) / count) * weights
    together = centred @ others.T
    squares = np.maximum(weights @ np.square(others).T - np.square(weights @ others.T) / count, 0.0)
    return np.asarray(together / np.sqrt(np.square(centred).sum(axis=1, keepdims=True) * squares + 1e-6))
