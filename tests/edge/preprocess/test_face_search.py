"""Faces small, rolled and rolling in made images: found, followed, and given up in turn."""

import itertools
from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from edge.geometry import Box
from edge.preprocess.face_cascade import UPRIGHT, CascadeDetector
from edge.preprocess.face_detector import (
    Face,
    FaceDetector,
    Way,
    different_faces,
    largest_face,
    quarter,
    surroundings,
)
from edge.preprocess.face_search import LOOK_EVERY, SEARCH_EVERY, FaceTracker
from edge.sources.demo import ANGRY, MOODS, face

DRAWN = face(MOODS[0])
FROWNING = face(ANGRY)
EMPTY = np.full((720, 1280, 3), DRAWN[0, 0], np.uint8)


def scene(x: int, y: int, scale: float, roll_deg: float = 0.0, drawn: np.ndarray = DRAWN) -> np.ndarray:
    """A drawn face, of some 160 pixels, at a place and a scale, turned counter-clockwise."""
    matrix = cv2.getRotationMatrix2D((160, 125), roll_deg, scale)
    matrix[:, 2] += (x - 160, y - 125)
    small = cv2.GaussianBlur(drawn, (0, 0), 0.4 / scale) if scale < 1 else drawn
    border = tuple(int(value) for value in DRAWN[0, 0])
    return np.asarray(cv2.warpAffine(small, matrix, (1280, 720), borderValue=border), np.uint8)


def is_about(found: Face | None, x: int, y: int, width: float) -> bool:
    return (
        found is not None
        and abs(found.box.x + found.box.width / 2 - x) < width / 4
        and abs(found.box.y + found.box.height / 2 - y) < width / 4
        and 0.7 < found.box.width / width < 1.4
    )


@pytest.mark.parametrize("place", [(200, 150), (1100, 150), (200, 600), (640, 360)])
def test_a_small_face_is_found_in_the_first_image_and_within_one_round_later(place: tuple[int, int]) -> None:
    image = scene(*place, 0.3)
    assert is_about(FaceTracker(CascadeDetector())(image), *place, 48)
    tracker = FaceTracker(CascadeDetector())
    assert tracker(EMPTY) is None
    assert any(is_about(tracker(image), *place, 48) for _ in CascadeDetector.ways)


@pytest.mark.parametrize("roll_deg", [30.0, -30.0, 36.0, -36.0, 44.0, -44.0])
def test_a_rolled_face_is_found_and_keeps_its_angle(roll_deg: float) -> None:
    image, tracker = scene(700, 300, 1.2, roll_deg, FROWNING), FaceTracker(CascadeDetector())
    found = [tracker(image) for _ in range(SEARCH_EVERY + 2)]
    assert all(is_about(known, 700, 300, 192) for known in found)
    assert {known.turn_deg for known in found if known} == {-np.copysign(30.0, roll_deg)}


def test_a_head_that_rolls_slowly_is_never_lost() -> None:
    tracker = FaceTracker(CascadeDetector())
    for roll_deg in np.linspace(0, 40, 30):
        assert is_about(tracker(scene(640, 360, 1.5, float(roll_deg))), 640, 360, 240), roll_deg


def test_a_larger_upright_face_takes_the_place_of_a_small_one() -> None:
    tracker = FaceTracker(CascadeDetector())
    small = scene(200, 600, 0.3)
    assert is_about(tracker(small), 200, 600, 48)
    both = np.where(small == DRAWN[0, 0], scene(900, 300, 1.5), small)
    assert any(is_about(tracker(both), 900, 300, 240) for _ in range(LOOK_EVERY))


def test_where_no_face_is_known_each_way_has_its_turn() -> None:
    ways = CascadeDetector.ways
    assert ways[0] == UPRIGHT
    assert {way.quarter for way in ways if way.quarter is not None} == {0, 1, 2, 3}
    assert max(len(list(others)) for is_upright, others in itertools.groupby(way == UPRIGHT for way in ways)) == 2


@pytest.mark.parametrize(("height", "width"), [(720, 1280), (7, 5), (1, 1)])
def test_four_quarters_cover_an_image(height: int, width: int) -> None:
    image = np.zeros((height, width), np.uint8)
    for number in range(4):
        x, y, columns, rows = quarter(image, number, 1 / 8)
        assert min(x, y) >= 0
        image[y : y + rows, x : x + columns] += 1
    assert image.min() >= 1


