"""Looks of drawn faces: alike where a face moves, rolls and is lit otherwise, told from another's."""

import cv2
import numpy as np
import pytest

from edge.geometry import Box
from edge.preprocess.face_detector import Face
from edge.preprocess.face_looks import CORE_PX, LOOK_PX, MOST_LOOKS, FaceLooks, correlation, look_of
from edge.sources.demo import ANGRY, MOODS, face

DRAWN, FROWNING = face(MOODS[0]), face(ANGRY)
BOX = Box(80, 40, 160, 160)


def test_the_look_of_a_face_is_the_same_in_other_light_and_beside_its_place() -> None:
    look = look_of(DRAWN, Face(BOX))
    assert look.shape == (LOOK_PX, LOOK_PX)
    dark = np.asarray(DRAWN * 0.4 + 20, np.uint8)
    moved = BOX._replace(x=BOX.x + 10, y=BOX.y - 10)
    assert correlation(look, look) == pytest.approx(1, abs=1e-5)  # float32 sums of 576 products
    assert correlation(look, look_of(dark, Face(BOX))) > 0.97
    assert correlation(look, look_of(DRAWN, Face(moved))) > 0.9
    assert correlation(look, look_of(FROWNING, Face(BOX))) < correlation(look, look_of(dark, Face(BOX)))


def test_a_correlation_is_the_largest_of_all_places_of_the_middle() -> None:
    rng = np.random.default_rng(3)
    one, other = (rng.integers(0, 255, (LOOK_PX, LOOK_PX)).astype(np.uint8) for _ in range(2))
    edge, places = (LOOK_PX - CORE_PX) // 2, range(LOOK_PX - CORE_PX + 1)
    core = one[edge:-edge, edge:-edge].ravel()
    expected = max(
        np.corrcoef(core, other[y : y + CORE_PX, x : x + CORE_PX].ravel())[0, 1] for y in places for x in places
    )
    assert correlation(one, other) == pytest.approx(expected, abs=1e-4)  # OpenCV sums in float32


def test_a_rolled_face_looks_as_when_level() -> None:
    matrix = cv2.getRotationMatrix2D((160, 120), 30, 1.0)
    rolled = np.asarray(cv2.warpAffine(DRAWN, matrix, (320, 240), borderMode=cv2.BORDER_REPLICATE), np.uint8)
    look = look_of(DRAWN, Face(BOX))
    assert correlation(look, look_of(rolled, Face(BOX, -30.0))) > 0.85
    assert correlation(look, look_of(rolled, Face(BOX))) < 0.75


def test_what_is_outside_the_image_has_no_look() -> None:
    assert not look_of(DRAWN, Face(Box(900, 900, 50, 50))).any()


def test_only_different_looks_are_kept_and_only_the_newest() -> None:
    rng = np.random.default_rng(5)
    looks = FaceLooks()
    seen = [rng.integers(0, 255, (LOOK_PX, LOOK_PX)).astype(np.uint8) for _ in range(MOST_LOOKS + 1)]
    assert looks.alike(seen[0]) == -1
    for look in seen:
        looks.take(look)
        looks.take(look)
    assert [looks.alike(look) > 0.99 for look in seen] == [False] + [True] * MOST_LOOKS
