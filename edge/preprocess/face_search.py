"""Search for the largest face in the images of one camera, and its tracking from image to image."""

from .face_detector import Face, FaceDetector, Way, largest_face
from .face_template import FaceTemplate
from .images import Image

SEARCH_EVERY = 10
"""Number of images between two searches of a whole image: at 5 frames per second, a new largest face is found within
2 s."""


class FaceTracker:
    """Tracker of the largest face in the images of one camera, taken in their order.

    The first image is searched in all ways that the detector has; afterwards, where no face is known, each is searched
    in one way. A known face is found again by its picture (`FaceTemplate`), which takes a small part of the time; where
    it looks different, the detector looks for it around its last place, at about its size and roll. Every
    `SEARCH_EVERY` images the detector searches the whole image again.
    """

    def __init__(self, detector: FaceDetector) -> None:
        self._detector = detector
        self._face: Face | None = None
        self._template: FaceTemplate | None = None  # of the face as it was detected last
        self._way: int | None = None  # number of the way that was taken last; None before the first image
        self._since_search = 0
        self.faces = 0
        """Number of faces that the last successful search found."""

    def __call__(self, image: Image) -> Face | None:
        """Return the largest face in an image uint8 `[H, W, 3]`, None where none is found."""
        self._face = self._find(image)
        return self._face

    def _find(self, image: Image) -> Face | None:
        self._since_search += 1
        is_due = self._since_search >= SEARCH_EVERY
        if self._face is None:
            return self._acquire(image)
        if self._template and not is_due and (kept := self._template.find(image, self._face.box)):
            return kept
        found = self._track(image, self._face, is_due)
        self._template = FaceTemplate(image, found) if found else None
        return found

    def _acquire(self, image: Image) -> Face | None:
        ways = self._detector.ways
        if self._way is None:
            self._way = 0
            return next(filter(None, (self._search(image, way) for way in dict.fromkeys(ways))), None)
        self._way = (self._way + 1) % len(ways)
        return self._search(image, ways[self._way])

    def _track(self, image: Image, known: Face, is_due: bool) -> Face | None:
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

    def _search(self, image: Image, way: Way) -> Face | None:
        shrinks = dict.fromkeys(min(1.0, side_px / max(image.shape[:2])) for side_px in way.sides_px)
        part = way.part(image)
        looks = (self._detector.search(image, way, part, shrink) for shrink in shrinks)
        found = next(filter(None, looks), [])
        self._since_search = 0
        self.faces = len(found) or self.faces
        return largest_face(found)

    def _follow(self, image: Image, known: Face, further_deg: float) -> Face | None:
        return largest_face(self._detector.follow(image, known, known.turn_deg + further_deg))
