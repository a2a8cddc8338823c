"""Tracking of the largest face in the images of one camera, from image to image."""

from .face_detector import Face, FaceDetector, largest_face
from .face_template import FaceTemplate
from .image_search import LOOK_EVERY, SEARCH_EVERY, ImageSearch, without
from .pictures import Picture

__all__ = ["LOOK_EVERY", "SEARCH_EVERY", "FaceTracker"]


class FaceTracker:
    """Tracker of the largest face in the images of one camera, taken in their order.

    The first image is searched in all ways that the detector has; afterwards, where no face is known, each is searched
    in one way. A known face is found again by its picture (`FaceTemplate`), which takes a small part of the time; where
    it looks different, the detector looks for it around its last place, at about its size and roll. Every `LOOK_EVERY`
    images the detector searches the part of the image in which something is new, every `SEARCH_EVERY` all of it.
    """

    def __init__(self, detector: FaceDetector) -> None:
        self._detector = detector
        self._search = ImageSearch(detector)
        self._face: Face | None = None
        self._template: FaceTemplate | None = None  # of the face as it was detected last

    @property
    def faces(self) -> int:
        """Number of faces when each part of the image was searched last."""
        return len(self._search.others) + (self._face is not None)

    def __call__(self, image: Picture) -> Face | None:
        """Return the largest face in an image, None where none is found."""
        self._search.begin()
        self._face = self._keep(image, self._face) if self._face else largest_face(self._search.seek(image))
        if self._face:
            self._search.others = without([self._face], self._search.others)
        return self._face

    def _keep(self, image: Picture, known: Face) -> Face | None:
        is_due = self._search.is_due
        kept = self._template.find(image, known.box) if self._template and not is_due else None
        if kept is None:
            kept = self._track(image, known, is_due)
            self._template = FaceTemplate(image, kept) if kept else None
        return self._largest(image, kept) if kept and self._search.is_look_due else kept

    def _track(self, image: Picture, known: Face, is_due: bool) -> Face | None:
        self._search.start_over()  # where it is lost, the next image is searched as a whole again
        whole, steps_deg = self._detector.ways[0], self._detector.turn_steps_deg
        searched = largest_face(self._search.search(image, self._detector.glance)) if is_due else None
        if searched and searched.box.is_near(known.box) and not (known.turn_deg and steps_deg):
            return searched
        return (
            largest_face(filter(None, (searched, self._follow(image, known, 0.0))))
            or largest_face(self._search.search(image, whole))
            or next(filter(None, (self._follow(image, known, step_deg) for step_deg in steps_deg)), None)
        )

    def _largest(self, image: Picture, known: Face) -> Face:
        """Return the known face, or a larger one in the part of the image in which something is new."""
        largest = min([known, *self._search.find_new(image, known)], key=Face.rank)
        if largest is not known:
            self._search.others.append(known)
            self._template = FaceTemplate(image, largest)
        return largest

    def _follow(self, image: Picture, known: Face, further_deg: float) -> Face | None:
        return largest_face(self._detector.follow(image, known, known.turn_deg + further_deg))
