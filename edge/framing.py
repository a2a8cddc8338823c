"""From a picture to what the image encoder sees: the whole picture, or the largest face in it.

Training cuts its pictures with this same code. Pictures are uint8 `[H, W, 3]`, RGB.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from .errors import UsageError

Image = NDArray[np.uint8]
FramingName = Literal["whole", "face"]

CASCADE = "haarcascade_frontalface_default.xml"
CASCADE_FOLDERS = (Path(cv2.__file__).parent / "data", Path("/usr/share/opencv4/haarcascades"))
"""Where OpenCV's own package has it, and where JetPack's and Debian's have."""
SMALLEST_FACE = 1 / 8
"""Of the picture's shorter side: a smaller face is not looked for."""
DETECT_SIDE_PX = 320
"""The longer side of the picture that the detector sees."""


class Box(NamedTuple):
    """A rectangle in the picture, in pixels."""

    x: int
    y: int
    width: int
    height: int


class Framed(NamedTuple):
    """What the image encoder gets of one frame."""

    crop: Image | None
    """uint8 `[H, W, 3]` of the bundle's size; None where there is nothing to see."""
    faces: int | None
    """How many were found; None where none were looked for."""
    box: Box | None
    """Of the face that was cut out."""


class Framing(Protocol):
    """One way to frame pictures."""

    def __call__(self, picture: Image) -> Framed:
        """Frame one picture of any size."""
        ...


def make_framing(name: FramingName, height: int, width: int) -> Framing:
    """The framing that a bundle or the user names, giving crops of `height` x `width` pixels."""
    return FaceFraming(height, width) if name == "face" else WholeFraming(height, width)


class WholeFraming:
    """The whole picture: shorter side to size, centre cut out (CLIP's own preparation)."""

    def __init__(self, height: int, width: int) -> None:
        self.height, self.width = height, width

    def __call__(self, picture: Image) -> Framed:
        """The picture's centre, in the encoder's proportions."""
        height, width = picture.shape[:2]
        scale = min(height / self.height, width / self.width)
        cut_height, cut_width = round(self.height * scale), round(self.width * scale)
        top, left = (height - cut_height) // 2, (width - cut_width) // 2
        return Framed(
            resize(picture[top : top + cut_height, left : left + cut_width], self.height, self.width), None, None
        )


class FaceFraming:
    """The largest face, found by OpenCV's bundled frontal cascade (Viola & Jones 2001)."""

    def __init__(self, height: int, width: int) -> None:
        self.height, self.width = height, width
        self._cascade = cv2.CascadeClassifier(str(find_cascade(CASCADE_FOLDERS)))

    def __call__(self, picture: Image) -> Framed:
        """The largest face's crop; no crop where no face is found."""
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        shrink = min(1.0, DETECT_SIDE_PX / max(grey.shape))
        small = cv2.resize(grey, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        smallest = round(min(small.shape) * SMALLEST_FACE)
        found = self._cascade.detectMultiScale(small, 1.1, 5, minSize=(smallest, smallest))
        if len(found) == 0:
            return Framed(None, 0, None)
        largest = max(found, key=lambda face: int(face[2]) * int(face[3]))
        box = Box(*(round(float(side) / shrink) for side in largest))
        crop = picture[box.y : box.y + box.height, box.x : box.x + box.width]
        return Framed(resize(crop, self.height, self.width), len(found), box)


def find_cascade(folders: Sequence[Path]) -> Path:
    """The detector's file; UsageError where none of the folders has it."""
    for folder in folders:
        if (folder / CASCADE).is_file():
            return folder / CASCADE
    places = ", ".join(map(str, folders))
    raise UsageError(
        f"no {CASCADE} in {places}: this OpenCV ({cv2.__version__}) comes without its face detector; "
        "take opencv-python 4.x or --framing whole"
    )


def resize(picture: Image, height: int, width: int) -> Image:
    """`picture` at `height` x `width`, averaged where it shrinks and interpolated where it grows."""
    shrinks = picture.shape[0] >= height and picture.shape[1] >= width
    resized = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return np.asarray(resized, dtype=np.uint8)
