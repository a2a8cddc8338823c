"""Faces and the people who are sought, paired by place, size and looks."""

import numpy as np
import pytest

from edge.geometry import Box
from edge.preprocess.face_association import (
    ALIKE_ELSEWHERE,
    ALIKE_HERE,
    distance,
    least_alike,
    likelihood,
    pair,
    resized,
)
from edge.preprocess.face_detector import Face
from edge.preprocess.followed_person import FollowedPerson

Y, X = np.mgrid[:80, :80]
PICTURES = [
    (128 + 90 * np.sin(waves)).astype(np.uint8)[..., None].repeat(3, 2) for waves in (X / 5, (X + Y) / 7, (X - Y) / 7)
]
"""Pictures `[80, 80, 3]` that differ, for faces."""


def scene(*shown: tuple[int, int, int]) -> np.ndarray:
    """An image with pictures, each by its number and place."""
    image = np.full((240, 640, 3), 128, np.uint8)
    for number, x, y in shown:
        image[y : y + 80, x : x + 80] = PICTURES[number]
    return image


def face(x: int, y: int, side: int = 80) -> Face:
    return Face(Box(x, y, side, side))


def person(number: int, x: int, lost: int) -> FollowedPerson:
    """Somebody who was seen at a place and is sought since so many images."""
    found = FollowedPerson(scene((number, x, 80)), face(x, 80))
    found.number = number + 1
    for _ in range(lost):
        found.begin()
    return found


def paired(sought: list[FollowedPerson], image: np.ndarray, faces: list[Face]) -> dict[int | None, Face]:
    return {found.number: detected.face for found, detected in pair(sought, image, faces)}


def test_two_who_changed_places_are_told_by_their_looks() -> None:
    sought = [person(0, 100, 4), person(1, 220, 4)]
    left, right = face(100, 80), face(220, 80)
    assert paired(sought, scene((1, 100, 80), (0, 220, 80)), [left, right]) == {1: right, 2: left}
    assert paired(sought, scene((0, 100, 80), (1, 220, 80)), [right, left]) == {1: left, 2: right}


def test_a_stranger_in_the_same_place_is_nobody_who_is_sought() -> None:
    assert paired([person(0, 100, 1)], scene((2, 100, 80)), [face(100, 80)]) == {}


def test_no_face_is_of_two_people_and_no_person_has_two_faces() -> None:
    sought = [person(0, 100, 2), person(0, 120, 2)]
    assert len(paired(sought, scene((0, 110, 80)), [face(110, 80)])) == 1
    image = scene((0, 60, 80), (0, 170, 80))
    assert paired([person(0, 100, 2)], image, [face(60, 80), face(170, 80)]) == {1: face(60, 80)}


def test_who_was_lost_for_long_may_have_gone_further() -> None:
    image, there = scene((0, 400, 80)), [face(400, 80)]
    assert paired([person(0, 100, 1)], image, there) == {}
    assert paired([person(0, 100, 6)], image, there) == {1: there[0]}


def test_a_face_of_another_size_is_not_taken() -> None:
    sought, image = [person(0, 100, 2)], scene((0, 100, 80))
    assert paired(sought, image, [face(50, 30, 180)]) == {}
    assert resized(sought[0], face(0, 0, 40)) == pytest.approx(2)


def test_less_likeness_is_asked_for_near_the_same_place_and_soon() -> None:
    soon, late = person(0, 100, 1), person(0, 100, 5)
    here, beside, large = face(100, 80), face(120, 80), face(90, 70, 100)
    least = [least_alike(soon, found, distance(soon, found)) for found in (here, beside, face(500, 80))]
    assert least == sorted(least)
    assert least[0] == ALIKE_HERE
    assert least[-1] == ALIKE_ELSEWHERE
    assert least_alike(soon, large, distance(soon, large)) > least[0]
    assert least_alike(late, here, 0.0) > least[0]


def test_of_two_who_look_alike_the_nearer_one_and_who_was_just_seen_is_likelier() -> None:
    soon, late = person(0, 100, 1), person(0, 100, 5)
    here, beside, large = face(100, 80), face(120, 80), face(90, 70, 100)
    assert likelihood(soon, here, 0.0) > likelihood(soon, beside, distance(soon, beside))
    assert likelihood(soon, here, 0.0) > likelihood(soon, large, distance(soon, large))
    assert likelihood(soon, here, 0.0) > likelihood(late, here, 0.0)
