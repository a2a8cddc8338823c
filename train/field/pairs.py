"""Voice and face together: of one label, and of different ones, against each alone and against their product."""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from . import pictures
from .draws import generator
from .figures import Case, Subject
from .judge import SILENT, Judge, Judgement, Scene
from .recordings import Face, Recordings, Voice
from .rows import Row, Shown, Trial, judge_all, make_row
from .voices import Condition, Conditions

SECTION = "voice and face"
OF_ONE_LABEL = "voice and face of one label"
OF_OTHERS = "voice and face of different labels"
CONDITIONS = ("clean", "first 1.5 s", "after 3 s of room noise", "babble 5 dB", "white noise 5 dB")
BLUR = 0.05
"""Blur of the face where the face is what is spoiled, as a share of its height."""


def plan(judge: Judge, recordings: Recordings, seed: int) -> Iterator[Trial]:
    """Yield a trial for each condition of the voice, one of blurred faces, and one of different labels."""
    faces = recordings.faces
    conditions = Conditions(recordings, judge.manifest.audio.rate_hz)
    by_name = conditions.by_name()
    pairs = match(recordings.voices, faces, seed, is_same=True)
    for name in CONDITIONS:
        yield Trial(OF_ONE_LABEL, name, partial(run, judge, pairs, by_name[name], seed, name))
    soft = [(voice, face._replace(image=blurred(face))) for voice, face in pairs]
    yield Trial(OF_ONE_LABEL, "face blurred", partial(run, judge, soft, conditions.clean, seed, "face blurred"))
    others = match(recordings.voices, faces, seed, is_same=False)
    yield Trial(OF_OTHERS, "clean", partial(run_others, judge, others, conditions.clean, seed))


def match(voices: Sequence[Voice], faces: Sequence[Face], seed: int, *, is_same: bool) -> list[tuple[Voice, Face]]:
    """Return each voice with a random face of its label, or of another; a voice without such a face is left out."""
    pairs = []
    for index, voice in enumerate(voices):
        fitting = [face for face in faces if (face.subject.truth == voice.subject.truth) is is_same]
        if fitting:
            rng = generator(seed, "pair", str(is_same), str(index))
            pairs.append((voice, fitting[rng.integers(len(fitting))]))
    return pairs


def blurred(face: Face) -> pictures.Image:
    """Return a face out of focus."""
    height, width = face.image.shape[:2]
    return pictures.blurred(face.image, pictures.Box(0, 0, width, height), BLUR)


def judge_pairs(
    judge: Judge, pairs: Sequence[tuple[Voice, Face]], condition: Condition, seed: int, name: str
) -> tuple[list[Case], list[Case], list[Case]]:
    """Return the cases of the voices alone, of the faces alone and of both."""
    sounds = [condition(generator(seed, name, str(index)), voice) for index, (voice, _) in enumerate(pairs)]
    subjects = [voice.subject for voice, _ in pairs]
    images = [face.image for _, face in pairs]
    parts = (
        [Shown(Scene(samples), subject) for samples, subject in zip(sounds, subjects, strict=True)],
        [
            Shown(Scene(None, face.image, "whole"), Subject(face.subject.truth, voice.subject.speaker, {}))
            for voice, face in pairs
        ],
        [
            Shown(Scene(samples, image, "whole"), subject)
            for samples, image, subject in zip(sounds, images, subjects, strict=True)
        ],
    )
    heard, seen, both = (judge_all(judge, part) for part in parts)
    return heard, seen, both


def run(judge: Judge, pairs: Sequence[tuple[Voice, Face]], condition: Condition, seed: int, name: str) -> list[Row]:
    """Return the rows of the voice alone, the face alone, their product and both, of pairs of one label."""
    heard, seen, both = judge_pairs(judge, pairs, condition, seed, name)
    labels = judge.manifest.labels
    multiplied = [Case(a.subject, product(a.judgement, b.judgement, labels)) for a, b in zip(heard, seen, strict=True)]
    made = {"voice alone": heard, "face alone": seen, "product of the two": multiplied, "both": both}
    rows = [make_row(OF_ONE_LABEL, f"{name}: {what}", cases) for what, cases in made.items()]
    ua = [row.figures.ua.mean for row in rows if row.figures and row.figures.ua]
    more = {"above the better one": ua[3] - max(ua[:2]), "above the product": ua[3] - ua[2]}
    last = rows[-1]
    return [*rows[:-1], Row(last.section, last.name, last.figures, last.by, more)]


def product(a: Judgement, b: Judgement, labels: Sequence[str]) -> Judgement:
    """Return the judgement of the normalised product of two outputs; of one alone where the other names no emotion."""
    if a.label is None or b.label is None or a.probs is None or b.probs is None:
        return b if a.label is None else a
    probs = np.array(a.probs) * np.array(b.probs)
    probs = probs / probs.sum() if probs.sum() > 0 else np.full(len(labels), 1 / len(labels))
    best = int(probs.argmax())
    return SILENT._replace(label=labels[best], confidence=float(probs[best]), probs=probs.tolist(), is_steady=True)


def run_others(judge: Judge, pairs: Sequence[tuple[Voice, Face]], condition: Condition, seed: int) -> list[Row]:
    """Return the row of pairs of different labels: whom both together follow, when each alone is right."""
    heard, seen, both = judge_pairs(judge, pairs, condition, seed, "clean")
    said = [case.judgement.label for case in both]
    voice = np.array(
        [label is not None and label == case.judgement.label for label, case in zip(said, heard, strict=True)]
    )
    face = np.array(
        [label is not None and label == case.judgement.label for label, case in zip(said, seen, strict=True)]
    )
    more = {
        "says what the voice alone says": float(voice.mean()),
        "says what the face alone says": float(face.mean()),
        "says neither": float((~voice & ~face).mean()),
        "names the label of the voice": float(
            np.mean([label == case.subject.truth for label, case in zip(said, heard, strict=True)])
        ),
        "names the label of the face": float(
            np.mean([label == case.subject.truth for label, case in zip(said, seen, strict=True)])
        ),
    }
    open_cases = [case._replace(subject=case.subject._replace(truth=None)) for case in both]
    return [make_row(OF_OTHERS, "both", open_cases, more)]
