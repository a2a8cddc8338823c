"""From a picture to what the image encoder sees: the whole picture, or the largest face in it.

Training cuts its pictures with this same code. Pictures are uint8 `[H, W, 3]`, RGB.
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

CASCADE = "haarcascade_frontalface_default.xml"
CASCADE_FOLDERS = (Path(cv2.__file__).parent / "data", Path("/usr/share/opencv4/haarcascades"))
"""Where OpenCV's own package has it, and where JetPack's and Debian's have."""
SMALLEST_FACE = 1 / 8
"""Of the picture's shorter side: a smaller face is not looked for."""
DETECT_SIDE_PX = 320
"""The longer side of the picture that is searched as a whole."""
SEARCH_EVERY = 10
"""Pictures: at 5 a second a face that becomes the largest is noticed within 2 s."""
FOLLOWED_FACE_PX = 40
"""How wide a known face is made to look for it again; the detector's smallest is 24."""
MOST_RESIZED = 1.25
"""A known face is looked for at its size divided and multiplied by this."""
MARGIN = 1 / 4
"""Of the known face's width, on each side of where it was."""


class Framed(NamedTuple):
    """What the image encoder gets of one frame."""

    crop: Image | None
    """uint8 `[H, W, 3]` of the bundle's size; None where there is nothing to see."""
    faces: int | None
    """How many there were when the whole picture was searched last; None where none are looked for."""
    box: Box | None
    """Of the face that was cut out."""


class Framing(Protocol):
    """One way to frame pictures."""

    def __call__(self, image: Image) -> Framed:
        """Frame one picture of any size."""
        ...


def make_framing(name: FramingName, height: int, width: int) -> Framing:
    """The framing that a bundle or the user names, giving crops of `height` x `width` pixels."""
    return FaceFraming(height, width) if name == "face" else WholeFraming(height, width)


class WholeFraming:
    """The whole picture: shorter side to size, centre cut out (CLIP's own preparation)."""

    def __init__(self, height: int, width: int) -> None:
        self.height, self.width = height, width

    def __call__(self, image: Image) -> Framed:
        """The picture's centre, in the encoder's proportions."""
        height, width = image.shape[:2]
        scale = min(height / self.height, width / self.width)
        cut_height, cut_width = round(self.height * scale), round(self.width * scale)
        top, left = (height - cut_height) // 2, (width - cut_width) // 2
        return Framed(
            resize(image[top : top + cut_height, left : left + cut_width], self.height, self.width), None, None
        )


class FaceFraming:
    """The largest face, found by OpenCV's bundled frontal cascade (Viola & Jones 2001).

    The whole picture is searched where no face is known and every `SEARCH_EVERY` pictures; in between, the known face
    is followed: looked for around where it was, at about its size, which takes a twelfth of the time. One framing is
    for the pictures of one camera, in their order.
    """

    def __init__(self, height: int, width: int) -> None:
        self.height, self.width = height, width
        detector = find_cascade(CASCADE_FOLDERS)  # first: it says so where this OpenCV has no such class
        self._cascade = cv2.CascadeClassifier(str(detector))
        self._box: Box | None = None
        self._faces = self._since_search = 0

    def __call__(self, image: Image) -> Framed:
        """The largest face's crop; no crop where no face is found."""
        self._box = self._follow(image) or self._search(image)
        if self._box is None:
            return Framed(None, 0, None)
        return Framed(resize(cut(image, self._box), self.height, self.width), self._faces, self._box)

    def _search(self, image: Image) -> Box | None:
        shorter = min(image.shape[:2])
        shrink = min(1.0, DETECT_SIDE_PX / max(image.shape))
        found = self._detect(image, shrink, shorter * SMALLEST_FACE, shorter)
        self._faces, self._since_search = len(found), 0
        return foremost(found)

    def _follow(self, image: Image) -> Box | None:
        self._since_search += 1
        if self._box is None or self._since_search >= SEARCH_EVERY:
            return None
        around = surroundings(self._box, image)
        width = self._box.width
        found = self._detect(
            cut(image, around), min(1.0, FOLLOWED_FACE_PX / width), width / MOST_RESIZED, width * MOST_RESIZED
        )
        nearest = foremost(found)
        return nearest and nearest._replace(x=around.x + nearest.x, y=around.y + nearest.y)

    def _detect(self, image: Image, shrink: float, smallest: float, largest: float) -> list[Box]:
        """Faces that are so many pixels wide, looked for at `shrink` of the picture's size."""
        if min(image.shape[:2]) * shrink < 1:
            return []
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        small = cv2.resize(grey, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        least, most = round(smallest * shrink), round(largest * shrink)
        found = self._cascade.detectMultiScale(small, 1.1, 5, minSize=(least, least), maxSize=(most, most))
        return [Box(*(round(float(side) / shrink) for side in face)) for face in found]


def foremost(found: Sequence[Box]) -> Box | None:
    """The face that is looked at, in whatever order they were found, which changes with OpenCV's threads."""
    return min(found, key=Box.rank, default=None)


@contextmanager
def threads_for(streams: int) -> Iterator[None]:
    """Leave each picture one of OpenCV's threads, which are the whole process's, where several streams are framed.

    A stream a core: several pictures at once go quicker than one picture on several cores. Afterwards it is as before.
    """
    before = cv2.getNumThreads()
    if streams > 1:
        cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def surroundings(box: Box, image: Image) -> Box:
    """A box and a margin around it, as far as the picture goes; empty where it is no part of the picture."""
    margin = round(box.width * MARGIN)
    height, width = image.shape[:2]
    left, top = min(width, max(0, box.x - margin)), min(height, max(0, box.y - margin))
    right, bottom = min(width, box.x + box.width + margin), min(height, box.y + box.height + margin)
    return Box(left, top, max(0, right - left), max(0, bottom - top))


def cut(image: Image, box: Box) -> Image:
    """The part of the picture in the box."""
    return image[box.y : box.y + box.height, box.x : box.x + box.width]


def find_cascade(folders: Sequence[Path]) -> Path:
    """The detector's file; UsageError where none of the folders has it, or OpenCV cannot run it, as 5 cannot."""
    found = [folder / CASCADE for folder in folders if (folder / CASCADE).is_file()]
    if found and hasattr(cv2, "CascadeClassifier"):
        return found[0]
    places = ", ".join(map(str, folders))
    raise UsageError(
        f"no {CASCADE} that runs in {places}: this OpenCV ({cv2.__version__}) comes without its face detector; "
        "take opencv-python-headless 4.x or --framing whole"
    )


def resize(image: Image, height: int, width: int) -> Image:
    """`picture` at `height` x `width`, averaged where it shrinks and interpolated where it grows."""
    shrinks = image.shape[0] >= height and image.shape[1] >= width
    resized = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return np.asarray(resized, dtype=np.uint8)
