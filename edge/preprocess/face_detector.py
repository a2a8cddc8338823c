"""Interface of a face detector: a face in an image, and the ways of looking for one."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

import cv2
import numpy as np

from ..geometry import Box
from .images import Image
from .pictures import Picture, whole

MARGIN = 1 / 4
"""Margin around a known face in which it is looked for in the next image, as a share of its width."""


class Face(NamedTuple):
    """Face in an image."""

    box: Box
    """Square about the face's centre, in pixels of the image; its sides are the image's, whatever the roll."""
    turn_deg: float = 0.0
    """Angle by which the image is turned, counter-clockwise about the box's centre, to level the face."""

    def rank(self) -> tuple[float, ...]:
        """Return a unique sort key: the largest face first, of equal ones the leftmost, then the topmost."""
        return *self.box.rank(), self.turn_deg


class Way(NamedTuple):
    """One way of searching an image."""

    sides_px: tuple[int, ...]
    """Longer sides to which the image, or that which a quarter is of, is shrunk, in turn until a face is found."""
    widths: tuple[float, float]
    """Widths of the smallest and the largest face that is looked for, as shares of the image's shorter side."""
    turn_deg: float = 0.0
    """Angle by which the image is turned, counter-clockwise."""
    quarter: int | None = None
    """Quarter of the image, by rows, that is searched; None for the whole image."""
    is_quick: bool = False
    """True for a search in fewer sizes of face, whose finds are looked at again as known faces are."""

    @property
    def is_upright_and_whole(self) -> bool:
        """True for a search of the whole image, as it stands."""
        return self.quarter is None and self.turn_deg == 0

    def part(self, image: Picture) -> Box:
        """Return the part of an image that is searched."""
        return whole(image) if self.quarter is None else quarter(image, self.quarter, self.widths[1])

    def widths_px(self, image: Picture) -> tuple[float, float]:
        """Return the widths of the smallest and the largest face that is looked for, in pixels of an image."""
        shorter = min(image.shape[:2])
        return shorter * self.widths[0], shorter * self.widths[1]


class FaceDetector(Protocol):
    """Detector of faces, for the images of one camera."""

    @property
    def ways(self) -> Sequence[Way]:
        """Ways of searching, taken in turn, one an image, where no face is known; the first is of the whole image."""
        ...

    @property
    def glance(self) -> Way:
        """Way of searching the whole image for other faces while one is known."""
        ...

    @property
    def turn_steps_deg(self) -> Sequence[float]:
        """Angles by which a known face that is lost may have turned; none where faces are found at any roll."""
        ...

    def search(self, image: Picture, way: Way, part: Box, shrink: float) -> list[Face]:
        """Return the faces that a way of searching finds in a part of an image, at `shrink` of the image's size."""
        ...

    def follow(self, image: Picture, known: Face, turn_deg: float) -> list[Face]:
        """Return the faces about the place and of about the size of a known one, turned by about `turn_deg`."""
        ...


def largest_face(found: Iterable[Face]) -> Face | None:
    """Return the largest face, in whatever order they were found, which changes with OpenCV's threads."""
    return min(found, key=Face.rank, default=None)


def different_faces(found: Iterable[Face]) -> list[Face]:
    """Return the faces, the largest first, without those that are near a larger one."""
    different: list[Face] = []
    for face in sorted(found, key=Face.rank):
        if not any(face.box.is_near(other.box) for other in different):
            different.append(face)
    return different


def level(image: Image, face: Face) -> Image:
    """Return the face's box, level: cut from the image turned about the box's centre; its edge goes on outside it."""
    box = face.box
    forward = cv2.getRotationMatrix2D((box.x + box.width / 2, box.y + box.height / 2), face.turn_deg, 1.0)
    forward[:, 2] -= (box.x, box.y)
    levelled = cv2.warpAffine(image, forward, (box.width, box.height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(levelled, dtype=np.uint8)


def surroundings(box: Box, image: Picture, margin: int) -> Box:
    """Return a box with a margin around it, clipped to the image; empty where it lies outside the image."""
    height, width = image.shape[:2]
    left, top = min(width, max(0, box.x - margin)), min(height, max(0, box.y - margin))
    right, bottom = min(width, box.x + box.width + margin), min(height, box.y + box.height + margin)
    return Box(left, top, max(0, right - left), max(0, bottom - top))


def quarter(image: Picture, number: int, shared: float) -> Box:
    """Return a quarter of the image, 0 to 3 by rows; neighbours share so much of the shorter side."""
    height, width = image.shape[:2]
    both = round(min(height, width) * shared)
    rows, columns = (height + both + 1) // 2, (width + both + 1) // 2
    down, across = divmod(number, 2)
    return Box(across * (width - columns), down * (height - rows), columns, rows)
