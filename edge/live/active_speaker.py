"""Detection of the active speaker: whose mouth moves with the voice that is heard."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..clock import SECOND_NS, to_ns
from ..preprocess.people_tracker import TrackedFace
from ..preprocess.pictures import Picture
from ..preprocess.rings import SampleRing
from .mouth_track import LEAST_STEPS, SHORT_NS, Evidence, MouthTrack
from .voice_level import VoiceLevel

MOUTH_RATE_HZ = 15
"""Frames a second in which mouths are looked at."""
NOBODY, UNCLEAR = 0, -1
"""Verdicts beside the numbers of people: no face here speaks; it cannot be told which, or whether."""

WEIGHTS, OFFSET = Evidence(4.73, 2.37, 4.01), -5.44
"""Logistic regression from evidence to the log odds that a person speaks; `python -m train.field.speaker_fit` makes
it."""
LEAST_ODDS, SURE_ODDS = -0.7, 1.2
"""Log odds from which on a person may be speaking, and that they have to reach before it ends."""
LEAST_DISTANCE = 0.4
"""Log odds by which a person has to be above everybody else."""

LEAST_SEEN = 0.4
"""Share of the frames in which a mouth has to be seen, so that it is compared with a voice."""
SLOT_NS = to_ns(0.125)
"""Length of the slots of time that have a verdict each."""
REVISED_SLOTS = to_ns(1.0) // SLOT_NS
"""Slots that are judged again at every hop: what comes after them is not known yet."""
KEPT_SLOTS = to_ns(20.0) // SLOT_NS
"""Slots that are kept: more than the longest window."""
KEPT_NS = KEPT_SLOTS * SLOT_NS


class Candidate(NamedTuple):
    """Verdict on one slot of time by itself."""

    verdict: int
    """Number of a person, NOBODY or UNCLEAR."""
    is_sure: bool = False
    """True if the evidence for the person is strong."""


class ActiveSpeaker:
    """Detector of who speaks, of the people before one camera and the sound of one microphone.

    Each slot of time has a verdict. It is given at the first hop after it and revised for a second, until what comes
    after it is known, too.
    """

    def __init__(self, rate_hz: float = MOUTH_RATE_HZ) -> None:
        """Make a detector that is shown so many frames a second."""
        self._least_steps = max(LEAST_STEPS, round(LEAST_SEEN * rate_hz * 2 * SHORT_NS / SECOND_NS))
        self._tracks: dict[int, MouthTrack] = {}
        self._candidates: dict[int, Candidate] = {}  # by slot
        self._verdicts: dict[int, int] = {}

    def see(self, picture: Picture, faces: Sequence[TrackedFace], end_ns: int) -> None:
        """Take the next frame, with everybody's face where it was last found."""
        for person, face in faces:
            self._tracks.setdefault(person, MouthTrack()).see(picture, face, end_ns)

    def judge(self, samples: SampleRing, end_ns: int) -> None:
        """Judge the time up to `end_ns` that is new, and the second before it again."""
        self._tracks = {
            person: track for person, track in self._tracks.items() if track.is_seen_since(end_ns - KEPT_NS)
        }
        voice = VoiceLevel(samples, end_ns)
        last = (end_ns - 1) // SLOT_NS
        newest = max(self._candidates, default=last)
        slots = range(max(last - KEPT_SLOTS, min(newest, last - REVISED_SLOTS) + 1), last + 1)
        self._candidates |= dict.fromkeys(slots, Candidate(NOBODY))
        self._candidates |= self._compare([slot for slot in slots if voice.is_voiced(middle_ns(slot))], voice)
        self._candidates = {slot: each for slot, each in self._candidates.items() if slot > last - KEPT_SLOTS}
        self._verdicts = verdicts_on(self._candidates)

    def _compare(self, slots: Sequence[int], voice: VoiceLevel) -> dict[int, Candidate]:
        """Return the verdict on each slot in which there is a voice."""
        times_ns = np.array([middle_ns(slot) for slot in slots], np.int64)
        evidence: dict[int, Sequence[Evidence | None]] = {}
        for person, track in self._tracks.items():
            compared = track.compare(voice, self._least_steps) if slots else None
            evidence[person] = compared.at(times_ns) if compared else [None] * len(slots)
        found = {}
        for index, slot in enumerate(slots):
            here = [person for person, track in self._tracks.items() if track.was_seen(middle_ns(slot))]
            odds = {person: log_odds(signs) for person in here if (signs := evidence[person][index])}
            found[slot] = choose(odds, is_all=len(odds) == len(here))
        return found

    def owners(self, times_ns: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return for each time `[n]` the number of the person who speaks, NOBODY or UNCLEAR."""
        slots = (times_ns // SLOT_NS).tolist()
        return np.array([self._verdicts.get(slot, UNCLEAR) for slot in slots], np.int64)

    def clear(self) -> None:
        """Forget everything, as at a discontinuity."""
        self._tracks.clear()
        self._candidates.clear()
        self._verdicts.clear()


def middle_ns(slot: int) -> int:
    """Return the middle of a slot of time."""
    return slot * SLOT_NS + SLOT_NS // 2


def log_odds(evidence: Evidence) -> float:
    """Return the log odds that a person speaks."""
    return sum(weight * sign for weight, sign in zip(WEIGHTS, evidence, strict=True)) + OFFSET


def choose(odds: Mapping[int, float], *, is_all: bool) -> Candidate:
    """Return whom log odds speak for; `is_all` is False where somebody is there whose mouth is not seen."""
    ranked = sorted(odds, key=lambda person: odds[person], reverse=True)
    if not ranked or odds[ranked[0]] < LEAST_ODDS:
        return Candidate(NOBODY if is_all else UNCLEAR)
    if len(ranked) > 1 and odds[ranked[0]] - odds[ranked[1]] < LEAST_DISTANCE:
        return Candidate(UNCLEAR)
    return Candidate(ranked[0], odds[ranked[0]] >= SURE_ODDS)


def verdicts_on(candidates: Mapping[int, Candidate]) -> dict[int, int]:
    """Return the verdict on each slot: a person only where it is sure somewhere in the run of slots that are theirs."""
    verdicts: dict[int, int] = {}
    for verdict, run in groupby(sorted(candidates), key=lambda slot: candidates[slot].verdict):
        slots = list(run)
        is_sure = verdict <= NOBODY or any(candidates[slot].is_sure for slot in slots)
        verdicts |= dict.fromkeys(slots, verdict if is_sure else NOBODY)
    return verdicts
