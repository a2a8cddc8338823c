"""Voices alone: clean, and under the conditions of sound."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from edge.preprocess.media import Samples

from ..simulation.noise import repeated
from . import noises, sound
from .draws import generator
from .judge import Judge, Scene
from .recordings import Recordings, Voice
from .rows import Row, Shown, Trial, judge_all, make_row

SECTION = "voices"
SNRS_DB = (20, 10, 5, 0)
RT60S_S = (0.3, 0.6, 1.0)
GAINS_DB = (-30, 12)
LEADS_S = (1, 3, 5)
CUTS_S = (0.5, 1, 1.5, 2, 3)
ROOM_DBFS = -60.0
"""Level of a quiet room in a microphone."""
BABBLERS = 6
"""Number of people who talk at once in babble."""

Condition = Callable[[np.random.Generator, Voice], Samples]


class Conditions:
    """Conditions of sound, made of recordings that the model was not trained on."""

    def __init__(self, recordings: Recordings, rate_hz: int) -> None:
        self._recordings, self._rate_hz = recordings, rate_hz

    def by_name(self) -> dict[str, Condition]:
        """Return every condition by its name; those whose recordings are not there are left out."""
        made: dict[str, Condition] = {"clean": self.clean}
        for seconds in CUTS_S:
            made[f"first {seconds:g} s"] = partial(self.cut, seconds)
        for seconds in LEADS_S:
            made[f"after {seconds} s of room noise"] = partial(self.after_room, seconds)
        for seconds in LEADS_S:
            made[f"after {seconds} s of digital zeros"] = partial(self.after_zeros, seconds)
        kinds = ["white noise", "babble", "music", "keyboard and taps"]
        for kind in kinds + ["rooms"] * bool(self._recordings.noises("rooms", self._rate_hz)):
            for snr_db in SNRS_DB:
                made[f"{kind} {snr_db} dB"] = partial(self.noisy, kind, snr_db)
        for rt60_s in RT60S_S:
            made[f"reverberation {rt60_s:g} s"] = partial(self.reverberant, rt60_s)
        if self._recordings.impulse_responses(self._rate_hz):
            made["recorded impulse response"] = partial(self.reverberant, None)
        made["telephone"] = self.telephone
        made["Opus 16 kbit/s"] = self.opus
        for gain_db in GAINS_DB:
            made[f"gain {gain_db:+d} dB"] = partial(self.louder, gain_db)
        return made

    def clean(self, rng: np.random.Generator, voice: Voice) -> Samples:
        """Return the recording as it is."""
        return voice.samples(self._rate_hz)

    def cut(self, seconds: float, rng: np.random.Generator, voice: Voice) -> Samples:
        """Return the first seconds alone."""
        return self.clean(rng, voice)[: round(seconds * self._rate_hz)]

    def after_room(self, seconds: float, rng: np.random.Generator, voice: Voice) -> Samples:
        """Return a voice in a quiet room that was silent for some seconds before."""
        whole = self.after_zeros(seconds, rng, voice)
        return whole + noises.at_dbfs(noises.pink(rng, len(whole), self._rate_hz), ROOM_DBFS)

    def after_zeros(self, seconds: float, rng: np.random.Generator, voice: Voice) -> Samples:
        """Return a voice after some seconds of digital silence."""
        return np.concatenate([np.zeros(round(seconds * self._rate_hz), np.float32), self.clean(rng, voice)])

    def noisy(self, kind: str, snr_db: float, rng: np.random.Generator, voice: Voice) -> Samples:
        """Return a voice with noise of a kind."""
        samples = self.clean(rng, voice)
        return sound.mixed(samples, self._noise(kind, rng, voice, len(samples)), snr_db)

    def _noise(self, kind: str, rng: np.random.Generator, voice: Voice, count: int) -> Samples:
        if kind in noises.MADE:
            return noises.MADE[kind](rng, count, self._rate_hz)
        if kind == "babble":
            others = [v for v in self._recordings.voices if v.utterance.speaker != voice.utterance.speaker]
            chosen = [others[index] for index in rng.permutation(len(others))[:BABBLERS]]
            return sound.babble(rng, [other.samples(self._rate_hz) for other in chosen], count)
        recorded = list(self._recordings.noises(kind, self._rate_hz).values())
        return repeated(recorded[rng.integers(len(recorded))], count, rng)

    def reverberant(self, rt60_s: float | None, rng: np.random.Generator, voice: Voice) -> Samples:
        """Return a voice in a room of that reverberation time, or in a recorded one."""
        if rt60_s is not None:
            return sound.reverberant(self.clean(rng, voice), sound.impulse_response(rng, rt60_s, self._rate_hz))
        responses = self._recordings.impulse_responses(self._rate_hz)
        return sound.reverberant(self.clean(rng, voice), responses[rng.integers(len(responses))])

    def telephone(self, rng: np.random.Generator, voice: Voice) -> Samples:
        """Return a voice through a telephone."""
        return sound.telephone(self.clean(rng, voice), self._rate_hz)

    def opus(self, rng: np.random.Generator, voice: Voice) -> Samples:
        """Return a voice through Opus at 16 kbit/s."""
        return sound.opus(self.clean(rng, voice), self._rate_hz)

    def louder(self, gain_db: float, rng: np.random.Generator, voice: Voice) -> Samples:
        """Return a voice with another gain."""
        return sound.louder(self.clean(rng, voice), gain_db)


def plan(judge: Judge, recordings: Recordings, seed: int) -> Iterator[Trial]:
    """Yield a trial for each condition, and one for each corpus that the model never heard."""
    conditions = Conditions(recordings, judge.manifest.audio.rate_hz)
    for name, condition in conditions.by_name().items():
        yield Trial(SECTION, name, partial(run, judge, recordings.voices, condition, seed, SECTION, name))
    section = "whole corpora, never heard"
    for corpus, voices in recordings.whole_corpora().items():
        yield Trial(section, corpus, partial(run, judge, voices, conditions.clean, seed, section, corpus))


def run(judge: Judge, voices: Sequence[Voice], condition: Condition, seed: int, section: str, name: str) -> list[Row]:
    """Return the row of voices under one condition."""
    shown = (
        Shown(Scene(condition(generator(seed, name, str(index)), voice)), voice.subject)
        for index, voice in enumerate(voices)
    )
    return [make_row(section, name, judge_all(judge, shown))]
