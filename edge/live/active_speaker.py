"""Detection of the active speaker: whose mouth moves with the voice that is heard."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..clock import SECOND_NS, to_ns
from ..preprocess.people_tracker import TrackedFace
from ..preprocess.pictures import Picture
from ..preprocess.rings import SampleRing
from .mouth_track import LEAST_STEPS, SHORT_NS, Evidence, MouthTrack
from .speaker_turns import NOBODY, probabilities
from .voice_level import VoiceLevel

MOUTH_RATE_HZ = 15
"""Frames a second in which mouths are looked at."""
UNCLEAR = -1
"""Verdict beside NOBODY and the numbers of people: it cannot be told which of them speaks, or whether."""

WEIGHTS, OFFSET = Evidence(1.35, 0.46, 4.67), -6.28
"""Logistic regression from evidence to the log odds that a person speaks; `python -m train.field.speaker_fit` makes
it."""
LEAST_PROBABILITY = 0.5
"""Probability from which on a verdict is given."""

LEAST_SEEN = 0.4
"""Share of the frames in which a mouth has to be seen, so that it is compared with a voice."""
SLOT_NS = to_ns(0.125)
"""Length of the slots of time that have a verdict each."""
REVISED_SLOTS = to_ns(1.5) // SLOT_NS
"""Slots that are compared again at every hop: what comes after them is not known yet."""
KEPT_SLOTS = to_ns(20.0) // SLOT_NS
"""Slots that are kept: more than the longest window."""
COMPARED_SLOTS = to_ns(10.0) // SLOT_NS
"""Slots whose verdicts still change with what comes: what is told later of a time before them is little."""
KEPT_NS = KEPT_SLOTS * SLOT_NS


class Heard(NamedTuple):
    """Evidence on one slot of time by itself, in which a voice is heard."""

    odds: Mapping[int, float]
    """Log odds that a person speaks, for each whose mouth is seen."""
    is_all: bool = True
    """False if somebody is there whose mouth is not seen."""


class ActiveSpeaker:
    """Detector of who speaks, of the people before one camera and the sound of one microphone.

    Each slot of time has a verdict. It is given at the first hop after it and revised while more of what comes after it
    is known.
    """

    def __init__(self, rate_hz: float = MOUTH_RATE_HZ, begin_ns: int = 0) -> None:
        """Make a detector that is shown so many frames a second, of a stream whose first slot begins at `begin_ns`."""
        self._begin_ns = begin_ns
        self._least_steps = max(LEAST_STEPS, round(LEAST_SEEN * rate_hz * 2 * SHORT_NS / SECOND_NS))
        self._tracks: dict[int, MouthTrack] = {}
        self._slots: dict[int, Heard | None] = {}  # in order; None without a voice
        self._verdicts: dict[int, int] = {}

    def see(self, picture: Picture, faces: Sequence[TrackedFace], end_ns: int) -> None:
        """Take the next frame, with everybody's face where it was last found."""
        for person, face in faces:
            self._tracks.setdefault(person, MouthTrack()).see(picture, face, end_ns)

    def judge(self, samples: SampleRing, end_ns: int) -> None:
        """Judge the time up to `end_ns` that is new, and what is just before it again."""
        self._tracks = {
            person: track for person, track in self._tracks.items() if track.is_seen_since(end_ns - KEPT_NS)
        }
        voice = VoiceLevel(samples, end_ns)
        last = (end_ns - 1 - self._begin_ns) // SLOT_NS
        newest = max(self._slots, default=last)
        slots = range(max(last - KEPT_SLOTS, min(newest, last - REVISED_SLOTS) + 1), last + 1)
        self._slots |= dict.fromkeys(slots)
        self._slots |= self._compare([slot for slot in slots if voice.is_voiced(self._middle_ns(slot))], voice)
        self._slots = {slot: self._slots[slot] for slot in sorted(self._slots) if slot > last - COMPARED_SLOTS}
        self._verdicts |= verdicts_on(self._slots)
        self._verdicts = {slot: verdict for slot, verdict in self._verdicts.items() if slot > last - KEPT_SLOTS}

    def _compare(self, slots: Sequence[int], voice: VoiceLevel) -> dict[int, Heard]:
        """Return what is known of each slot in which there is a voice."""
        times_ns = np.array([self._middle_ns(slot) for slot in slots], np.int64)
        evidence: dict[int, Sequence[Evidence | None]] = {}
        for person, track in self._tracks.items():
            compared = track.compare(voice, self._least_steps) if slots else None
            evidence[person] = compared.at(times_ns) if compared else [None] * len(slots)
        found = {}
        for index, slot in enumerate(slots):
            here = [person for person, track in self._tracks.items() if track.was_seen(self._middle_ns(slot))]
            odds = {person: log_odds(signs) for person in here if (signs := evidence[person][index])}
            found[slot] = Heard(odds, is_all=len(odds) == len(here))
        return found

    def owners(self, times_ns: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return for each time `[n]` the number of the person who speaks, NOBODY or UNCLEAR."""
        slots = ((times_ns - self._begin_ns) // SLOT_NS).tolist()
        return np.array([self._verdicts.get(slot, UNCLEAR) for slot in slots], np.int64)

    def _middle_ns(self, slot: int) -> int:
        """Return the middle of a slot of time."""
        return self._begin_ns + slot * SLOT_NS + SLOT_NS // 2

    def clear(self) -> None:
        """Forget everything, as at a discontinuity."""
        self._tracks.clear()
        self._slots.clear()
        self._verdicts.clear()


def log_odds(evidence: Evidence) -> float:
    """Return the log odds that a person speaks."""
    return sum(weight * sign for weight, sign in zip(WEIGHTS, evidence, strict=True)) + OFFSET


def verdicts_on(slots: Mapping[int, Heard | None]) -> dict[int, int]:
    """Return the verdict on each of successive slots of time."""
    likely = probabilities([heard.odds if heard else None for heard in slots.values()])
    return {slot: verdict_on(heard, states) for (slot, heard), states in zip(slots.items(), likely, strict=True)}


def verdict_on(heard: Heard | None, states: Mapping[int, float]) -> int:
    """Return the verdict on a slot of time of which it is known how likely each state is."""
    if heard is None:
        return NOBODY
    likeliest = max(states, key=lambda state: states[state])
    is_clear = states[likeliest] >= LEAST_PROBABILITY and (likeliest != NOBODY or heard.is_all)
    return likeliest if is_clear else UNCLEAR
