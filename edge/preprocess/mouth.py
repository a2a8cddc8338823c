"""Motion of the mouth of a known face from one image to the next, with the head's motion and the light taken out."""

import math
from typing import NamedTuple, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from .face_detector import Face, surroundings
from .images import Image
from .pictures import Picture, grey_part

FACE_PX, MARGIN_PX = 40, 10
"""Width to which a face is scaled, and the margin around it: its place may be a fifth of a second old."""
SIDE_PX = FACE_PX + 2 * MARGIN_PX
LEAST_PX = 32
"""Width in the image from which on a mouth is seen to move: below it lips are hardly a pixel apart."""
REACH_PX = 3
"""Way of the head between two images up to which it is found again, in pixels of the scaled face."""
ALIKE = 0.6
"""Correlation of the upper face in both images from which on it is the same one."""
LEAST_CONTRAST = 4.0
"""Standard deviation in greys of the upper face from which on two images can be compared."""


Pixel = TypeVar("Pixel", np.uint8, np.float32)


class Part(NamedTuple):
    """Part of a scaled face with its margin, in pixels."""

    top: int
    bottom: int
    left: int
    right: int

    def of(self, image: NDArray[Pixel]) -> NDArray[Pixel]:
        """Return the part of an image."""
        return image[self.top : self.bottom, self.left : self.right]


HALVES = Part(18, 36, 17, 30), Part(18, 36, 30, 43)
"""Both halves of the upper face, brow to nose: they tell how the head has moved and rolled."""
APART_PX = 13
"""Distance between the centres of the halves."""
FACE = Part(18, 54, 17, 43)
"""Brow to chin: what is compared."""
UPPER, MOUTH, JAW = Part(0, 18, 0, 26), Part(18, 36, 3, 23), Part(24, 36, 3, 23)
"""Parts of that: the upper face; lips and chin; the lower lip and the chin."""


class MouthMotion(NamedTuple):
    """Motion of a mouth between two images of a face."""

    change: float
    """Change of the greys of lips and chin, root mean square, in standard deviations of the upper face's greys."""
    head: float
    """The same of the upper face: what is left of the head's motion, and noise."""
    lower: float
    """Way of lower lip and chin downwards, in pixels of a face of 40 pixels; below 0 upwards."""


class Mouth:
    """Mouth of one person, in the images of one camera in their order."""

    def __init__(self) -> None:
        self._seen: tuple[Image, Face] | None = None

    def see(self, picture: Picture, face: Face) -> MouthMotion | None:
        """Return the motion since the image before, where the face is as it was last found; None where it is not seen.

        Both images are cut at the face's earlier place: a new place, which may be a pixel off, is no motion.
        """
        now = scaled(picture, face)
        before, self._seen = self._seen, None if now is None else (now, face)
        if before is None:
            return None
        same_place = now if face == before[1] else scaled(picture, before[1])
        return None if same_place is None else motion(before[0], same_place)


