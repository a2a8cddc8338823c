"""Section `in company`: each of several people beside the same person alone, in made films.

Photographs side by side, of whom nobody or one speaks with a voice of their label. What the runtime publishes of each
person at the end is compared with what it publishes where the others' tiles are empty, nobody else being followed and
no voice of others being heard.
"""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np

from edge.clock import SECOND_NS, to_ns
from edge.live.active_speaker import MOUTH_RATE_HZ
from edge.live.loop import run_fast
from edge.live.pipeline import RunSpec, StreamSpec, build_pipeline
from edge.live.steady_state_config import SteadyStateConfig
from edge.preprocess.images import Image
from edge.preprocess.media import BLOCK_S, Block, Frame, Media
from edge.wire.messages import Message, PersonPrediction, Prediction

from . import noises
from .draws import generator
from .figures import Case, Subject
from .judge import SILENT, Judge, Judgement
from .recordings import Face, Recordings, Voice
from .rows import Row, Trial, make_row
from .speech_films import Film, make_film
from .talkers import RATE_HZ, PhotoTalker, Said, Talker, trimmed

SECTION = "in company"
SILENT_S, SPOKEN_S = 2.4, 5.0
"""Length of a film without and with a voice."""
BEGINS_S = 0.4
VOICE_DBFS = -26.0
SCALES = (0.3, 0.5)
"""Sizes of a photograph, as shares of the image's height: a face is two thirds as large."""
DIFFERENT = (0.25, 0.6)
"""Sizes where people are of different ones."""
NOBODYS_GREY = 120
COUNTS = (2, 3, 4)
"""Numbers of people in a film; of the first two also with one who speaks."""


class Company(NamedTuple):
    """People of one film."""

    faces: Sequence[Face]
    voice: Voice | None
    """Voice of the first person's label, where one of them speaks."""


class Empty:
    """Tile without a person."""

    def draw(self, _time_s: float) -> Image:
        """Return a plain picture."""
        return np.full((128, 128, 3), NOBODYS_GREY, np.uint8)


class Projection:
    """Film as a recording, with the frames that several people need."""

    name = "a made film"

    def __init__(self, film: Film, *, has_audio: bool) -> None:
        self._film, self._has_audio = film, has_audio

    def read(self) -> Iterator[Media]:
        """Yield frames and blocks by time."""
        film, size = self._film, round(BLOCK_S * RATE_HZ)
        frames = (Frame(film.draw(k / MOUTH_RATE_HZ), k * SECOND_NS // MOUTH_RATE_HZ) for k in range(self._frames()))
        frame = next(frames, None)
        for first in range(0, len(film.samples) - size + 1, size):
            end_ns = (first + size) * SECOND_NS // RATE_HZ
            while frame is not None and frame.end_ns < end_ns:
                yield frame
                frame = next(frames, None)
            if self._has_audio:
                yield Block(film.samples[first : first + size], end_ns)

    def _frames(self) -> int:
        return round(self._film.seconds * MOUTH_RATE_HZ)


def plan(judge: Judge, recordings: Recordings, seed: int) -> Iterator[Trial]:
    """Yield a trial for each number of people, where there are photographs; those who speak need voices, too."""
    photographs, voices = recordings.photographs, recordings.voices
    if len(photographs) < max(COUNTS):
        return
    for count in COUNTS:
        silent = partial(companies, photographs, [], count)
        yield Trial(SECTION, f"{count} people", partial(run, judge, silent, SCALES, seed, f"{count} people"))
    name = "2 people of different sizes"
    yield Trial(SECTION, name, partial(run, judge, partial(companies, photographs, [], 2), DIFFERENT, seed, name))
    for count in COUNTS[:2] if voices else ():
        name = f"{count} people, one speaks"
        spoken = partial(companies, photographs, voices, count)
        yield Trial(SECTION, name, partial(run, judge, spoken, SCALES, seed, name))


def companies(photographs: Sequence[Face], voices: Sequence[Voice], count: int, seed: int) -> Iterator[Company]:
    """Yield groups of people in which each is once; with voices the first of each has one of the same label."""
    order = generator(seed, "company", str(count)).permutation(len(photographs))
    for number, first in enumerate(range(0, len(order) - count + 1, count)):
        faces = [photographs[index] for index in order[first : first + count]]
        fitting = [voice for voice in voices if voice.subject.truth == faces[0].subject.truth]
        if fitting:
            yield Company(faces, fitting[generator(seed, "voice", str(number)).integers(len(fitting))])
        elif not voices:
            yield Company(faces, None)


def run(judge: Judge, draw: partial[Iterator[Company]], scales: tuple[float, float], seed: int, name: str) -> list[Row]:
    """Return a row of all people together, and one of each alone."""
    together, alone = list[Case](), list[Case]()
    for number, company in enumerate(draw(seed)):
        film, is_spoken = compose(company, generator(seed, name, str(number)), scales), company.voice is not None
        of_all = judge_people(judge, film, len(company.faces), has_audio=is_spoken)
        for index, face in enumerate(company.faces):
            subject = Subject(face.subject.truth, face.subject.speaker, {})
            together.append(Case(subject, of_all[index], of_all[index] is not SILENT))
            only = replace(film, talkers=[each if at == index else Empty() for at, each in enumerate(film.talkers)])
            of_one = judge_people(judge, only, 1, has_audio=is_spoken and index == 0)[index]
            alone.append(Case(subject, of_one, of_one is not SILENT))
    return [make_row(SECTION, name, together), make_row(SECTION, f"{name}: each alone", alone)]


def compose(company: Company, rng: np.random.Generator, scales: tuple[float, float]) -> Film:
    """Return a film of the people, of whom the first speaks where there is a voice."""
    script, length_s = list[Said](), SILENT_S
    if company.voice is not None:
        samples = trimmed(company.voice.samples(RATE_HZ))[: round((SPOKEN_S - BEGINS_S) * RATE_HZ)]
        script, length_s = [Said(BEGINS_S, noises.at_dbfs(samples, VOICE_DBFS))], SPOKEN_S
    talkers: list[Talker] = [
        PhotoTalker(face.image, script if number == 0 else [], length_s, rng)
        for number, face in enumerate(company.faces)
    ]
    return make_film(talkers, [(1, said) for said in script], length_s, rng, scales)


def judge_people(judge: Judge, film: Film, people: int, *, has_audio: bool) -> list[Judgement]:
    """Return what is published last of the person in each tile; SILENT where that is nothing."""
    messages: list[Message] = []
    spec = RunSpec(
        session="field",
        stream_specs=(StreamSpec("film", has_audio, True, people=people),),
        framing="face",
        begin_ns=0,
        hop_ns=to_ns(0.5),
        latest_only=False,
        events=SteadyStateConfig(),
        detector=judge.detector,
    )
    pipeline = build_pipeline(spec, judge.recognizer, messages.append)
    run_fast(pipeline.loop, [Projection(film, has_audio=has_audio)], spec.hop_ns, threading.Event(), lambda _: None)
    pipeline.loop.close()
    pipeline.failures.raise_any()
    kind = PersonPrediction if people > 1 else Prediction
    found = [SILENT] * len(film.talkers)
    for message in messages:
        box = message.video.box if isinstance(message, kind) else None
        for number in range(len(found)):
            if isinstance(message, kind) and box and film.tile(number).holds_centre_of(box):
                label = message.label if message.label in message.labels else None
                found[number] = Judgement(label, message.confidence, message.probs, label is not None, box)
    return found
