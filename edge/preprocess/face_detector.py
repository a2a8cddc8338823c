"""Detection of faces by OpenCV's frontal cascade, in any part of an image and at any roll."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from ..geometry import Box
from .images import Image, cut, stretch

CASCADE = "haarcascade_frontalface_alt2.xml"
"""Frontal cascade of OpenCV that finds most and errs least (docs/experiments.md, 2026-11-29)."""
CASCADE_FOLDERS = (Path(cv2.__file__).parent / "data", Path("/usr/share/opencv4/haarcascades"))
"""Folders of the cascade file in OpenCV's own package, and in JetPack's and Debian's."""
NEIGHBOURS = 3
"""Number of overlapping finds that make a face."""
SCALE_STEP = 1.1
"""Factor between two sizes of face that are looked for."""


class Face(NamedTuple):
    """Face in an image."""

    box: Box
    """Square about the face's centre, in pixels of the image; its sides are the image's, whatever the roll."""
    turn_deg: float = 0.0
    """Angle by which the image is turned, counter-clockwise about the box's centre, to level the face."""

    def rank(self) -> tuple[float, ...]:
        """Return a unique sort key: the largest face first, of equal ones the leftmost, then the topmost."""
        return *self.box.rank(), self.turn_deg


class FaceDetector:
    """OpenCV's bundled frontal cascade (Viola & Jones 2001; Lienhart & Maydt 2002): up to about 20 degrees of roll.

    UsageError where this OpenCV has none.
    """

    def __init__(self) -> None:
        path = find_cascade(CASCADE_FOLDERS)  # first: it says so where this OpenCV has no such class
        self._cascade = cv2.CascadeClassifier(str(path))

    def __call__(
        self, image: Image, part: Box, shrink: float, widths: tuple[float, float], turn_deg: float = 0.0
    ) -> list[Face]:
        """Return the faces in a part of an image uint8 `[H, W, 3]`.

        They are looked for at `shrink` of the image's size, between two widths in pixels of the image, in a copy
        turned counter-clockwise by `turn_deg`.
        """
        if min(part.width, part.height) * shrink < 1:
            return []
        grey = cv2.cvtColor(cut(image, part), cv2.COLOR_RGB2GRAY)
        small = cv2.resize(grey, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        turned, to_small = turn(stretch(np.asarray(small, dtype=np.uint8)), turn_deg)
        least, most = (round(width * shrink) for width in widths)
        found = self._cascade.detectMultiScale(
            turned, SCALE_STEP, NEIGHBOURS, minSize=(least, least), maxSize=(most, most)
        )
        return [Face(self._place(found_box, to_small, shrink, part, image), turn_deg) for found_box in found]

    def _place(
        self, found: Sequence[int], to_small: NDArray[np.float64], shrink: float, part: Box, image: Image
    ) -> Box:
        """Return the box in the image of a find in a turned copy; where its corner would lie outside it moves in."""
        left, top, width, height = (float(side) for side in found)
        x, y = to_small @ (left + width / 2, top + height / 2, 1.0)
        width, height = round(width / shrink), round(height / shrink)
        rows, columns = image.shape[:2]
        return Box(
            max(0, min(columns - width, part.x + round(x / shrink - width / 2))),
            max(0, min(rows - height, part.y + round(y / shrink - height / 2))),
            width,
            height,
        )


def turn(grey: Image, turn_deg: float) -> tuple[Image, NDArray[np.float64]]:
    """Turn a picture counter-clockwise about its centre; what was outside is of its mean grey.

    Returns the turned picture, large enough for all of it, and the matrix `[2, 3]` that takes its points back.
    """
    if turn_deg == 0:
        return grey, np.eye(2, 3)
    height, width = grey.shape
    forward = cv2.getRotationMatrix2D((width / 2, height / 2), turn_deg, 1.0)
    cosine, sine = np.abs(forward[0, :2])
    new_width, new_height = round(width * cosine + height * sine), round(width * sine + height * cosine)
    forward[:, 2] += ((new_width - width) / 2, (new_height - height) / 2)
    turned = cv2.warpAffine(grey, forward, (new_width, new_height), borderValue=float(grey.mean()))
    return np.asarray(turned, dtype=np.uint8), np.asarray(cv2.invertAffineTransform(forward), dtype=np.float64)


def level(image: Image, face: Face) -> Image:
    """Return the face's box, level: cut from the image turned about the box's centre; its edge goes on outside it."""
    box = face.box
    if face.turn_deg == 0:
        return cut(image, box)
    forward = cv2.getRotationMatrix2D((box.x + box.width / 2, box.y + box.height / 2), face.turn_deg, 1.0)
    forward[:, 2] -= (box.x, box.y)
    levelled = cv2.warpAffine(image, forward, (box.width, box.height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(levelled, dtype=np.uint8)


def find_cascade(folders: Sequence[Path]) -> Path:
    """Return the path of the cascade file; UsageError where no folder has it or OpenCV cannot run it (5.x cannot)."""
    found = [folder / CASCADE for folder in folders if (folder / CASCADE).is_file()]
    if found and hasattr(cv2, "CascadeClassifier"):
        return found[0]
    places = ", ".join(map(str, folders))
    raise UsageError(
        f"no {CASCADE} that runs in {places}: this OpenCV ({cv2.__version__}) comes without its face detector; "
        "take opencv-python-headless 4.x or --framing whole"
    )
