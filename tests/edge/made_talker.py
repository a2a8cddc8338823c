"""A drawn face whose mouth opens and closes with a voice made of noise, the opening of both known."""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from edge.geometry import Box
from edge.preprocess.face_detector import Face
from edge.sources.demo import MOODS, face

FACE = Face(Box(80, 45, 160, 160))
"""Place of the face in its image of 240 x 320 pixels."""
DRAWN = [
    face(replace(MOODS[0], smile=0.0, frown=0.0, squint=0.0, parted=opening)) for opening in np.linspace(0, 1.6, 33)
]


def talking_face(opening: float, noise: int | None = None) -> np.ndarray:
    """The face with its mouth so far open, 0 to 1, and a noise by its number, uint8 `[240, 320, 3]`."""
    return drawn(round(opening * (len(DRAWN) - 1)), noise)


@lru_cache(maxsize=200)
def drawn(number: int, noise: int | None) -> np.ndarray:
    if noise is None:
        return DRAWN[number]
    spoilt = DRAWN[number] + np.random.default_rng(noise).normal(0, 2, DRAWN[number].shape)
    return np.asarray(spoilt.clip(0, 255), np.uint8)


def openings(rng: np.random.Generator, seconds: float, step_s: float = 0.01) -> np.ndarray:
    """Opening of a mouth, 0 to 1, in each step: syllables of a random length and height, four a second or so."""
    values = np.zeros(round(seconds / step_s))
    at = 0
    while at < len(values):
        length = round(rng.uniform(0.15, 0.35) / step_s)
        part = values[at : at + length]
        part[:] = (rng.uniform(0.3, 1.0) * np.sin(np.pi * np.arange(length) / length) ** 2)[: len(part)]
        at += length + round(rng.uniform(0, 0.06) / step_s)
    return values


def voice(rng: np.random.Generator, opening: np.ndarray, rate_hz: int = 16000, step_s: float = 0.01) -> np.ndarray:
    """Noise that is loud where the mouth is open, over a room 50 dB below it, float32 `[n]`."""
    count = round(len(opening) * step_s * rate_hz)
    level = np.interp(np.arange(count) / rate_hz, np.arange(len(opening)) * step_s, opening)
    return ((0.2 * level + 0.0006) * rng.standard_normal(count)).astype(np.float32)