def test_of_equal_faces_the_leftmost_is_the_largest_then_the_topmost_whatever_their_order() -> None:
    boxes = [Box(9, 9, 6, 6), Box(0, 7, 4, 4), Box(3, 2, 4, 4), Box(3, 5, 2, 8), Box(3, 5, 4, 4), Box(0, 0, 3, 3)]
    ranked = [Face(box) for box in boxes]
    for left_out in range(len(ranked)):
        rest = ranked[left_out:]
        assert {largest_face(found) for found in itertools.permutations(rest)} == {rest[0]}
    assert largest_face([]) is None


def test_of_faces_near_each_other_the_largest_counts() -> None:
    large, near, beside = Face(Box(0, 0, 40, 40)), Face(Box(4, 4, 20, 20)), Face(Box(30, 0, 20, 20))
    assert different_faces([near, beside, large]) == [large, beside]
    assert different_faces([]) == []


class CountedDetector(CascadeDetector):
    """The cascade, with a list of the searches of whole images and of the faces that it was asked to follow."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def search(self, image: np.ndarray, way: Way, part: Box, shrink: float) -> list[Face]:
        if part.area() == image.shape[0] * image.shape[1]:
            self.asked.append("glance" if way.is_quick else "search")
        return super().search(image, way, part, shrink)

    def follow(self, image: np.ndarray, known: Face, turn_deg: float) -> list[Face]:
        self.asked.append("follow")
        return super().follow(image, known, turn_deg)


def test_a_face_that_looks_as_it_did_is_found_without_the_detector_but_for_a_glance_every_so_many_images() -> None:
    detector = CountedDetector()
    tracker = FaceTracker(detector)
    for step in range(2 * SEARCH_EVERY + 1):
        x, y = 500 + 2 * step, 300 + step
        assert is_about(tracker(scene(x, y, 1.2 + 0.0002 * step)), x, y, 192), step
        assert tracker.faces == 1
    assert [asked for asked in detector.asked if asked != "follow"] == ["search", "glance", "glance"]
    assert len(detector.asked) < 10


def test_a_face_that_looks_different_is_followed_by_the_detector() -> None:
    detector = CountedDetector()
    tracker = FaceTracker(detector)
    for scale in (1.2, 1.35, 1.5):
        assert is_about(tracker(scene(640, 360, scale)), 640, 360, 160 * scale)
    assert detector.asked == ["search", "follow", "follow"]


def both(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Two scenes in one."""
    return np.where(first == DRAWN[0, 0], second, first)


def test_faces_are_counted_as_they_come_and_go() -> None:
    second = scene(300, 250, 1.2)
    two = both(second, scene(900, 400, 1.5))
    tracker = FaceTracker(CascadeDetector())
    counts = []
    for image in [two] * LOOK_EVERY + [second] * LOOK_EVERY + [two] * LOOK_EVERY + [scene(900, 400, 1.5)] * LOOK_EVERY:
        tracker(image)
        counts.append(tracker.faces)
    assert (counts[0], counts[LOOK_EVERY]) == (2, 1)  # the larger is gone, which is noticed at once
    assert counts[3 * LOOK_EVERY - 1] == 2
    assert counts[-1] == 1


@pytest.mark.parametrize("light", [1.0, 0.15])
@pytest.mark.parametrize("place", [(900, 300), (760, 420), (560, 360)], ids=["beside", "half in front", "in front"])
def test_somebody_who_comes_nearer_the_camera_is_found_as_soon_as_anything_new_is_looked_for(
    place: tuple[int, int], light: float
) -> None:
    noise, tracker = np.random.default_rng(8), FaceTracker(CascadeDetector())

    def seen(image: np.ndarray) -> np.ndarray:
        return np.asarray((image * light + noise.normal(0, 3, image.shape)).clip(0, 255), np.uint8)

    far, near = scene(500, 360, 1.0), scene(*place, 2.0)
    for _ in range(LOOK_EVERY + 3):
        assert is_about(tracker(seen(far)), 500, 360, 160)
    assert any(is_about(tracker(seen(both(near, far))), *place, 320) for _ in range(LOOK_EVERY))


