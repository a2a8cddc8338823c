"""A drawn face that moves, grows, rolls and changes, found again by its picture or given up."""

import cv2
import numpy as np
import pytest

from edge.geometry import Box
from edge.preprocess.face_detector import Face
from edge.preprocess.face_template import FaceTemplate
from edge.sources.demo import MOODS, face

DRAWN = face(MOODS[0])
BOX = Box(320, 200, 160, 160)
NOISE = np.random.default_rng(2).normal(0, 2, (480, 640, 3))


def scene(
    x: float = 0, y: float = 0, scale: float = 1.0, roll_deg: float = 0.0, drawn: np.ndarray = DRAWN
) -> np.ndarray:
    """A drawn face whose box is `BOX`, moved, then grown and rolled about the box's centre."""
    matrix = cv2.getRotationMatrix2D((160, 125), roll_deg, scale)
    matrix[:, 2] += (400 - 160 + x, 280 - 125 + y)
    border = tuple(int(value) for value in DRAWN[0, 0])
    moved = cv2.warpAffine(drawn, matrix, (640, 480), borderValue=border)
    return np.asarray((moved + NOISE).clip(0, 255), np.uint8)


@pytest.mark.parametrize(("x", "y"), [(0, 0), (3, 0), (0, -3), (20, -13), (-38, 38)])
def test_a_face_is_found_where_it_moved_to(x: int, y: int) -> None:
    found = FaceTemplate(scene(), Face(BOX, 15.0)).find(scene(x, y), BOX)
    assert found is not None
    assert found.turn_deg == 15.0
    assert found.box.x + found.box.width / 2 == pytest.approx(400 + x, abs=1.5)
    assert found.box.y + found.box.height / 2 == pytest.approx(280 + y, abs=1.5)
    assert found.box.width == found.box.height == pytest.approx(160, abs=3)


@pytest.mark.parametrize("scale", [0.95, 1.05])
def test_a_face_that_grew_a_little_is_found_as_large_as_it_is(scale: float) -> None:
    found = FaceTemplate(scene(), Face(BOX)).find(scene(5, 5, scale), BOX)
    assert found is not None
    assert found.box.width == pytest.approx(160 * scale, abs=3)


def test_the_light_may_change() -> None:
    found = FaceTemplate(scene(), Face(BOX)).find(np.asarray(scene(9, 0) * 0.4 + 20, np.uint8), BOX)
    assert found is not None
    assert found.box.x == pytest.approx(BOX.x + 9, abs=2)


@pytest.mark.parametrize(
    "image",
    [
        scene(scale=1.2),
        scene(roll_deg=12),
        scene(roll_deg=-12),
        scene(100, 0),
        np.zeros((480, 640, 3), np.uint8),
        np.full((480, 640, 3), 255, np.uint8),
        np.asarray(NOISE.clip(0, 255), np.uint8),
        np.zeros((240, 320, 3), np.uint8),
        np.zeros((1, 1, 3), np.uint8),
    ],
    ids=["larger", "rolled", "rolled back", "away", "black", "white", "noise", "half the size", "a pixel"],
)
def test_a_face_that_changed_or_went_is_not_found(image: np.ndarray) -> None:
    assert FaceTemplate(scene(), Face(BOX)).find(image, BOX) is None


def test_a_half_covered_face_is_not_found() -> None:
    covered = scene()
    covered[280:360, 320:480] = 128
    assert FaceTemplate(scene(), Face(BOX)).find(covered, BOX) is None


@pytest.mark.parametrize(
    "box", [Box(0, 0, 160, 160), Box(480, 320, 160, 160), Box(630, 470, 4, 4), Box(700, 0, 90, 90)]
)
def test_what_is_flat_or_tiny_or_outside_is_not_found(box: Box) -> None:
    flat = np.full((480, 640, 3), 90, np.uint8)
    assert FaceTemplate(flat, Face(box)).find(flat, box) is None


def test_a_face_at_the_images_edge_stays_inside() -> None:
    image = scene(-320, -200)
    at_edge = Box(0, 0, 160, 160)
    found = FaceTemplate(image, Face(at_edge)).find(scene(-323, -203), at_edge)
    assert found is not None
    assert (found.box.x, found.box.y) == (0, 0)