def scaled(picture: Picture, face: Face) -> Image | None:
    """Return a face in grey with its margin, level, uint8 `[60, 60]`; None for a small one, or outside the picture."""
    box = face.box
    margin = round(box.width * MARGIN_PX / FACE_PX)
    part = surroundings(box, picture, margin)
    if box.width < LEAST_PX or not part.area():
        return None
    step = max(1, box.width // (2 * FACE_PX))  # of a large face every second pixel, or third, says enough
    grey = grey_part(picture, part, step)
    side = box.width + 2 * margin
    if part.area() < side * side:
        above, before = (part.y - box.y + margin) // step, (part.x - box.x + margin) // step
        below, after = -(-side // step) - above - grey.shape[0], -(-side // step) - before - grey.shape[1]
        grey = np.asarray(cv2.copyMakeBorder(grey, above, below, before, after, cv2.BORDER_REPLICATE), np.uint8)
    double = cv2.resize(grey, (2 * SIDE_PX, 2 * SIDE_PX), interpolation=cv2.INTER_LINEAR)
    small = np.asarray(cv2.resize(double, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA), np.uint8)  # both are quick
    if face.turn_deg:
        turn = cv2.getRotationMatrix2D(((SIDE_PX - 1) / 2, (SIDE_PX - 1) / 2), face.turn_deg, 1.0)
        small = np.asarray(cv2.warpAffine(small, turn, (SIDE_PX, SIDE_PX), borderMode=cv2.BORDER_REPLICATE), np.uint8)
    return np.asarray(cv2.blur(small, (3, 3)), np.uint8)


def motion(before: Image, now: Image) -> MouthMotion | None:
    """Return the motion between two images of a face, uint8 `[60, 60]`; None where they do not show the same one."""
    places = [place(before, now, half) for half in HALVES]
    if None in places:
        return None
    (left_x, left_y), (right_x, right_y) = (found for found in places if found)
    roll = (right_y - left_y) / APART_PX
    cos, sin = math.cos(roll), math.sin(roll)
    middle_x, middle_y = FACE.left + 12.5, FACE.top + 8.5  # of the upper face
    across, down = (left_x + right_x) / 2, (left_y + right_y) / 2
    begin_x, begin_y = FACE.left - middle_x, FACE.top - middle_y
    matrix = np.array(
        [
            [cos, -sin, middle_x + across + cos * begin_x - sin * begin_y],
            [sin, cos, middle_y + down + sin * begin_x + cos * begin_y],
        ]
    )
    size = FACE.right - FACE.left, FACE.bottom - FACE.top
    moved = cv2.warpAffine(now, matrix, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    return compare(FACE.of(before), np.asarray(moved, np.uint8))


def place(before: Image, now: Image, half: Part) -> tuple[float, float] | None:
    """Return how far a half of the upper face has moved to the right and down; None where it is not found."""
    around = Part(half.top - REACH_PX, half.bottom + REACH_PX, half.left - REACH_PX, half.right + REACH_PX)
    alike = cv2.matchTemplate(around.of(now), half.of(before), cv2.TM_CCOEFF_NORMED)
    _, best, _, (x, y) = cv2.minMaxLoc(alike)
    if not ALIKE <= best <= 1.5:  # a flat picture correlates with anything
        return None
    return x - REACH_PX + peak(alike[y, max(0, x - 1) : x + 2]), y - REACH_PX + peak(alike[max(0, y - 1) : y + 2, x])


def peak(values: np.ndarray) -> float:
    """Return how far from the middle one of three values the parabola through them is highest, -0.5 to 0.5."""
    if len(values) < 3:
        return 0.0
    left, middle, right = values.tolist()
    bend = left - 2 * middle + right
    return 0.0 if bend >= 0 else max(-0.5, min(0.5, (left - right) / (2 * bend)))


def compare(before: Image, now: Image) -> MouthMotion | None:
    """Return the motion between two images of brow to chin, uint8 `[36, 26]`, the head at the same place in both."""
    (mean_before, contrast_before), (mean_now, contrast_now) = (
        (float(mean[0, 0]), float(spread[0, 0])) for mean, spread in map(cv2.meanStdDev, map(UPPER.of, (before, now)))
    )
    if min(contrast_before, contrast_now) < LEAST_CONTRAST:
        return None
    was = before.astype(np.float32)
    was -= mean_before
    was /= contrast_before
    change = now.astype(np.float32)
    change -= mean_now
    change /= contrast_now
    change -= was
    slopes = JAW.of(was)[2:] - JAW.of(was)[:-2]  # over two pixels
    along = JAW.of(change)[1:-1]
    steep = float(np.vdot(slopes, slopes))
    return MouthMotion(
        deviation(MOUTH.of(change)),
        deviation(UPPER.of(change)),
        -2 * float(np.vdot(slopes, along)) / (steep + 1.0),
    )


def deviation(change: np.ndarray) -> float:
    """Return the root of the mean square."""
    return float(cv2.norm(np.ascontiguousarray(change))) / math.sqrt(change.size)
