"""Conditions of pictures: where the face is, how large, how turned, and what covers it."""

import cv2
import numpy as np
import pytest

from edge.geometry import Box
from train.field import pictures
from train.field.draws import generator


@pytest.fixture
def picture() -> np.ndarray:
    """A red square that fills the middle half of a dark picture."""
    made = np.full((96, 96, 3), 40, np.uint8)
    made[24:72, 24:72] = (250, 40, 40)
    return made


def red(image: np.ndarray) -> np.ndarray:
    return (image[..., 0] > 150) & (image[..., 1] < 90)


@pytest.mark.parametrize("height", [40, 48, 200])
def test_the_face_has_the_height_and_place_that_are_said(picture: np.ndarray, height: int) -> None:
    image, box = pictures.pasted(pictures.wall(generator(1)), picture, 0.5, height, (500, 300))
    assert image.shape == (720, 1280, 3)
    rows, columns = np.nonzero(red(image))
    assert (box.width, box.height) == (height, height)
    for places, start in ((rows, box.y), (columns, box.x)):
        assert places.min() == pytest.approx(start, abs=2)
        assert places.max() == pytest.approx(start + height, abs=2)


@pytest.mark.parametrize("degrees", [-30, 15, 45])
def test_the_face_is_rolled_clockwise(picture: np.ndarray, degrees: float) -> None:
    picture[24:72, 24:48] = 40  # the right half alone: its centre lies to the right of the face's
    image, box = pictures.pasted(pictures.wall(generator(1)), picture, 0.5, 150, (500, 300), roll_degrees=degrees)
    rows, columns = np.nonzero(red(image))
    down, right = rows.mean() - box.y - box.height / 2, columns.mean() - box.x - box.width / 2
    assert np.degrees(np.arctan2(down, right)) == pytest.approx(degrees, abs=2)


def test_a_turned_picture_is_narrower(picture: np.ndarray) -> None:
    image, box = pictures.pasted(pictures.wall(generator(1)), picture, 0.5, 150, (500, 300), turn=0.8)
    _, columns = np.nonzero(red(image))
    assert box.width == 90
    assert np.ptp(columns) == pytest.approx(90, abs=4)


def test_the_picture_fades_into_the_wall(picture: np.ndarray) -> None:
    wall = pictures.wall(generator(1))
    image, _ = pictures.pasted(wall, picture, 0.5, 100, (500, 300))
    assert np.array_equal(image[:, :300], wall[:, :300])
    assert np.abs(np.diff(image[300, 600:700, 1].astype(int))).max() <= 8


def test_covers_hide_their_part_alone() -> None:
    image, box = np.zeros((100, 100, 3), np.uint8), Box(20, 10, 40, 60)
    made = pictures.covered(image, box, 0, 0.5, 1, 1)
    assert set(np.unique(made[40:70, 20:60])) == {128}
    made[40:70, 20:60] = 0
    assert not made.any()


def stripe(x: float) -> np.ndarray:
    """A white line, upright, `x` pixels to the right of the middle of a dark image."""
    image = np.full((60, 400, 3), 20, np.uint8)
    image[:, round(200 + x) - 1 : round(200 + x) + 1] = 255
    return image


def place(image: np.ndarray) -> float:
    """Where the line is now, in pixels to the right of the middle."""
    light = image[30, :, 0].astype(float) - 20
    return float(light @ (np.arange(400) + 0.5) / light.sum() - 200)


FACE = Box(150, 10, 100, 40)
"""On a cylinder whose radius is 60 pixels."""


@pytest.mark.parametrize(("before_degrees", "yaw_degrees"), [(0, 30), (0, 45), (-60, 45), (-30, 30), (30, 30)])
def test_a_face_that_turns_away_moves_as_a_cylinder_does(before_degrees: float, yaw_degrees: float) -> None:
    image = stripe(60 * np.sin(np.radians(before_degrees)))
    expected = 60 * np.sin(np.arcsin(place(image) / 60) + np.radians(yaw_degrees))
    right, _ = pictures.turned_away(image, FACE, yaw_degrees)
    assert place(right) == pytest.approx(expected, abs=1)
    left, _ = pictures.turned_away(image[:, ::-1], FACE, -yaw_degrees)
    assert place(left) == pytest.approx(-expected, abs=1)


