"""Made films of people side by side: who speaks is known, in steps of 10 ms."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.geometry import Box
from edge.preprocess.images import Image
from edge.preprocess.media import Samples

from . import noises
from .talkers import RATE_HZ, STEP_S, Said, Talker, speaking

CAMERA_HZ = 30
ROOM_DBFS = (-62.0, -48.0)
"""Level of the room in the microphone."""
SIZES = ((640, 480), (640, 480), (640, 480), (1280, 720))
"""Widths and heights of the images, one of which is drawn; more than two people have the last one."""
SWAYS_HZ = (0.31, 0.23, 0.37, 0.17)
"""Rates at which heads roll, go to the side, up and down, and nearer."""
MOST_SWAY, ROLL_DEG = 0.025, 60.0
"""Largest sway, as a share of the image, and the roll for a sway of 1."""
FLICKER, FLICKER_HZ = 0.1, 0.4
"""Share by which the light changes, and how often."""


class Look(NamedTuple):
    """Size, light and motion of a person in a film."""

    scale: float
    """Height of their picture, as a share of the image's."""
    is_mirrored: bool
    gain: float
    """Factor of the light."""
    offset: float
    """Greys that are added."""
    sway: float
    """Size of the head's slow motion, as a share of the image."""
    phases: tuple[float, ...]
    """Phases of the motion, 0 to 1."""


@dataclass(frozen=True)
class Film:
    """Film of talkers side by side, one a tile."""

    talkers: Sequence[Talker]
    looks: Sequence[Look]
    """Look of each talker."""
    size: tuple[int, int]
    """Width and height of the images."""
    quality: int
    """JPEG's quality, as cameras send images."""
    samples: Samples
    """Sound, float32 `[n]` at 16 kHz."""
    truth: NDArray[np.int64]
    """For each step of 10 ms the number of the talker who speaks, 1, 2, ...; 0 where nobody there does."""
    heard: NDArray[np.bool_]
    """For each step True where a voice is heard."""

    @property
    def seconds(self) -> float:
        """Length of the film."""
        return len(self.samples) / RATE_HZ

    def tile(self, number: int) -> Box:
        """Return the part of the image in which a talker is."""
        width, height = self.size
        side = width // len(self.talkers)
        return Box(number * side, 0, side, height)

    def draw(self, time_s: float) -> Image:
        """Return the camera's image at a time."""
        width, height = self.size
        image = np.zeros((height, width, 3), np.uint8)
        for number, (talker, look) in enumerate(zip(self.talkers, self.looks, strict=True)):
            tile = self.tile(number)
            image[:, tile.x : tile.x + tile.width] = placed(talker.draw(time_s), look, tile, time_s)
        stored = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, self.quality])[1]
        return np.asarray(cv2.imdecode(stored, cv2.IMREAD_COLOR), np.uint8)


def placed(picture: Image, look: Look, tile: Box, time_s: float) -> Image:
    """Return a tile with a person in it, swaying and in other light."""
    rows, columns = picture.shape[:2]
    scale = look.scale * tile.height / rows
    roll, across, down, nearer = (
        look.sway * np.sin(2 * np.pi * (rate_hz * time_s + phase))
        for rate_hz, phase in zip(SWAYS_HZ, look.phases, strict=True)
    )
    scale *= 1 + nearer
    turn = np.radians(ROLL_DEG * roll)
    cos, sin = scale * np.cos(turn), scale * np.sin(turn)
    flip = -1 if look.is_mirrored else 1
    matrix = np.array([[flip * cos, -sin, 0], [flip * sin, cos, 0]])
    centre = tile.width * (0.5 + across), tile.height * (0.5 + down)
    matrix[:, 2] = centre - matrix[:, :2] @ [(columns - 1) / 2, (rows - 1) / 2]
    if scale < 0.8:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.4 / scale), np.uint8)
    drawn = cv2.warpAffine(picture, matrix, (tile.width, tile.height), borderMode=cv2.BORDER_REPLICATE)
    light = look.gain * (1 + FLICKER * np.sin(2 * np.pi * (FLICKER_HZ * time_s + look.phases[0])))
    return np.asarray(cv2.convertScaleAbs(drawn, alpha=light, beta=look.offset), np.uint8)


def draw_look(rng: np.random.Generator, scale: tuple[float, float]) -> Look:
    """Return a look at random."""
    return Look(
        float(rng.uniform(*scale)),
        bool(rng.integers(2)),
        float(rng.uniform(0.5, 1.2)),
        float(rng.uniform(0, 25)),
        float(rng.uniform(0, MOST_SWAY)),
        tuple(rng.uniform(0, 1, len(SWAYS_HZ)).tolist()),
    )


def make_film(
    people: Sequence[Talker],
    spoken: Sequence[tuple[int, Said]],
    length_s: float,
    rng: np.random.Generator,
    scale: tuple[float, float],
    noise: Samples | None = None,
) -> Film:
    """Return a film in which talkers say what is heard: the number of each, 0 for who is not in the image."""
    count = round(length_s * RATE_HZ)
    samples = noises.at_dbfs(noises.pink(rng, count, RATE_HZ), float(rng.uniform(*ROOM_DBFS)))
    if noise is not None:
        samples = samples + noise
    truth, heard = np.zeros(round(length_s / STEP_S), np.int64), np.zeros(round(length_s / STEP_S), bool)
    for number, said in spoken:
        part = samples[round(said.start_s * RATE_HZ) :][: len(said.samples)]
        part += said.samples[: len(part)]
        begin = round(said.start_s / STEP_S)
        steps = begin + np.flatnonzero(speaking(said.samples))
        truth[steps[steps < len(truth)]] = number
        heard[steps[steps < len(truth)]] = True
    return Film(
        people,
        [draw_look(rng, scale) for _ in people],
        SIZES[rng.integers(len(SIZES))] if len(people) < 3 else SIZES[-1],
        int(rng.integers(60, 93)),
        samples.clip(-1, 1).astype(np.float32),
        truth,
        heard,
    )