def test_who_sits_in_the_dark_is_found_when_the_light_goes_on() -> None:
    tracker = FaceTracker(CascadeDetector())
    known = scene(300, 250, 1.0)
    dark = both(known, np.asarray(scene(900, 400, 1.8) * 0.02, np.uint8))
    dark[dark == DRAWN[0, 0]] = 3
    for _ in range(LOOK_EVERY + 3):
        assert is_about(tracker(dark), 300, 250, 160)
    assert any(is_about(tracker(both(known, scene(900, 400, 1.8))), 900, 400, 288) for _ in range(LOOK_EVERY))


class SquareDetector:
    """Detector of a white square at any roll, within one range of widths at each size of the image."""

    ways = (Way((100, 50), (0.1, 1.0)), Way((200,), (0.05, 0.2), quarter=3))
    glance = ways[0]
    turn_steps_deg: Sequence[float] = ()

    def __init__(self) -> None:
        self.looks: list[object] = []

    def search(self, image: np.ndarray, way: Way, part: Box, shrink: float) -> list[Face]:
        self.looks.append((part, shrink))
        return self._look(image, part, shrink, way.widths_px(image))

    def _look(self, image: np.ndarray, part: Box, shrink: float, widths: tuple[float, float]) -> list[Face]:
        y, x = np.nonzero(image[part.y : part.y + part.height, part.x : part.x + part.width, 0] == 255)
        if not len(x):
            return []
        box = Box(part.x + int(x.min()), part.y + int(y.min()), int(np.ptp(x)) + 1, int(np.ptp(y)) + 1)
        is_seen = widths[0] <= box.width <= widths[1] and 5 <= box.width * shrink <= 25
        return [Face(box, 7.5)] if is_seen else []

    def follow(self, image: np.ndarray, known: Face, turn_deg: float) -> list[Face]:
        self.looks.append("follow")
        part = surroundings(known.box, image, known.box.width // 2)
        found = self._look(image, part, 10 / max(1, part.width), (1, 1e3))
        return [Face(face.box, turn_deg) for face in found]


WHOLE, LAST = Box(0, 0, 200, 100), Box(90, 40, 110, 60)


def square(side: int, x: int = 150, y: int = 70) -> np.ndarray:
    image = np.zeros((100, 200, 3), np.uint8)
    image[y : y + side, x : x + side] = 255
    return image


def test_an_image_is_looked_at_in_each_size_until_a_face_is_found() -> None:
    large, none = SquareDetector(), SquareDetector()
    detector: FaceDetector = large
    tracker = FaceTracker(detector)
    assert tracker(square(70, 20, 10)) == Face(Box(20, 10, 70, 70), 7.5)
    assert large.looks == [(WHOLE, 0.5), (WHOLE, 0.25)]
    assert tracker.faces == 1
    tracker = FaceTracker(none)
    assert [tracker(square(0)) for _ in range(3)] == [None] * 3
    every = [(WHOLE, 0.5), (WHOLE, 0.25)], [(LAST, 1.0)]
    assert none.looks == [*every[0], *every[1], *every[1], *every[0]]
    assert tracker.faces == 0


def test_a_known_face_is_followed_and_searched_for_where_it_is_lost() -> None:
    detector = SquareDetector()
    tracker = FaceTracker(detector)
    assert tracker(square(12)) == Face(Box(150, 70, 12, 12), 7.5)
    detector.looks.clear()
    assert tracker(square(12, 152, 73)) == Face(Box(152, 73, 12, 12), 7.5)
    assert detector.looks == ["follow"]
    assert tracker(square(30, 20, 10)) == Face(Box(20, 10, 30, 30), 7.5)
    assert detector.looks == ["follow", "follow", (WHOLE, 0.5)]
    assert tracker(square(0)) is None
    assert detector.looks[3:] == ["follow", (WHOLE, 0.5), (WHOLE, 0.25)]


def test_a_known_face_that_a_search_misses_is_kept() -> None:
    detector = SquareDetector()
    tracker = FaceTracker(detector)
    found = [tracker(square(9)) for _ in range(2 * SEARCH_EVERY)]
    assert set(found) == {Face(Box(150, 70, 9, 9), 7.5)}
    assert detector.looks.count((WHOLE, 0.5)) == 2  # the first image, in which the quarter found it, and one due
