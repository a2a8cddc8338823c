"""Made films by kind: turns, two mouths of which one is heard, voices from outside the picture, no voice at all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from edge.preprocess.images import Image
from edge.preprocess.media import Samples

from ..simulation.noise import repeated
from . import noises, sound
from .speech_films import Film, make_film
from .talkers import RATE_HZ, ClipTalker, Footage, PhotoTalker, Said, Talker

LENGTH_S = 8.0
BEGINS_S = 0.6
TURN_S = (1.0, 4.0)
GAP_S = (0.1, 0.6)
PAUSE_S = (0.0, 0.5)
SHORTEST_END_S = 1.2
"""Time before the end of a film from which on nobody begins to speak."""
VOICE_DBFS = (-30.0, -20.0)
NOISE_DBFS = (-40.0, -22.0)
SNR_DB = 10.0
CLIP_SCALES = (0.7, 1.5)
PHOTOGRAPH_SCALES = {1: (0.3, 0.6), 2: (0.25, 0.6), 4: (0.2, 0.42)}
"""Sizes of a photograph, as shares of the image's height, by the number of people: a face is two thirds as large."""

Draw = np.random.Generator


@dataclass(frozen=True)
class Material:
    """Recordings that films are made of."""

    clips: Sequence[Footage]
    """Real clips of one person; at least one."""
    photographs: Sequence[Image]
    """Photographs of other people's faces, one each."""
    voices: Sequence[Sequence[Samples]]
    """Utterances, by speaker."""
    noises: Sequence[Samples]
    """Recordings in which nobody speaks."""


class Cast:
    """People of one film, with what each may say."""

    def __init__(self, utterances: Sequence[Sequence[Samples]], rng: Draw) -> None:
        """Take the utterances of each person."""
        self._utterances, self._rng = utterances, rng

    def __len__(self) -> int:
        return len(self._utterances)

    def beside(self, utterances: Sequence[Samples]) -> "Cast":
        """Return the same people with one more, who has these utterances."""
        return Cast([*self._utterances, utterances], self._rng)

    def say(self, person: int, start_s: float) -> Said:
        """Return something that a person says from a time on."""
        number = int(self._rng.integers(len(self._utterances[person])))
        samples = noises.at_dbfs(self._utterances[person][number], float(self._rng.uniform(*VOICE_DBFS)))
        return Said(start_s, samples, number)

    def turns(self) -> list[tuple[int, Said]]:
        """Return what is said by turns, with the number of who says it, from 1 on."""
        rng, spoken = self._rng, list[tuple[int, Said]]()
        at_s, person = BEGINS_S, int(rng.integers(len(self)))
        while at_s < LENGTH_S - SHORTEST_END_S:
            until_s = min(at_s + float(rng.uniform(*TURN_S)), LENGTH_S - SHORTEST_END_S)
            while at_s < until_s:
                spoken.append((person + 1, self.say(person, at_s)))
                at_s = spoken[-1][1].end_s
            at_s += float(rng.uniform(*GAP_S))
            person = (person + int(rng.integers(1, max(2, len(self))))) % len(self)
        return spoken

    def monologue(self, person: int) -> list[Said]:
        """Return what one person says all the time, with short pauses."""
        spoken, at_s = list[Said](), float(self._rng.uniform(0.2, 1.0))
        while at_s < LENGTH_S - SHORTEST_END_S:
            spoken.append(self.say(person, at_s))
            at_s = spoken[-1].end_s + float(self._rng.uniform(*PAUSE_S))
        return spoken


class Clips:
    """Maker of films of the person of the real clips, side by side with themselves."""

    scales = dict.fromkeys((1, 2), CLIP_SCALES)

    def __init__(self, material: Material, rng: Draw) -> None:
        self._clips, self._rng = material.clips, rng
        self._said: Sequence[Sequence[Footage]] = [self._clips] * max(self.scales)

    def cast(self, people: int, *, are_apart: bool = False) -> Cast:
        """Return people each of whom says the clips; `are_apart` if each has a clip of their own."""
        own = [
            [self._clips[index % len(self._clips)]] for index in self._rng.permutation(max(people, len(self._clips)))
        ]
        self._said = own[:people] if are_apart else [self._clips] * people
        return Cast([[clip.samples for clip in clips] for clips in self._said], self._rng)

    def talker(self, person: int, script: Sequence[Said]) -> Talker:
        """Return a person with a script."""
        return ClipTalker(self._said[person], script)


class Photographs:
    """Maker of films of photographs whose mouths are warped, each with the voice of a speaker of its own."""

    scales = PHOTOGRAPH_SCALES

    def __init__(self, material: Material, rng: Draw) -> None:
        self._photographs = [material.photographs[index] for index in rng.permutation(len(material.photographs))]
        self._voices = [material.voices[index] for index in rng.permutation(len(material.voices))]
        self._rng = rng

    def cast(self, people: int, *, are_apart: bool = False) -> Cast:
        """Return people with a voice each, which is always of their own."""
        return Cast(self._voices[:people], self._rng)

    def talker(self, person: int, script: Sequence[Said]) -> Talker:
        """Return a person with a script."""
        return PhotoTalker(self._photographs[person], script, LENGTH_S, self._rng)


