"""Looks of drawn faces: alike where a face moves, rolls and is lit otherwise, told from another's."""

import cv2
import numpy as np
import pytest

from edge.geometry import Box
from edge.preprocess.face_detector import Face
from edge.preprocess.face_looks import (
    CELL_PX,
    DIRECTIONS,
    LOOK_PX,
    MOST_LOOKS,
    SIZES,
    FaceLooks,
    description,
    look_of,
    mean_description,
)
from edge.sources.demo import ANGRY, MOODS, face

DRAWN, FROWNING = face(MOODS[0]), face(ANGRY)
BOX = Box(80, 40, 160, 160)


def alike(one: np.ndarray, other: np.ndarray) -> float:
    looks = FaceLooks()
    looks.take(one)
    return looks.alike(other)


def test_the_look_of_a_face_is_the_same_in_other_light_and_beside_its_place() -> None:
    look = look_of(DRAWN, Face(BOX))
    dark = np.asarray(DRAWN * 0.4 + 20, np.uint8)
    moved = BOX._replace(x=BOX.x + 10, y=BOX.y - 10)
    assert alike(look, look) == pytest.approx(1, abs=1e-5)  # float32 sums of 588 products
    assert alike(look, look_of(dark, Face(BOX))) > 0.9
    assert alike(look, look_of(DRAWN, Face(moved))) > 0.6
    assert alike(look, look_of(FROWNING, Face(BOX))) < alike(look, look_of(dark, Face(BOX)))


def test_a_face_in_a_box_of_another_size_looks_alike() -> None:
    look = look_of(DRAWN, Face(BOX))
    small = look_of(DRAWN, Face(Box(BOX.x + 18, BOX.y + 18, 124, 124)))
    assert alike(look, small) > 0.9
    assert alike(look, small[:1]) < alike(look, small) - 0.1  # where it is compared in one size alone


def test_an_edge_counts_in_its_cells_by_its_direction() -> None:
    sides = LOOK_PX // CELL_PX - 1
    picture = np.zeros((LOOK_PX, LOOK_PX), np.uint8)
    picture[:, 18:] = 200  # brighter to the right, so in direction 0; gradients lie in columns 17 and 18
    blocks = description(picture).reshape(sides, sides, DIRECTIONS)
    across = np.flatnonzero(blocks[3].max(axis=1) > 0)
    assert across.tolist() == [3, 4]  # the blocks that hold the cell of columns 16 to 19
    assert set(blocks[3, 3].nonzero()[0].tolist()) == {0}
    turned = description(np.ascontiguousarray(picture.T)).reshape(sides, sides, DIRECTIONS)
    assert set(turned[3, 3].nonzero()[0].tolist()) == {DIRECTIONS // 4}


def test_what_is_common_to_all_faces_is_taken_out() -> None:
    mean = mean_description()
    assert mean.shape == description(np.zeros((LOOK_PX, LOOK_PX), np.uint8)).shape
    look = look_of(DRAWN, Face(BOX))
    assert look.shape == (len(SIZES), len(mean))
    assert np.linalg.norm(look, axis=1) == pytest.approx(np.ones(len(SIZES)), abs=1e-5)  # of float32
    assert mean.min() >= 0
    assert mean.max() < 0.5


def test_a_rolled_face_looks_as_when_level() -> None:
    matrix = cv2.getRotationMatrix2D((160, 120), 30, 1.0)
    rolled = np.asarray(cv2.warpAffine(DRAWN, matrix, (320, 240), borderMode=cv2.BORDER_REPLICATE), np.uint8)
    look = look_of(DRAWN, Face(BOX))
    level, leaning = alike(look, look_of(rolled, Face(BOX, -30.0))), alike(look, look_of(rolled, Face(BOX)))
    assert level > 0.6
    assert level > leaning + 0.2


def test_what_is_outside_the_image_looks_like_nothing() -> None:
    nothing = look_of(DRAWN, Face(Box(900, 900, 50, 50)))
    assert np.isfinite(nothing).all()
    assert alike(look_of(DRAWN, Face(BOX)), nothing) < 0.5


def test_only_different_looks_are_kept_and_only_the_newest() -> None:
    rng = np.random.default_rng(5)
    looks = FaceLooks()
    seen = [unit(rng.standard_normal((1, 588))) for _ in range(MOST_LOOKS + 1)]
    assert looks.alike(seen[0]) == -1
    for look in seen:
        looks.take(look)
        looks.take(look)
    assert [looks.alike(look) > 0.99 for look in seen] == [False] + [True] * MOST_LOOKS


def test_two_are_as_alike_as_their_most_similar_looks() -> None:
    rng = np.random.default_rng(6)
    kept = [unit(rng.standard_normal((1, 588))) for _ in range(3)]
    one, other, empty = FaceLooks(), FaceLooks(), FaceLooks()
    one.take(kept[0])
    one.take(kept[1])
    other.take(kept[2])
    assert one.alike_to(other) == pytest.approx(max(float((look @ kept[2].T).max()) for look in kept[:2]))
    assert one.alike_to(empty) == empty.alike_to(one) == -1
    other.add(one)
    assert one.alike_to(other) == pytest.approx(1, abs=1e-5)  # float32


def unit(look: np.ndarray) -> np.ndarray:
    return np.asarray(look / np.linalg.norm(look), np.float32)
