"""Looks of a followed person's face: a few descriptions of it, by which it is told from those of others.

They are kept in memory while the person is followed and for `FORGOTTEN_AFTER` images more, and are never stored or
published: too coarse and too few to know somebody again another day, enough to tell apart the people in one room.
"""

from collections import deque
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from .face_detector import Face, surroundings
from .images import Image, resize
from .pictures import Picture, grey_part

LOOK_PX, CELL_PX = 32, 4
"""Sides of the grey picture that is described, and of its cells."""
DIRECTIONS = 12
"""Directions of gradients that are told apart."""
MOST_OF_BLOCK = 0.4
"""Largest share of one direction in the norm of a block: one strong edge does not outweigh everything else."""
LEAST_NORM = 1e-3
"""Share of the strongest block's norm that is added to each: a block without edges has no directions."""
MARGIN = 0.15
"""Margin of a picture around the face's box, as a share of its width."""
SIZES = 1.0, 1.3, 1 / 1.3
"""Sizes in which a face is compared, as shares of its box: the cascade's boxes of one face differ by a third."""
MOST_LOOKS = 4
"""Number of looks that are kept of one person, the newest: a head that turns and speaks looks different."""
NEW_LOOK = 0.75
"""Correlation below which a look shows something new of a person."""
MEAN = Path(__file__).parent / "mean_face_look.npy"
"""Mean description of many faces, which `python -m train.field.looks_mean` makes."""

Look = NDArray[np.float32]
"""Descriptions `[S, D]` of a face, one for each of `SIZES`, less those that are common to all faces; of length 1."""


class FaceLooks:
    """The last few different looks of one followed face."""

    def __init__(self) -> None:
        self._looks: deque[Look] = deque(maxlen=MOST_LOOKS)

    def take(self, look: Look) -> None:
        """Keep a look, where it differs from those that are kept."""
        if self.alike(look) < NEW_LOOK:
            self._looks.append(look)

    def add(self, other: "FaceLooks") -> None:
        """Keep the looks of another one, too."""
        for look in other._looks:
            self.take(look)

    def alike(self, look: Look) -> float:
        """Return the correlation with the look that is most alike, in any size, -1 to 1; -1 where none is kept."""
        return max((float((look @ kept[0]).max()) for kept in self._looks), default=-1.0)

    def alike_to(self, other: "FaceLooks") -> float:
        """Return the largest correlation with a look of another one."""
        return max((self.alike(look) for look in other._looks), default=-1.0)


def look_of(image: Picture, face: Face) -> Look:
    """Return how a face in an image looks."""
    looks = np.stack([description(picture_of(image, face, size)) for size in SIZES]) - mean_description()
    return np.asarray(looks / np.linalg.norm(looks, axis=1, keepdims=True), np.float32)


def picture_of(image: Picture, face: Face, size: float) -> Image:
    """Return a small grey picture `[LOOK_PX, LOOK_PX]` of a face in an image, level."""
    margin = round(face.box.width * (size * (1 + 2 * MARGIN) - 1) / 2)
    part = surroundings(face.box, image, margin)
    if part.area() == 0:
        return np.zeros((LOOK_PX, LOOK_PX), np.uint8)
    picture = resize(grey_part(image, part), LOOK_PX, LOOK_PX)
    if face.turn_deg == 0:
        return picture
    middle = (LOOK_PX - 1) / 2
    forward = cv2.getRotationMatrix2D((middle, middle), face.turn_deg, 1.0)
    levelled = cv2.warpAffine(picture, forward, (LOOK_PX, LOOK_PX), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(levelled, np.uint8)


def description(picture: Image) -> NDArray[np.float32]:
    """Return histograms of oriented gradients of a grey picture `[LOOK_PX, LOOK_PX]`, float32 `[D]` (Dalal & Triggs
    2005): of blocks of 2 x 2 cells, in directions of the whole circle, each block of length 1 at most."""
    across = cv2.Sobel(picture, cv2.CV_32F, 1, 0, ksize=1)
    down = cv2.Sobel(picture, cv2.CV_32F, 0, 1, ksize=1)
    strength, angle = cv2.cartToPolar(across, down)
    place = angle * (DIRECTIONS / (2 * np.pi))
    first = place.astype(np.int32)
    second = strength * (place - first)
    cells, sides = cell_numbers(), LOOK_PX // CELL_PX
    sums = np.zeros(sides * sides * DIRECTIONS)
    for direction, part in ((first, strength - second), (first + 1, second)):
        sums += np.bincount((cells + direction % DIRECTIONS).ravel(), part.ravel(), len(sums))
    grid = sums.reshape(sides, sides, DIRECTIONS)
    blocks = (grid[1:, 1:] + grid[1:, :-1] + grid[:-1, 1:] + grid[:-1, :-1]).reshape(-1, DIRECTIONS)
    norms = np.linalg.norm(blocks, axis=1, keepdims=True)
    shares = blocks / np.maximum(norms + LEAST_NORM * norms.max(), 1.0)
    return np.asarray(np.minimum(shares, MOST_OF_BLOCK).ravel(), np.float32)


@cache
def cell_numbers() -> NDArray[np.int64]:
    """Return for each pixel `[LOOK_PX, LOOK_PX]` the place of its cell's first direction."""
    cells = np.arange(LOOK_PX) // CELL_PX
    return (cells[:, None] * (LOOK_PX // CELL_PX) + cells) * DIRECTIONS


@cache
def mean_description() -> NDArray[np.float32]:
    """Return the mean description `[D]` of many faces."""
    return np.asarray(np.load(MEAN, allow_pickle=False), np.float32)
