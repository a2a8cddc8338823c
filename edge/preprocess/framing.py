"""Framing of images for the image encoder: the whole image, or the largest face in it.

Training crops its images with this same code. Images are uint8 `[H, W, 3]`, RGB.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from ..bundle.manifest import FramingName
from ..errors import UsageError
from ..geometry import Box

Image = NDArray[np.uint8]

CASCADE = "haarcascade_frontalface_alt2.xml"
"""Of OpenCV's frontal cascades the one that finds most and errs least (docs/experiments.md, 2026-11-29)."""
NEIGHBOURS = 3
"""Number of overlapping finds that make a face."""
CASCADE_FOLDERS = (Path(cv2.__file__).parent / "data", Path("/usr/share/opencv4/haarcascades"))
"""Folders of the cascade file in OpenCV's own package, and in JetPack's and Debian's."""
SMALLEST_FACE = 1 / 8
"""Width of the smallest face that is looked for, as a share of the image's shorter side."""
DETECT_SIDE_PX = 320
"""Longer side to which an image is shrunk when all of it is searched."""
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


class FramingResult(NamedTuple):
    """Input of the image encoder made from one frame."""

    crop: Image | None
    """uint8 `[H, W, 3]` of the bundle's size; None where there is no face."""
    faces: int | None
    """Number of faces when a whole image was searched last; None where faces are not looked for."""
    box: Box | None
    """Box of the face in `crop`, in pixels of the image."""


class Framing(Protocol):
    """Method of framing images."""

    def __call__(self, image: Image) -> FramingResult:
        """Frame one image of any size."""
        ...


def make_framing(name: FramingName, height: int, width: int) -> Framing:
    """Make the framing of that name, with crops of `height` x `width` pixels."""
    return FaceFraming(height, width) if name == "face" else WholeFraming(height, width)


class WholeFraming:
    """Framing of the whole image: shorter side to size, centre cropped (CLIP's own preparation)."""

    def __init__(self, height: int, width: int) -> None:
        self.height, self.width = height, width

    def __call__(self, image: Image) -> FramingResult:
        """Crop the image's centre, in the encoder's proportions."""
        height, width = image.shape[:2]
        scale = min(height / self.height, width / self.width)
        cut_height, cut_width = round(self.height * scale), round(self.width * scale)
        top, left = (height - cut_height) // 2, (width - cut_width) // 2
        return FramingResult(
            resize(image[top : top + cut_height, left : left + cut_width], self.height, self.width), None, None
        )


class FaceFraming:
    """Framing of the largest face, found by OpenCV's bundled frontal cascade (Viola & Jones 2001;
    Lienhart & Maydt 2002).

    The whole image is searched where no face is known and every `SEARCH_EVERY` images; in between, the known face is
    looked for around its last place, at about its size, which takes a twelfth of the time. One framing serves the
    images of one camera, in their order.
    """

    def __init__(self, height: int, width: int) -> None:
        self.height, self.width = height, width
        detector = find_cascade(CASCADE_FOLDERS)  # first: it says so where this OpenCV has no such class
        self._cascade = cv2.CascadeClassifier(str(detector))
        self._box: Box | None = None
        self._faces = self._since_search = 0

    def __call__(self, image: Image) -> FramingResult:
        """Crop the largest face; no crop where no face is found."""
        self._box = self._follow(image) or self._search(image)
        if self._box is None:
            return FramingResult(None, 0, None)
        return FramingResult(resize(cut(image, self._box), self.height, self.width), self._faces, self._box)

    def _search(self, image: Image) -> Box | None:
        shorter = min(image.shape[:2])
        shrink = min(1.0, DETECT_SIDE_PX / max(image.shape))
        found = self._detect(image, shrink, shorter * SMALLEST_FACE, shorter)
        self._faces, self._since_search = len(found), 0
        return largest_face(found)

    def _follow(self, image: Image) -> Box | None:
        self._since_search += 1
        if self._box is None or self._since_search >= SEARCH_EVERY:
            return None
        around = surroundings(self._box, image)
        width = self._box.width
        found = self._detect(
            cut(image, around), min(1.0, FOLLOWED_FACE_PX / width), width / MOST_RESIZED, width * MOST_RESIZED
        )
        nearest = largest_face(found)
        return nearest and nearest._replace(x=around.x + nearest.x, y=around.y + nearest.y)

    def _detect(self, image: Image, shrink: float, smallest: float, largest: float) -> list[Box]:
        """Return the faces between `smallest` and `largest` pixels wide, looked for at `shrink` of the image's size."""
        if min(image.shape[:2]) * shrink < 1:
            return []
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        small = stretch(
            np.asarray(cv2.resize(grey, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        )
        least, most = round(smallest * shrink), round(largest * shrink)
        found = self._cascade.detectMultiScale(small, 1.1, NEIGHBOURS, minSize=(least, least), maxSize=(most, most))
        return [Box(*(round(float(side) / shrink) for side in face)) for face in found]


def largest_face(found: Sequence[Box]) -> Box | None:
    """Return the largest face, in whatever order they were found, which changes with OpenCV's threads."""
    return min(found, key=Box.rank, default=None)


@contextmanager
def threads_for(streams: int) -> Iterator[None]:
    """Limit OpenCV, in the whole process, to one thread for each image while several streams are framed.

    Several images at once, each on one core, are quicker than one image on several cores. Afterwards the limit is as
    before.
    """
    before = cv2.getNumThreads()
    if streams > 1:
        cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def surroundings(box: Box, image: Image) -> Box:
    """Return a box with a margin around it, clipped to the image; empty where it lies outside the image."""
    margin = round(box.width * MARGIN)
    height, width = image.shape[:2]
    left, top = min(width, max(0, box.x - margin)), min(height, max(0, box.y - margin))
    right, bottom = min(width, box.x + box.width + margin), min(height, box.y + box.height + margin)
    return Box(left, top, max(0, right - left), max(0, bottom - top))


def cut(image: Image, box: Box) -> Image:
    """Return the part of the image in the box."""
    return image[box.y : box.y + box.height, box.x : box.x + box.width]


def stretch(grey: Image) -> Image:
    """Stretch a grey picture uint8 `[H, W]` to its full range: a face in a dim room has the contrast of any other."""
    return np.asarray(cv2.normalize(grey, np.empty_like(grey), 0, 255, cv2.NORM_MINMAX), dtype=np.uint8)


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


def resize(image: Image, height: int, width: int) -> Image:
    """Resize an image to `height` x `width`: averaged where it shrinks, interpolated where it grows."""
    shrinks = image.shape[0] >= height and image.shape[1] >= width
    resized = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return np.asarray(resized, dtype=np.uint8)
