"""Drawn talkers and voices made of noise, for films whose truth is known."""

import numpy as np

from edge.preprocess.images import Image
from tests.edge.made_talker import openings, talking_face, voice
from train.field.dialogues import Material
from train.field.speech_films import Film, Look
from train.field.talkers import RATE_HZ, Footage

PLAIN = Look(1.0, False, 1.0, 0.0, 0.0, (0.0, 0.0, 0.0, 0.0))


class DrawnTalker:
    """The drawn face with its mouth so far open, `[n]` in steps of 10 ms."""

    def __init__(self, opening: np.ndarray) -> None:
        self._opening = opening

    def draw(self, time_s: float) -> Image:
        return talking_face(
            float(self._opening[min(round(100 * time_s), len(self._opening) - 1)]), round(30 * time_s) % 4
        )


def made_film(seed: int, seconds: float, *, is_heard: bool = True) -> Film:
    """Two faces, of which the second speaks, or nobody is heard."""
    rng = np.random.default_rng(seed)
    opening = openings(rng, seconds)
    samples = voice(rng, opening if is_heard else 0 * opening)
    truth = np.full(len(opening), 2 if is_heard else 0, np.int64)
    talkers = [DrawnTalker(0 * opening), DrawnTalker(opening if is_heard else 0 * opening)]
    return Film(talkers, [PLAIN, PLAIN], (640, 240), 90, samples, truth, np.full(len(opening), is_heard))


def made_footage(seed: int) -> Footage:
    """A clip of 2 s at 10 frames a second, speech from 0.5 to 1.5 s; frame k has the grey 10 k."""
    samples = np.zeros(2 * RATE_HZ, np.float32)
    rng = np.random.default_rng(seed)
    samples[RATE_HZ // 2 : 3 * RATE_HZ // 2] = 0.1 * rng.standard_normal(RATE_HZ)
    images = [np.full((24, 32, 3), 10 * number, np.uint8) for number in range(20)]
    return Footage(images, np.arange(20) / 10, samples, 0.4, 1.6)


def made_material() -> Material:
    """One of each; four photographs and voices."""
    rng = np.random.default_rng(0)
    voices = [[voice(rng, openings(rng, 1.2)) for _ in range(2)] for _ in range(4)]
    photographs = [np.full((128, 128, 3), 60 + 20 * number, np.uint8) for number in range(4)]
    return Material([made_footage(1)], photographs, voices, [0.1 * voices[0][0]])
