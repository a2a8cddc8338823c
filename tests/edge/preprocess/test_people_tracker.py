"""Drawn people who cross, hide, come and go: each keeps a number, and no face has two."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.geometry import Box
from edge.preprocess.face_cascade import CascadeDetector
from edge.preprocess.face_detector import Face, Way
from edge.preprocess.face_search import FaceTracker
from edge.preprocess.followed_person import FORGOTTEN_AFTER
from edge.preprocess.people_tracker import PeopleTracker, TrackedFace, is_one_face
from edge.preprocess.pictures import rgb_image
from edge.preprocess.windowing import FrameGrid
from edge.sources.demo import ANGRY, MOODS, face
from edge.sources.media import read_frames

HEIGHT, WIDTH = 360, 640
BEARD = face(ANGRY).copy()
cv2.ellipse(BEARD, (160, 190), (48, 26), 0, 0, 360, (60, 40, 30), -1)
DRAWN = {"plain": face(MOODS[0]), "bearded": BEARD}
GROUND = DRAWN["plain"][0, 0]
Place = tuple[str, float, float, float]
"""Who it is, the centre of their face, and the width of their box."""


def picture(*people: Place) -> np.ndarray:
    """An image of drawn people, the last one in front."""
    image = np.full((HEIGHT, WIDTH, 3), GROUND, np.uint8)
    for who, x, y, width in people:
        scale = width / 160
        matrix = np.array([[scale, 0, x - 160 * scale], [0, scale, y - 125 * scale]])
        drawn = DRAWN[who] if scale >= 1 else cv2.GaussianBlur(DRAWN[who], (0, 0), 0.4 / scale)
        head = np.zeros(drawn.shape[:2], np.uint8)
        cv2.ellipse(head, (160, 118), (95, 112), 0, 0, 360, 1, -1)
        moved = cv2.warpAffine(drawn, matrix, (WIDTH, HEIGHT))
        image = np.where(cv2.warpAffine(head, matrix, (WIDTH, HEIGHT))[..., None] > 0, moved, image)
    return image


def who_is_where(tracked: list[TrackedFace], *places: Place) -> list[int | None]:
    """The number of the person whose face is at each place."""
    return [
        next((each.person for each in tracked if abs(centre(each.face) - np.array((x, y))).max() < width / 3), None)
        for _, x, y, width in places
    ]


def centre(found: Face) -> np.ndarray:
    return np.array((found.box.x + found.box.width / 2, found.box.y + found.box.height / 2))


LEFT, RIGHT = ("plain", 150, 180, 110), ("bearded", 470, 180, 130)


def test_each_of_two_people_has_a_number_and_keeps_it() -> None:
    tracker = PeopleTracker(CascadeDetector(), 4)
    first = tracker(picture(LEFT, RIGHT))
    numbers = who_is_where(first, LEFT, RIGHT)
    assert sorted(map(str, numbers)) == ["1", "2"]
    assert [each.person for each in first] == [1, 2]
    for step in range(70):
        moved = [(who, x + 2 * np.sin(step / 3), y, width) for who, x, y, width in (LEFT, RIGHT)]
        assert who_is_where(tracker(picture(*moved)), LEFT, RIGHT) == numbers
    assert tracker.faces == 2


def test_people_who_cross_keep_their_numbers() -> None:
    tracker = PeopleTracker(CascadeDetector(), 4)
    numbers = who_is_where(tracker(picture(LEFT, RIGHT)), LEFT, RIGHT)
    for share in np.linspace(0, 1, 25):
        places = ("plain", 150 + 320 * share, 180, 110), ("bearded", 470 - 320 * share, 180, 130)
        tracked = tracker(picture(*places))
        assert {each.person for each in tracked} <= set(numbers)
    assert who_is_where(tracker(picture(*places)), *places) == numbers


@pytest.mark.parametrize("images", [3, 10])
def test_who_is_not_seen_for_a_while_keeps_their_number(images: int) -> None:
    tracker = PeopleTracker(CascadeDetector(), 4)
    numbers = who_is_where(tracker(picture(LEFT, RIGHT)), LEFT, RIGHT)
    for _ in range(images):
        assert who_is_where(tracker(picture(RIGHT)), LEFT, RIGHT) == [None, numbers[1]]
    again = ("plain", 175, 180, 110)
    found = [who_is_where(tracker(picture(again, RIGHT)), again, RIGHT) for _ in range(5)]
    assert found[-1] == numbers
    assert {number for number, _ in found} <= {None, numbers[0]}


def test_a_number_is_never_given_again() -> None:
    tracker = PeopleTracker(CascadeDetector(), 4)
    tracker(picture(RIGHT))
    for _ in range(FORGOTTEN_AFTER + 1):
        assert tracker(picture()) == []
    assert tracker.faces == 0
    found = [each.person for _ in range(11) for each in tracker(picture(RIGHT))]
    assert set(found) == {2}


def test_somebody_new_is_found_within_two_seconds_and_gone_at_once() -> None:
    tracker = PeopleTracker(CascadeDetector(), 4)
    for _ in range(13):
        assert [each.person for each in tracker(picture(LEFT))] == [1]
    found = [len(tracker(picture(LEFT, RIGHT))) for _ in range(10)]
    assert found[-1] == 2
    assert [each.person for each in tracker(picture(LEFT))] == [1]


def test_of_more_people_than_are_followed_the_same_stay_unless_one_is_much_wider() -> None:
    tracker = PeopleTracker(CascadeDetector(), 1)
    little_wider = ("bearded", 470, 180, 140)
    assert who_is_where(tracker(picture(LEFT)), LEFT) == [1]
    for _ in range(25):
        assert who_is_where(tracker(picture(LEFT, little_wider)), LEFT) == [1]
    assert tracker.faces == 2
    much_wider = ("bearded", 450, 180, 220)
    numbers = [who_is_where(tracker(picture(LEFT, much_wider)), LEFT, much_wider) for _ in range(25)]
    assert numbers[-1] == [None, 2]


def test_one_person_is_tracked_as_the_largest_face_is() -> None:
    one, people = FaceTracker(CascadeDetector()), PeopleTracker(CascadeDetector(), 1)
    for step in range(40):
        image = picture(("plain", 300 + 3 * step, 180, 120 + step))
        (tracked,), largest = people(image), one(image)
        assert largest is not None
        assert tracked.person == 1
        assert tracked.face.box.is_near(largest.box)
        assert tracked.face.box.width == pytest.approx(largest.box.width, rel=0.1)  # the cascade's steps in size


class Crowd:
    """Detector of faces that stand still, with a count of those that it was asked to follow."""

    ways = (Way((320,), (1 / 18, 1.0)), Way((320,), (1 / 18, 1.0), quarter=0))
    glance = ways[0]
    turn_steps_deg: tuple[float, ...] = ()

    def __init__(self, boxes: list[Box]) -> None:
        self.boxes, self.followed, self.searched = boxes, 0, 0

    def search(self, image: np.ndarray, way: Way, part: Box, shrink: float) -> list[Face]:
        self.searched += 1
        return [Face(box) for box in self.boxes if part.holds_centre_of(box)]

    def follow(self, image: np.ndarray, known: Face, turn_deg: float) -> list[Face]:
        self.followed += 1
        return [Face(box) for box in self.boxes if box.is_near(known.box)]


def test_thirty_faces_cost_no_more_searches_than_one_and_only_some_are_followed() -> None:
    boxes = [Box(10 + 60 * column, 10 + 60 * row, 40 + row, 40 + row) for row in range(5) for column in range(6)]
    rng = np.random.default_rng(6)
    noise = cv2.resize(rng.integers(0, 255, (72, 128, 3)).astype(np.uint8), (WIDTH, HEIGHT))
    crowd, one = Crowd(boxes), Crowd(boxes[:1])
    tracker, alone = PeopleTracker(crowd, 4), PeopleTracker(one, 4)
    everybody = set()
    for _ in range(60):
        tracked = tracker(noise)
        alone(noise)
        everybody |= {each.person for each in tracked}
    assert everybody == {1, 2, 3, 4}
    assert tracker.faces == 30
    assert crowd.searched <= one.searched
    assert crowd.followed <= 4


def test_no_two_people_share_a_face() -> None:
    twins = Crowd([Box(100, 100, 80, 80), Box(125, 100, 80, 80)])
    rng = np.random.default_rng(7)
    noise = cv2.resize(rng.integers(0, 255, (72, 128, 3)).astype(np.uint8), (WIDTH, HEIGHT))
    tracker = PeopleTracker(twins, 4)
    assert all(len(tracker(noise)) == 1 for _ in range(30))
    assert is_one_face(Face(twins.boxes[0]), Face(twins.boxes[1]))


def test_who_comes_in_and_passes_before_somebody_has_a_number_of_their_own() -> None:
    tracker = PeopleTracker(CascadeDetector(), 4)
    for _ in range(13):  # the last look for what is new was three images ago
        tracker(picture(LEFT))
    passing = [("bearded", x, 180, 130) for x in range(470, 0, -80)]
    numbers = [who_is_where(tracker(picture(LEFT, place)), LEFT, place) for place in passing]
    assert {number for _, number in numbers} <= {None, 2}
    assert numbers[-1][1] in (None, 2)
    assert who_is_where(tracker(picture(LEFT)), LEFT) == [1]


def test_two_real_faces_side_by_side_keep_their_numbers(recordings: list[Path]) -> None:
    left, right = ([rgb_image(frame.image) for frame in read_frames(path, FrameGrid(5.0))] for path in recordings[:2])
    tracker, width = PeopleTracker(CascadeDetector(), 4), left[0].shape[1]
    sides = [[False, True], [True, False]]
    there_and_back = [*range(min(len(left), len(right))), *range(min(len(left), len(right)))[::-1]]
    for number in there_and_back:
        tracked = tracker(np.hstack([left[number], right[number][:, ::-1]]))
        assert [each.person for each in tracked] == [1, 2]
        sides = [side for side in sides if side == [bool(centre(each.face)[0] > width) for each in tracked]]
        assert len(sides) == 1, number
