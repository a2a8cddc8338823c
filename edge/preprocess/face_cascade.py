"""Detection of faces by OpenCV's frontal cascade, in any part of an image and at any roll."""

import threading
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from ..geometry import Box
from .detector_choice import INSTALL_CENTERFACE
from .face_detector import MARGIN, Face, Way, different_faces, largest_face, surroundings
from .images import Image, stretch
from .pictures import Picture, grey_part

CASCADE = "haarcascade_frontalface_alt2.xml"
"""Frontal cascade of OpenCV that finds most and errs least (docs/experiments.md, 2026-11-29)."""
CASCADE_FOLDERS = (Path(cv2.__file__).parent / "data", Path("/usr/share/opencv4/haarcascades"))
"""Folders of the cascade file in OpenCV's own package, and in JetPack's and Debian's."""
THOROUGH = 1.1, 3
"""Factor between two sizes of face that are looked for, and number of overlapping finds that make a face."""
QUICK = 1.2, 1
"""The same in a quick search, which takes half the time: nearly as many faces and more that are none, which a second
look tells apart."""
LARGE_FACES = (1 / 8, 1.0)
SMALL_FACES = (1 / 18, 1 / 8)
"""Widths of faces that are looked for in a whole image, and in a quarter: from 40 pixels of 720 on."""
SIDE_PX = 320
"""Longer side to which an image is shrunk when all of it is searched; a quarter of it is searched at twice that."""
FOLLOWED_FACE_PX = 48
"""Width to which a known face is scaled to look for it again; the cascade's smallest is 20. At 32 it takes half the
time, and one face in twelve is lost."""
MOST_RESIZED = 1.25
"""Factor by which a known face may have grown or shrunk since the image before."""
TURN_STEP_DEG = 15.0
"""Angle by which a known face may have turned since the image before."""
MOST_TURNED_DEG = 45.0
"""Largest angle by which an image is turned to find a face."""

UPRIGHT = Way((SIDE_PX,), LARGE_FACES)
GLANCE = UPRIGHT._replace(is_quick=True)
LEANING = tuple(Way((SIDE_PX,), LARGE_FACES, turn_deg) for turn_deg in (30.0, -30.0))
QUARTERS = tuple(Way((2 * SIDE_PX,), SMALL_FACES, quarter=number) for number in range(4))


class CascadeDetector:
    """OpenCV's bundled frontal cascade (Viola & Jones 2001; Lienhart & Maydt 2002): up to about 20 degrees of roll.

    UsageError where this OpenCV has none.
    """

    ways = (
        *(UPRIGHT, LEANING[0], QUARTERS[0], UPRIGHT, LEANING[1], QUARTERS[1]),
        *(UPRIGHT, QUARTERS[2], UPRIGHT, QUARTERS[3]),
    )
    """Each costs about the same; at 5 images per second all take 2 s."""
    glance = GLANCE
    turn_steps_deg = (TURN_STEP_DEG, -TURN_STEP_DEG)

    def __init__(self) -> None:
        self._path = find_cascade(CASCADE_FOLDERS)

    def search(self, image: Picture, way: Way, part: Box, shrink: float) -> list[Face]:
        """Return the faces in a part of an image; those of a quick search are looked for again as known ones are."""
        widths = way.widths_px(image)
        if not way.is_quick:
            return self._detect(image, part, shrink, widths, way.turn_deg, THOROUGH)
        found = self._detect(image, part, shrink, widths, way.turn_deg, QUICK)
        followed = (largest_face(self.follow(image, face, way.turn_deg)) for face in different_faces(found))
        return different_faces(filter(None, followed))

    def follow(self, image: Picture, known: Face, turn_deg: float) -> list[Face]:
        """Return the faces about the place and of about the size of a known one, in a copy turned by `turn_deg`."""
        if abs(turn_deg) > MOST_TURNED_DEG:
            return []
        width = known.box.width
        part, shrink = surroundings(known.box, image, round(width * MARGIN)), min(1.0, FOLLOWED_FACE_PX / width)
        widths = width / MOST_RESIZED, width * MOST_RESIZED
        return self._detect(image, part, shrink, widths, turn_deg, THOROUGH)

    def _detect(
        self,
        image: Picture,
        part: Box,
        shrink: float,
        widths: tuple[float, float],
        turn_deg: float,
        steps: tuple[float, int],
    ) -> list[Face]:
        """Return the faces in a part of an image, between two widths in its pixels, in a shrunk and turned copy."""
        if min(part.width, part.height) * shrink < 1:
            return []
        grey = grey_part(image, part)
        small = cv2.resize(grey, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        turned, to_small = turn(stretch(np.asarray(small, dtype=np.uint8)), turn_deg)
        least, most = (round(width * shrink) for width in widths)
        found = loaded_here.cascade(self._path).detectMultiScale(
            turned, *steps, minSize=(least, least), maxSize=(most, most)
        )
        return [Face(self._place(found_box, to_small, shrink, part, image), turn_deg) for found_box in found]

    def _place(
        self, found: Sequence[int], to_small: NDArray[np.float64], shrink: float, part: Box, image: Picture
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


class LoadedHere(threading.local):
    """The cascade of each thread, for the images of all cameras: it keeps some MB of the images it was last given."""

    path: Path | None = None

    def cascade(self, path: Path) -> cv2.CascadeClassifier:
        """Return this thread's cascade, read from its file where that has not been done."""
        if path != self.path:
            self.path, self._cascade = path, cv2.CascadeClassifier(str(path))
        return self._cascade


loaded_here = LoadedHere()


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


def find_cascade(folders: Sequence[Path]) -> Path:
    """Return the path of the cascade file; UsageError where no folder has it or OpenCV cannot run it (5.x cannot)."""
    found = [folder / CASCADE for folder in folders if (folder / CASCADE).is_file()]
    if found and hasattr(cv2, "CascadeClassifier"):
        return found[0]
    places = ", ".join(map(str, folders))
    raise UsageError(
        f"no {CASCADE} that runs in {places}: this OpenCV ({cv2.__version__}) comes without its face detector; "
        f"{INSTALL_CENTERFACE} for another one, take opencv-python-headless 4.x or --framing whole"
    )
