"""Search for the largest face in the images of one camera, and its tracking from image to image."""

from collections.abc import Iterable

from ..geometry import Box
from .face_detector import Face, FaceDetector, Way, largest_face
from .face_template import FaceTemplate
from .pictures import Picture
from .scene_change import SceneChange

LOOK_EVERY = 10
"""Number of images between two looks for what is new: at 5 frames per second, a new largest face is found within
2 s."""
SEARCH_EVERY = 60
"""Number of images after which an image is searched as a whole though nothing is new."""


class FaceTracker:
    """Tracker of the largest face in the images of one camera, taken in their order.

    The first image is searched in all ways that the detector has; afterwards, where no face is known, each is searched
    in one way. A known face is found again by its picture (`FaceTemplate`), which takes a small part of the time; where
    it looks different, the detector looks for it around its last place, at about its size and roll. Every `LOOK_EVERY`
    images the detector searches the part of the image in which something is new, every `SEARCH_EVERY` all of it.
    """

    def __init__(self, detector: FaceDetector) -> None:
        self._detector = detector
        self._face: Face | None = None
        self._others: list[Face] = []
        self._template: FaceTemplate | None = None  # of the face as it was detected last
        self._scene = SceneChange()
        self._way: int | None = None  # number of the way that was taken last; None before the first image
        self._since_search = 0

    @property
    def faces(self) -> int:
        """Number of faces when each part of the image was searched last."""
        return len(self._others) + (self._face is not None)

    def __call__(self, image: Picture) -> Face | None:
        """Return the largest face in an image, None where none is found."""
        self._since_search += 1
        self._face = self._acquire(image) if self._face is None else self._keep(image, self._face)
        if self._face:
            self._others = without(self._face, self._others)
        return self._face

    def _acquire(self, image: Picture) -> Face | None:
        ways = self._detector.ways
        if self._way is None:
            self._way = 0
            return next(filter(None, (self._search(image, way) for way in dict.fromkeys(ways))), None)
        self._way = (self._way + 1) % len(ways)
        return self._search(image, ways[self._way])

    def _keep(self, image: Picture, known: Face) -> Face | None:
        is_due = self._since_search >= SEARCH_EVERY
        kept = self._template.find(image, known.box) if self._template and not is_due else None
        if kept is None:
            kept = self._track(image, known, is_due)
            self._template = FaceTemplate(image, kept) if kept else None
        is_look_due = self._since_search > 0 and self._since_search % LOOK_EVERY == 0
        return self._largest(image, kept) if kept and is_look_due else kept

    def _track(self, image: Picture, known: Face, is_due: bool) -> Face | None:
        self._way = -1  # where it is lost, the next image is searched as a whole again
        whole, steps_deg = self._detector.ways[0], self._detector.turn_steps_deg
        searched = self._search(image, self._detector.glance) if is_due else None
        if searched and searched.box.is_near(known.box) and not (known.turn_deg and steps_deg):
            return searched
        return (
            largest_face(filter(None, (searched, self._follow(image, known, 0.0))))
            or self._search(image, whole)
            or next(filter(None, (self._follow(image, known, step_deg) for step_deg in steps_deg)), None)
        )

    def _largest(self, image: Picture, known: Face) -> Face:
        """Return the known face, or a larger one in the part of the image in which something is new."""
        part = self._scene.find(image, known.box)
        if part is None:
            return known
        found = without(known, self._look(image, self._detector.glance, part))
        stayed = [face for face in self._others if not part.holds_centre_of(face.box)]
        self._others = [*stayed, *found, known]
        largest = min([known, *found], key=Face.rank)
        if largest is not known:
            self._template = FaceTemplate(image, largest)
        return largest

    def _search(self, image: Picture, way: Way) -> Face | None:
        self._others = self._look(image, way, way.part(image))
        self._since_search = 0
        if way.is_upright_and_whole:
            self._scene.take(image)
        return largest_face(self._others)

    def _look(self, image: Picture, way: Way, part: Box) -> list[Face]:
        shrinks = dict.fromkeys(min(1.0, side_px / max(image.shape[:2])) for side_px in way.sides_px)
        looks = (self._detector.search(image, way, part, shrink) for shrink in shrinks)
        return next(filter(None, looks), [])

    def _follow(self, image: Picture, known: Face, further_deg: float) -> Face | None:
        return largest_face(self._detector.follow(image, known, known.turn_deg + further_deg))


def without(known: Face, faces: Iterable[Face]) -> list[Face]:
    """Return the faces that are not near the known one."""
    return [face for face in faces if not face.box.is_near(known.box)]
