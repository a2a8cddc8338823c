"""One person who is followed from image to image: their face, where it is expected next, and how it looks."""

from ..geometry import Box
from .face_detector import Face
from .face_looks import FaceLooks, Look, look_of
from .face_template import FaceTemplate
from .pictures import Picture

SOUGHT = 10
"""Images without the face in which each is searched for it: 2 s at 5 a second; then it is found as somebody new is."""
FORGOTTEN_AFTER = 50
"""Images without the face after which a person is forgotten: 10 s."""
LEAST_STEP = 0.05
"""Shift from image to image from which on a face is expected to move on, as a share of its width."""
MOVES_ON = 2
"""Images without the face for which it is expected to move on; then it is looked for where it would be."""


class FollowedPerson:
    """Person whose face was detected in an image."""

    def __init__(self, image: Picture, face: Face) -> None:
        self.number: int | None = None
        """Number; None of a newcomer, who may be one of those who are missing."""
        self.face = face
        """Face where it was seen last."""
        self.lost = 0
        """Images since it was seen; 0 where it is seen in the image that is looked at."""
        self.images = 1
        """Images in which it was seen."""
        self.looks = FaceLooks()
        self.apart: set[FollowedPerson] = set()
        """People who were seen beside this one, and so are others."""
        self._before = self.face, 0  # face and lost images as of the image before
        self._step = 0.0, 0.0  # pixels from image to image
        self._template = FaceTemplate(image, face)
        self.looks.take(look_of(image, face))

    @property
    def expected(self) -> Face:
        """Face where it should be in the image that is looked at."""
        images = min(self.lost, MOVES_ON)
        x, y = (round(step * images) for step in self._step)
        box = self.face.box
        return self.face._replace(box=box._replace(x=box.x + x, y=box.y + y))

    def begin(self) -> None:
        """Count an image, in which the face is not seen yet."""
        self._before = self.face, self.lost
        self.lost += 1

    def find(self, image: Picture) -> Face | None:
        """Return the face where it is expected, found by its picture; None where it looks different or is not there."""
        return self._template.find(image, self.expected.box) or (
            self._template.find(image, self.face.box) if self._step != (0.0, 0.0) else None
        )

    def see(self, face: Face) -> None:
        """Take a face for this person's in the image that is looked at."""
        self._step = step(self.face.box, face.box, self.lost)
        self.face, self.lost = face, 0
        self.images += 1

    def detect(self, image: Picture, face: Face, look: Look, *, is_clear: bool = True) -> None:
        """Take a face that was detected for this person's, and how it looks now where nothing hides a part of it."""
        self.see(face)
        self._template = FaceTemplate(image, face)
        if is_clear:
            self.looks.take(look)

    def resume(self, newcomer: "FollowedPerson") -> None:
        """Go on as a newcomer, who was found to be this person."""
        self.face, self.lost, self.images = newcomer.face, newcomer.lost, self.images + newcomer.images
        self._step, self._template = newcomer._step, newcomer._template
        self.looks.add(newcomer.looks)
        for other in newcomer.apart:
            self.part(other)

    def part(self, other: "FollowedPerson") -> None:
        """Know that this person and another one were seen side by side."""
        self.apart.add(other)
        other.apart.add(self)

    def miss(self) -> None:
        """Take back that the face is seen in this image: it is somebody else's."""
        self.face, self.lost = self._before[0], self._before[1] + 1
        self._step = 0.0, 0.0


def step(before: Box, after: Box, images: int) -> tuple[float, float]:
    """Return how far a face moves from image to image, in pixels; 0 for what is little."""
    across = (after.x - before.x + (after.width - before.width) / 2) / images
    down = (after.y - before.y + (after.height - before.height) / 2) / images
    least = LEAST_STEP * after.width
    return (across, down) if abs(across) >= least or abs(down) >= least else (0.0, 0.0)
