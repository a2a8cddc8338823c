"""Search of one camera's images for faces: which search is due, in what way, and in which part of the image."""

from collections.abc import Iterable

from ..geometry import Box
from .face_detector import Face, FaceDetector, Way
from .pictures import Picture
from .scene_change import SceneChange

LOOK_EVERY = 10
"""Number of images between two looks for what is new: at 5 frames per second, a new largest face is found within
2 s."""
SEARCH_EVERY = 60
"""Number of images after which an image is searched as a whole though nothing is new."""


class ImageSearch:
    """Search of one camera's images, taken in their order, for those who track faces in them.

    The first image is searched in all ways that the detector has until a face is found; afterwards, where faces are
    sought, each image is searched in one way.
    """

    def __init__(self, detector: FaceDetector) -> None:
        self._detector = detector
        self._scene = SceneChange()
        self._way: int | None = None  # number of the way that was taken last; None before the first image
        self._further_ways = [way for way in dict.fromkeys(detector.ways) if not way.is_upright_and_whole]
        self._further = 0  # number of these ways that were taken
        self._since_search = 0
        self.others: list[Face] = []
        """Faces that are not followed, as of when each part of the image was searched last."""

    @property
    def is_due(self) -> bool:
        """True where an image is searched as a whole though nothing is new."""
        return self._since_search >= SEARCH_EVERY

    @property
    def is_look_due(self) -> bool:
        """True where the part of an image in which something is new is searched."""
        return self._since_search > 0 and self._since_search % LOOK_EVERY == 0

    def begin(self) -> None:
        """Count an image."""
        self._since_search += 1

    def start_over(self) -> None:
        """Have the next image searched as a whole again."""
        self._way = -1

    def seek(self, image: Picture) -> list[Face]:
        """Return the faces that the way whose turn it is finds in an image; in the first one, all ways in turn."""
        ways = self._detector.ways
        if self._way is None:
            self._way = 0
            return next(filter(None, (self.search(image, way) for way in dict.fromkeys(ways))), [])
        self._way = (self._way + 1) % len(ways)
        return self.search(image, ways[self._way])

    def search(self, image: Picture, way: Way) -> list[Face]:
        """Return the faces that a way of searching finds in an image; they count as others until they are followed."""
        self.others = self._look(image, way, way.part(image))
        self._since_search = 0
        if way.is_upright_and_whole:
            self._scene.take(image)
        return self.others

    @property
    def is_further_due(self) -> bool:
        """True where something small or leaning is searched for: in each image until all ways for it were taken once,
        then half-way between two searches of the whole image."""
        return self._further < len(self._further_ways) or self._since_search == SEARCH_EVERY // 2

    def find_further(self, image: Picture, *known: Face) -> list[Face]:
        """Return the faces, known ones left out, that the next way finds of those for small or leaning ones."""
        way = self._further_ways[self._further % len(self._further_ways)]
        self._further += 1
        part = way.part(image)
        found = without(known, self._look(image, way, part))
        self.others = [face for face in self.others if not part.holds_centre_of(face.box)] + found
        return found

    def find_new(self, image: Picture, *known: Face) -> list[Face]:
        """Return the faces in the part of an image in which something is new; known ones are left out."""
        part = self._scene.find(image, *(face.box for face in known))
        if part is None:
            return []
        found = without(known, self._look(image, self._detector.glance, part))
        self.others = [face for face in self.others if not part.holds_centre_of(face.box)] + found
        return found

    def _look(self, image: Picture, way: Way, part: Box) -> list[Face]:
        shrinks = dict.fromkeys(min(1.0, side_px / max(image.shape[:2])) for side_px in way.sides_px)
        looks = (self._detector.search(image, way, part, shrink) for shrink in shrinks)
        return next(filter(None, looks), [])


def without(known: Iterable[Face], faces: Iterable[Face]) -> list[Face]:
    """Return the faces that are not near a known one."""
    boxes = [face.box for face in known]
    return [face for face in faces if not any(face.box.is_near(box) for box in boxes)]
