"""Newcomers: taken for who is missing by looks and place, never for whom they were seen beside."""

import numpy as np

from edge.geometry import Box
from edge.preprocess.face_detector import Face
from edge.preprocess.followed_person import FollowedPerson
from edge.preprocess.newcomers import LATEST, SOON, candidates, is_double, recognised

Y, X = np.mgrid[:80, :80]
PICTURES = [(128 + 90 * np.sin(waves)).astype(np.uint8)[..., None].repeat(3, 2) for waves in (X / 5, (X + Y) / 7)]


def person(picture: int | np.ndarray, x: int, number: int | None = None, lost: int = 0) -> FollowedPerson:
    """Somebody who looks like a picture and was seen at a place."""
    image = np.full((240, 640, 3), 128, np.uint8)
    image[80:160, x : x + 80] = PICTURES[picture] if isinstance(picture, int) else picture
    found = FollowedPerson(image, Face(Box(x, 80, 80, 80)))
    found.number = number
    for _ in range(lost):
        found.begin()
    return found


def test_who_looks_like_somebody_missing_is_them_at_once() -> None:
    missing = [person(1, 200, 1, lost=4), person(0, 200, 2, lost=4)]
    newcomer = person(0, 260)
    assert recognised(newcomer, candidates(newcomer, missing)) is missing[1]


def test_who_looks_otherwise_is_nobody_who_is_missing() -> None:
    newcomer = person(0, 350)
    newcomer.images = LATEST
    assert recognised(newcomer, candidates(newcomer, [person(1, 200, 1, lost=4)])) is None
    assert recognised(newcomer, []) is None


def test_in_the_same_place_a_little_likeness_is_enough_after_a_while() -> None:
    missing = person(0, 200, 1, lost=2)
    partly = np.vstack([PICTURES[0][:20], PICTURES[1][20:]])
    here, elsewhere = person(partly, 205), person(partly, 330)
    assert 0.12 < here.looks.alike_to(missing.looks) < 0.42
    assert recognised(here, [missing]) is None
    here.images = elsewhere.images = SOON
    assert recognised(here, [missing]) is missing
    assert recognised(elsewhere, [missing]) is None


def test_who_was_seen_beside_somebody_who_is_far_or_has_no_number_is_another_one() -> None:
    newcomer, beside = person(0, 100), person(0, 120, 1, lost=3)
    newcomer.part(beside)
    assert candidates(newcomer, [beside, person(0, 540, 2, lost=1), person(0, 120, lost=1)]) == []


def test_a_missing_person_who_is_here_with_another_number_is_a_double() -> None:
    missing, here = person(0, 100, 1, lost=3), person(0, 300, 2)
    assert is_double(missing, [here])
    assert not is_double(missing, [person(1, 300, 3), person(0, 300)])
    missing.part(here)
    assert not is_double(missing, [here])
