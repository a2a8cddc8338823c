"""Search for the largest face in the images of one camera, and its tracking from image to image."""

from collections.abc import Iterable
from typing import NamedTuple

from ..geometry import Box
from .face_detector import Face, FaceDetector
from .images import Image

LARGE_FACE = 1 / 8
"""Width of the smallest face that is looked for in a whole image, as a share of the image's shorter side."""
SMALL_FACE = 1 / 18
"""Width of the smallest face that is looked for in a quarter of an image: 40 pixels of 720."""
DETECT_SIDE_PX = 320
"""Longer side to which an image is shrunk when all of it is searched; a quarter of it is searched at twice that."""
SEARCH_EVERY = 10
"""Number of images between two searches of a whole image: at 5 frames per second, a new largest face is found within
2 s."""
FOLLOWED_FACE_PX = 48
"""Width to which a known face is scaled to look for it again; the detector's smallest is 20. At 32 it takes half the
time, and one face in twelve is lost."""
MOST_RESIZED = 1.25
"""Factor by which a known face may have grown or shrunk since the image before."""
MARGIN = 1 / 4
"""Margin around a known face in which it is looked for, as a share of its width."""
TURN_STEP_DEG = 15.0
"""Angle by which a known face may have turned since the image before."""
MOST_TURNED_DEG = 45.0
"""Largest angle by which an image is turned to find a face."""


class Way(NamedTuple):
    """One way of searching an image."""

    turn_deg: float = 0.0
    """Angle by which the image is turned, counter-clockwise."""
    quarter: int | None = None
    """Quarter of the image, by rows, that is searched for small faces; None for the whole image and large ones."""


UPRIGHT = Way()
WAYS = (
    *(UPRIGHT, Way(30), Way(quarter=0), UPRIGHT, Way(-30), Way(quarter=1)),
    *(UPRIGHT, Way(quarter=2), UPRIGHT, Way(quarter=3)),
)
"""Ways that are taken in turn, one an image, where no face is known: each costs about the same, all take 2 s."""


class FaceTracker:
    """Tracker of the largest face in the images of one camera, taken in their order.

    The first image is searched in all `WAYS`; afterwards, where no face is known, each is searched in one way. A known
    face is looked for around its last place, at about its size and roll, which takes a twelfth of the time; every
    `SEARCH_EVERY` images the whole image is searched again.
    """

    def __init__(self) -> None:
        self._detect = FaceDetector()
        self._face: Face | None = None
        self._way: int | None = None  # of `WAYS`, the last taken; None before the first image
        self._since_search = 0
        self.faces = 0
        """Number of faces that the last successful search found."""

    def __call__(self, image: Image) -> Face | None:
        """Return the largest face in an image uint8 `[H, W, 3]`, None where none is found."""
        self._face = self._track(image, self._face) if self._face else self._acquire(image)
        return self._face

    def _acquire(self, image: Image) -> Face | None:
        if self._way is None:
            self._way = 0
            return next(filter(None, (self._search(image, way) for way in dict.fromkeys(WAYS))), None)
        self._way = (self._way + 1) % len(WAYS)
        return self._search(image, WAYS[self._way])

    def _track(self, image: Image, known: Face) -> Face | None:
        self._way = -1  # where it is lost, the next image is searched upright again
        self._since_search += 1
        is_due = self._since_search >= SEARCH_EVERY
        searched = self._search(image, UPRIGHT) if is_due else None
        if searched and known.turn_deg == 0:
            return searched
        return (
            largest_face(filter(None, (searched, self._follow(image, known, 0.0))))
            or (None if is_due else self._search(image, UPRIGHT))
            or self._follow(image, known, TURN_STEP_DEG)
            or self._follow(image, known, -TURN_STEP_DEG)
        )

    def _search(self, image: Image, way: Way) -> Face | None:
        height, width = image.shape[:2]
        shorter, shrink = min(height, width), DETECT_SIDE_PX / max(height, width)
        if way.quarter is None:
            part, widths = Box(0, 0, width, height), (shorter * LARGE_FACE, shorter)
        else:
            part, widths = quarter(image, way.quarter), (shorter * SMALL_FACE, shorter * LARGE_FACE)
            shrink *= 2
        found = self._detect(image, part, min(1.0, shrink), widths, way.turn_deg)
        self._since_search = 0
        self.faces = len(found) or self.faces
        return largest_face(found)

    def _follow(self, image: Image, known: Face, further_deg: float) -> Face | None:
        turn_deg, width = known.turn_deg + further_deg, known.box.width
        if abs(turn_deg) > MOST_TURNED_DEG:
            return None
        shrink = min(1.0, FOLLOWED_FACE_PX / width)
        around = surroundings(known.box, image)
        return largest_face(self._detect(image, around, shrink, (width / MOST_RESIZED, width * MOST_RESIZED), turn_deg))


def largest_face(found: Iterable[Face]) -> Face | None:
    """Return the largest face, in whatever order they were found, which changes with OpenCV's threads."""
    return min(found, key=Face.rank, default=None)


def surroundings(box: Box, image: Image) -> Box:
    """Return a box with a margin around it, clipped to the image; empty where it lies outside the image."""
    margin = round(box.width * MARGIN)
    height, width = image.shape[:2]
    left, top = min(width, max(0, box.x - margin)), min(height, max(0, box.y - margin))
    right, bottom = min(width, box.x + box.width + margin), min(height, box.y + box.height + margin)
    return Box(left, top, max(0, right - left), max(0, bottom - top))


def quarter(image: Image, number: int) -> Box:
    """Return a quarter of the image, 0 to 3 by rows; neighbours share as much as the largest of the small faces."""
    height, width = image.shape[:2]
    shared = round(min(height, width) * LARGE_FACE)
    rows, columns = (height + shared + 1) // 2, (width + shared + 1) // 2
    down, across = divmod(number, 2)
    return Box(across * (width - columns), down * (height - rows), columns, rows)
