"""Framing of images for the image encoder: the whole image, the largest face in it, or the faces of several people.

Training crops its images with this same code. Crops are uint8 `[H, W, 3]`, RGB.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple, Protocol

import cv2

from ..bundle.manifest import FramingName
from ..geometry import Box
from .detector_choice import DetectorName
from .detectors import open_detector
from .face_detector import Face, FaceDetector, largest_face, level
from .face_search import FaceTracker
from .images import Image, resize
from .people_tracker import PeopleTracker
from .pictures import Picture, resized_part, rgb_image

TAUGHT_WITH: DetectorName = "cascade"
"""Detector whose crops training takes, whatever is installed."""


class PersonFrame(NamedTuple):
    """Input of the image encoder made from the face of one of several people."""

    person: int
    """Number of the person, 1 and more; of this run, and never another's."""
    crop: Image
    """uint8 `[H, W, 3]` of the bundle's size."""
    face: Face
    """Face in the image."""


class FramingResult(NamedTuple):
    """Input of the image encoder made from one frame."""

    crop: Image | None
    """uint8 `[H, W, 3]` of the bundle's size; None where there is no face."""
    faces: int | None
    """Number of faces when a whole image was searched last; None where faces are not looked for."""
    box: Box | None
    """Box of the face in `crop`, in pixels of the image; the crop of a turned face is levelled about its centre. Of
    several people, that of the largest face."""
    people: tuple[PersonFrame, ...] = ()
    """People seen, by their numbers, where several are followed: those are instead of `crop`."""


class Framing(Protocol):
    """Method of framing images."""

    def __call__(self, image: Picture) -> FramingResult:
        """Frame one image of any size."""
        ...


def make_framing(
    name: FramingName, height: int, width: int, detector: DetectorName = TAUGHT_WITH, people: int = 1
) -> Framing:
    """Make the framing of that name, with crops of `height` x `width` pixels and faces by a detector of that name.

    With more than one of `people`, so many faces are followed at most.
    """
    if name == "whole":
        return WholeFraming(height, width)
    if people > 1:
        return PeopleFraming(height, width, PeopleTracker(open_detector(detector), people))
    return FaceFraming(height, width, open_detector(detector))


class WholeFraming:
    """Framing of the whole image: shorter side to size, centre cropped (CLIP's own preparation)."""

    def __init__(self, height: int, width: int) -> None:
        self.height, self.width = height, width

    def __call__(self, image: Picture) -> FramingResult:
        """Crop the image's centre, in the encoder's proportions."""
        height, width = image.shape[:2]
        scale = min(height / self.height, width / self.width)
        cut_height, cut_width = round(self.height * scale), round(self.width * scale)
        top, left = (height - cut_height) // 2, (width - cut_width) // 2
        part = Box(left, top, cut_width, cut_height)
        return FramingResult(resized_part(image, part, self.height, self.width), None, None)


class FaceFraming:
    """Framing of the largest face, levelled. One framing serves the images of one camera, in their order."""

    def __init__(self, height: int, width: int, detector: FaceDetector) -> None:
        self.height, self.width = height, width
        self._track = FaceTracker(detector)

    def __call__(self, image: Picture) -> FramingResult:
        """Crop the largest face; no crop where no face is found."""
        face = self._track(image)
        if face is None:
            return FramingResult(None, 0, None)
        return FramingResult(crop_face(image, face, self.height, self.width), self._track.faces, face.box)


class PeopleFraming:
    """Framing of the faces of several people, levelled. One framing serves the images of one camera, in their order."""

    def __init__(self, height: int, width: int, tracker: PeopleTracker) -> None:
        self.height, self.width = height, width
        self._track = tracker

    def __call__(self, image: Picture) -> FramingResult:
        """Crop the face of each person who is seen."""
        people = tuple(
            PersonFrame(person, crop_face(image, face, self.height, self.width), face)
            for person, face in self._track(image)
        )
        largest = largest_face(each.face for each in people)
        return FramingResult(None, self._track.faces, largest.box if largest else None, people)


def crop_face(image: Picture, face: Face, height: int, width: int) -> Image:
    """Return the face in an image, levelled, in RGB uint8 `[height, width, 3]`."""
    if face.turn_deg == 0:
        return resized_part(image, face.box, height, width)
    return resize(level(rgb_image(image), face), height, width)


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
