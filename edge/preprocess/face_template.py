"""Picture of a known face, by which it is found again in the images that follow, without a detector."""

import math
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from ..geometry import Box
from .face_detector import MARGIN, Face, surroundings
from .images import Image, shrink_grey
from .pictures import Picture, grey_part

TEMPLATE_PX = 24
"""Width to which a face is scaled."""
LEAST_PX = 8
"""Width from which on a face is looked for; smaller ones differ too little."""
LEAST_CONTRAST = 2.0
"""Standard deviation in greys from which on pictures can be compared: without contrast, all are alike."""
ALIKE = 0.85
"""Correlation of the two pictures from which on it is the same face, and looks as it did."""
MOST_RESIZED, MOST_ROLLED_DEG = 0.08, 6.0
"""Growth, as a share, and roll since the detection; a face that changed more is detected anew."""


class FaceTemplate:
    """Small grey picture of a face where it was detected.

    A correlation finds its place to the pixel, whatever the light. One step of Gauss and Newton from there, by the
    picture's own gradients, tells the rest of the way, the growth and the roll (Hager & Belhumeur 1998).
    """

    def __init__(self, image: Picture, face: Face) -> None:
        self._face = face
        part = surroundings(face.box, image, 0)
        self._shrink = min(1.0, TEMPLATE_PX / face.box.width)
        self._picture = shrink_grey(grey_part(image, part), self._shrink) if part.area() else np.zeros((1, 1), np.uint8)
        self._is_clear = min(self._picture.shape) >= LEAST_PX and contrast(self._picture) >= LEAST_CONTRAST

    def find(self, image: Picture, last: Box) -> Face | None:
        """Return the face about its last place; None where it is not there, or has changed too much."""
        part = surroundings(last, image, round(last.width * MARGIN))
        height, width = self._picture.shape
        if not self._is_clear or min(part.height, part.width) * self._shrink < max(height, width):
            return None
        around = shrink_grey(grey_part(image, part), self._shrink)
        _, alike, _, (x, y) = cv2.minMaxLoc(cv2.matchTemplate(around, self._picture, cv2.TM_CCOEFF_NORMED))
        seen = around[y : y + height, x : x + width]
        if alike < ALIKE or contrast(seen) < LEAST_CONTRAST:
            return None
        to_right, down, growth, roll_deg = self._change(seen)
        if abs(growth) > MOST_RESIZED or abs(roll_deg) > MOST_ROLLED_DEG:
            return None
        across, along = part.width / around.shape[1], part.height / around.shape[0]
        centre = part.x + (x + to_right + width / 2) * across, part.y + (y + down + height / 2) * along
        side = min(round(self._face.box.width * (1 + growth)), *image.shape[:2])
        left, top = (round(place - side / 2) for place in centre)
        inside = max(0, min(image.shape[1] - side, left)), max(0, min(image.shape[0] - side, top))
        return self._face._replace(box=Box(*inside, side, side))

    def _change(self, seen: Image) -> tuple[float, float, float, float]:
        """Return how far the face is to the right and down, in pixels of the picture, its growth and its roll."""
        picture, steps = self._steps
        across, down, growth, roll = (steps @ (picture - normalised(seen)).ravel()).tolist()
        return max(-1.0, min(1.0, across)), max(-1.0, min(1.0, down)), growth, math.degrees(roll)

    @cached_property
    def _steps(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The normalised picture `[h, w]`, and the matrix `[4, h w]` that takes what is lacking of it to the change.

        Light and contrast are taken out of both.
        """
        picture = normalised(self._picture)
        height, width = picture.shape
        along = cv2.Sobel(picture, cv2.CV_32F, 1, 0, ksize=1, scale=0.5)
        down = cv2.Sobel(picture, cv2.CV_32F, 0, 1, ksize=1, scale=0.5)
        x = np.arange(width, dtype=np.float32) - (width - 1) / 2
        y = (np.arange(height, dtype=np.float32) - (height - 1) / 2)[:, None]
        slopes = np.stack([along, down, x * along + y * down, x * down - y * along]).reshape(4, -1)
        slopes -= slopes.mean(axis=1, keepdims=True)
        slopes -= np.outer(slopes @ picture.ravel(), picture)
        _, solved = cv2.invert(slopes @ slopes.T, flags=cv2.DECOMP_SVD)  # which takes pictures without slopes
        return picture, np.asarray(solved @ slopes, np.float32)


def contrast(picture: Image) -> float:
    """Return the standard deviation of a picture in greys."""
    return float(cv2.meanStdDev(picture)[1][0, 0])


def normalised(picture: Image) -> NDArray[np.float32]:
    """Return a picture that has contrast with a mean of 0, and squares that add up to 1."""
    centred = picture - np.float32(picture.mean())
    return np.asarray(centred / np.linalg.norm(centred), np.float32)