def test_what_turns_out_of_sight_is_cut_off_and_what_is_behind_the_head_stays() -> None:
    for degrees in (50, 60, 70):
        assert (pictures.turned_away(stripe(60 * np.sin(np.radians(degrees))), FACE, 45)[0] == 20).all()
    assert place(pictures.turned_away(stripe(90), FACE, 45)[0]) == pytest.approx(90)
    # at the near side the background moves up to the head's edge, from -60 to -60 * cos(45 degrees)
    assert place(pictures.turned_away(stripe(-90), FACE, 45)[0]) == pytest.approx(-90 + 60 * (1 - np.sqrt(0.5)), abs=1)


def test_the_box_of_a_face_that_turns_away_is_that_of_its_visible_part() -> None:
    edge = np.arcsin(50 / 60)
    for yaw, last in ((np.radians(30), 60 * np.sin(edge + np.radians(30))), (np.radians(45), 60)):
        first = 60 * np.sin(yaw - edge)
        expected = FACE._replace(x=round(200 + first), width=round(200 + last) - round(200 + first))
        assert pictures.turned_away(stripe(0), FACE, np.degrees(yaw))[1] == expected
        mirrored = pictures.turned_away(stripe(0), FACE, -np.degrees(yaw))[1]
        assert (mirrored.x + mirrored.width, mirrored.width) == (400 - expected.x, expected.width)


def test_glasses_have_dark_rims_a_bridge_and_clear_lenses() -> None:
    image = np.full((200, 200, 3), 200, np.uint8)
    made = pictures.glasses(image, Box(50, 50, 100, 100))
    assert set(made[87, [80, 120]].ravel()) == {205}  # nine tenths of 200 and a tenth of 255
    assert (made[[70, 104], 80] < 30).all(), "the rim is 17 % of the face from the lens's centre"
    assert (made[87, [55, 100, 145]] < 30).all(), "temples and bridge"
    assert (made[130] == 200).all()
    assert (made[87, [40, 160]] == 200).all()


def test_sunglasses_are_dark_where_the_eyes_are() -> None:
    image = np.full((200, 200, 3), 200, np.uint8)
    made = pictures.sunglasses(image, Box(50, 50, 100, 100))
    assert (made[87, 80] < 30).all()
    assert (made[87, 120] < 30).all()
    assert (made[130, 100] == 200).all()


def test_blur_is_measured_by_the_face() -> None:
    """A bright point becomes a Gaussian whose deviation is a share of the face's height."""
    image = np.zeros((101, 101, 3), np.uint8)
    image[40:61, 40:61] = 255
    made = pictures.blurred(image, Box(0, 0, 100, 100), 0.05).astype(float)[..., 0]
    away = np.arange(101) - 50
    variance = [(profile * away**2).sum() / profile.sum() for profile in (image.astype(float)[50, :, 0], made[50])]
    assert np.sqrt(variance[1] - variance[0]) == pytest.approx(5, rel=0.05)


def test_light_is_taken_away() -> None:
    image = np.full((120, 160, 3), 150, np.uint8)
    assert pictures.low_light(image, generator(1)).mean() == pytest.approx(150 * pictures.LOW_LIGHT, abs=1)
    lit = pictures.back_light(image, Box(60, 40, 40, 40))
    assert lit[60, 80].mean() == pytest.approx(50, abs=1)
    assert lit[5, 5].mean() == pytest.approx(250, abs=1)


def test_jpeg_is_what_opencv_makes_of_it() -> None:
    image = generator(1).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    stored = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 8])[1]
    assert np.array_equal(pictures.jpeg(image), cv2.imdecode(stored, cv2.IMREAD_COLOR))
