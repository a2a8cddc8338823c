"""Conditions of faces in a camera's picture: each has the face where its box says, at the same place as the others."""

import numpy as np
import pytest

from edge.sources import demo
from train.field.draws import generator
from train.field.faces import Compose, alone, conditions, turned_away
from train.field.figures import Subject
from train.field.recordings import Face


@pytest.fixture(scope="module")
def face() -> Face:
    return Face(demo.face(demo.MOODS[0])[40:168, 96:224], Subject("happy", "drawn", {}))


@pytest.fixture(scope="module")
def composed(face: Face) -> dict[str, Compose]:
    return conditions([face])


def test_rows_of_turned_faces_and_of_glasses_exist(composed: dict[str, Compose]) -> None:
    assert {"turned away by 30 degrees", "turned away by 45 degrees", "glasses", "sunglasses"} <= composed.keys()


def test_every_condition_has_the_face_in_the_picture(composed: dict[str, Compose], face: Face) -> None:
    for name, compose in composed.items():
        image, box = compose(generator(1, "wall"), face)
        assert (image.shape, image.dtype) == ((720, 1280, 3), np.uint8), name
        assert 0 <= box.x < box.x + box.width <= 1280, name
        assert 0 <= box.y < box.y + box.height <= 720, name


def test_what_changes_the_picture_leaves_the_face_in_its_place(composed: dict[str, Compose], face: Face) -> None:
    _, box = alone(150, generator(1, "wall"), face)
    for name in ("glasses", "sunglasses", "low light", "back light", "left half covered", "JPEG quality 8"):
        image, found = composed[name](generator(1, "wall"), face)
        assert found == box, name
        assert not np.array_equal(image, composed["150 px"](generator(1, "wall"), face)[0]), name


def test_faces_turn_to_either_side(face: Face) -> None:
    """What is visible of a face is nearer to the side that it turns to."""
    moved = []
    for seed in range(8):
        _, before = alone(150, generator(seed, "wall"), face)
        _, after = turned_away(45, generator(seed, "wall"), face)
        moved.append(after.x + after.width / 2 - before.x - before.width / 2)
    assert min(moved) < -20
    assert max(moved) > 20