Maker = type[Clips] | type[Photographs]
Compose = Callable[[Material, Draw], Film]


def taking_turns(maker: Maker, people: int, material: Material, rng: Draw, *, snr_db: float | None = None) -> Film:
    """People take turns; the others listen."""
    scene = maker(material, rng)
    spoken = scene.cast(people).turns()
    talkers = [
        scene.talker(person, [said for number, said in spoken if number == person + 1]) for person in range(people)
    ]
    noise = None if snr_db is None else noise_beside(material, spoken, snr_db, rng)
    return make_film(talkers, spoken, LENGTH_S, rng, scene.scales[people], noise)


def both_moving(maker: Maker, material: Material, rng: Draw) -> Film:
    """Two people speak all the time, each something else; one is heard."""
    scene = maker(material, rng)
    cast = scene.cast(2, are_apart=True)
    scripts = [cast.monologue(person) for person in range(2)]
    heard = int(rng.integers(2))
    talkers = [scene.talker(person, script) for person, script in enumerate(scripts)]
    return make_film(talkers, [(heard + 1, said) for said in scripts[heard]], LENGTH_S, rng, scene.scales[2])


def interviewed(maker: Maker, material: Material, rng: Draw) -> Film:
    """Two people and somebody outside the picture take turns; those in it listen meanwhile."""
    scene = maker(material, rng)
    outside = material.voices[int(rng.integers(len(material.voices)))]
    spoken = [(number % 3, said) for number, said in scene.cast(2).beside(outside).turns()]
    talkers = [scene.talker(person, [said for number, said in spoken if number == person + 1]) for person in range(2)]
    return make_film(talkers, spoken, LENGTH_S, rng, scene.scales[2])


def off_screen(maker: Maker, material: Material, rng: Draw, *, are_moving: bool) -> Film:
    """Somebody outside the picture speaks; one or two people listen, or speak something else unheard."""
    scene = maker(material, rng)
    people = int(rng.integers(1, 3))
    cast = scene.cast(people)
    talkers = [scene.talker(person, cast.monologue(person) if are_moving else []) for person in range(people)]
    voice = Cast([material.voices[int(rng.integers(len(material.voices)))]], rng).monologue(0)
    return make_film(talkers, [(0, said) for said in voice], LENGTH_S, rng, scene.scales[people])


def nobody_speaking(maker: Maker, material: Material, rng: Draw) -> Film:
    """One or two people rest while there is a noise."""
    scene = maker(material, rng)
    people = int(rng.integers(1, 3))
    noise = repeated(material.noises[int(rng.integers(len(material.noises)))], round(LENGTH_S * RATE_HZ), rng)
    noise = noises.at_dbfs(noise, float(rng.uniform(*NOISE_DBFS)))
    talkers = [scene.talker(person, []) for person in range(people)]
    return make_film(talkers, [], LENGTH_S, rng, scene.scales[people], noise)


def noise_beside(material: Material, spoken: Sequence[tuple[int, Said]], snr_db: float, rng: Draw) -> Samples:
    """Return babble of six voices, so far below those that are heard."""
    count = round(LENGTH_S * RATE_HZ)
    voices = [material.voices[index][0] for index in rng.integers(0, len(material.voices), 6)]
    level_dbfs = 20 * float(np.log10(np.mean([noises.rms(said.samples) for _, said in spoken])))
    return noises.at_dbfs(sound.babble(rng, voices, count), level_dbfs - snr_db)


CLIPS: dict[str, Compose] = {
    "clips: turns": partial(taking_turns, Clips, 2),
    "clips: both mouths move, one is heard": partial(both_moving, Clips),
    "clips: turns with somebody off screen": partial(interviewed, Clips),
    "clips: a voice off screen, faces listen": partial(off_screen, Clips, are_moving=False),
    "clips: a voice off screen, faces speak": partial(off_screen, Clips, are_moving=True),
    "clips: nobody speaks": partial(nobody_speaking, Clips),
}
PHOTOGRAPHS: dict[str, Compose] = {
    "photographs: turns of two": partial(taking_turns, Photographs, 2),
    "photographs: turns of four": partial(taking_turns, Photographs, 4),
    "photographs: turns of two, babble 10 dB": partial(taking_turns, Photographs, 2, snr_db=SNR_DB),
    "photographs: both mouths move, one is heard": partial(both_moving, Photographs),
    "photographs: turns with somebody off screen": partial(interviewed, Photographs),
    "photographs: a voice off screen, faces listen": partial(off_screen, Photographs, are_moving=False),
    "photographs: a voice off screen, faces speak": partial(off_screen, Photographs, are_moving=True),
    "photographs: nobody speaks": partial(nobody_speaking, Photographs),
}
