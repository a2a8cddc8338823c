"""Drawn faces whose mouths open by known amounts, while the head moves and the light changes, or not."""

import cv2
import numpy as np
import pytest

from edge.geometry import Box
from edge.preprocess.face_detector import Face
from edge.preprocess.mouth import Mouth, MouthMotion
from edge.preprocess.yuv_image import YuvImage
from tests.edge.made_talker import FACE, talking_face

NOISE = np.random.default_rng(3).normal(0, 2, (2, 240, 320, 3))


def seen(
    opening: float, number: int = 0, *, x: float = 0, y: float = 0, roll_deg: float = 0.0, scale: float = 1.0
) -> np.ndarray:
    """The face with noise of its own, moved, and rolled about its centre."""
    matrix = cv2.getRotationMatrix2D((160, 125), roll_deg, scale)
    matrix[:, 2] += x, y
    moved = cv2.warpAffine(talking_face(opening), matrix, (320, 240), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray((moved + NOISE[number]).clip(0, 255), np.uint8)


def motion(before: np.ndarray, now: np.ndarray, face: Face = FACE, then: Face | None = None) -> MouthMotion | None:
    mouth = Mouth()
    assert mouth.see(before, face) is None
    return mouth.see(now, then or face)


OPENED = motion(seen(0.1), seen(0.5, 1))


def test_a_mouth_that_opens_moves_down_and_one_that_closes_moves_up() -> None:
    closed = motion(seen(0.5), seen(0.1, 1))
    assert OPENED is not None
    assert closed is not None
    assert OPENED.lower > 0.1
    assert closed.lower < -0.1
    assert min(OPENED.change, closed.change) > 5 * max(OPENED.head, closed.head)


def test_a_mouth_that_opens_further_changes_more() -> None:
    steps = [motion(seen(0.1), seen(opening, 1)) for opening in (0.1, 0.2, 0.4, 0.8)]
    changes = [step.change for step in steps if step]
    assert changes == sorted(changes)
    assert changes[0] < changes[-1] / 10


@pytest.mark.parametrize(
    "moved",
    [
        seen(0.1, 1),
        seen(0.1, 1, x=5, y=-4),
        seen(0.1, 1, x=-3.4, y=2.7),
        seen(0.1, 1, roll_deg=2),
        seen(0.1, 1, roll_deg=-3, x=4),
        np.asarray(0.6 * seen(0.1, 1) + 25, np.uint8),
    ],
    ids=["noise", "moved", "by parts of a pixel", "rolled", "rolled and moved", "darker"],
)
def test_neither_head_nor_light_moves_a_mouth(moved: np.ndarray) -> None:
    still = motion(seen(0.1), moved)
    assert still is not None
    assert OPENED is not None
    assert still.change < OPENED.change / 3
    assert abs(still.lower) < abs(OPENED.lower) / 3


def test_the_place_of_a_face_may_be_off_and_change() -> None:
    image = seen(0.1)
    shifted = Face(Box(FACE.box.x + 6, FACE.box.y - 5, 166, 166))
    assert motion(image, image, FACE, shifted) == motion(image, image)
    opened = motion(seen(0.1), seen(0.5, 1), shifted)
    assert OPENED is not None
    assert opened is not None
    assert opened.change == pytest.approx(OPENED.change, rel=0.4)  # the mouth's part is another by 5 pixels of 160
    assert opened.lower > OPENED.lower / 2


def test_a_turned_face_is_levelled() -> None:
    level = motion(seen(0.1), seen(0.5, 1))
    turned = motion(seen(0.1, roll_deg=-20), seen(0.5, 1, roll_deg=-20), FACE._replace(turn_deg=20.0))
    assert level is not None
    assert turned is not None
    assert turned.change == pytest.approx(level.change, rel=0.3)  # resampled twice
    assert turned.lower == pytest.approx(level.lower, rel=0.3)


def test_yuv_is_seen_as_rgb_is() -> None:
    def in_yuv(image: np.ndarray) -> YuvImage:
        grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
        chroma = np.full((120, 160), 128, np.uint8)
        return YuvImage((grey, chroma, chroma), np.eye(3, 4), lambda: image)

    mouth = Mouth()
    mouth.see(in_yuv(seen(0.1)), FACE)
    assert mouth.see(in_yuv(seen(0.5, 1)), FACE) == OPENED


@pytest.mark.parametrize(
    ("image", "face"),
    [
        (seen(0.1), Face(Box(100, 60, 30, 30))),
        (seen(0.1), Face(Box(400, 60, 90, 90))),
        (np.full((240, 320, 3), 90, np.uint8), FACE),
        (np.zeros((240, 320, 3), np.uint8), FACE),
    ],
    ids=["small", "outside", "flat", "black"],
)
def test_what_is_small_or_outside_or_flat_has_no_mouth(image: np.ndarray, face: Face) -> None:
    assert motion(image, image, face) is None


def test_another_face_is_no_motion() -> None:
    other = np.asarray(np.random.default_rng(5).integers(0, 256, (240, 320, 3)), np.uint8)
    assert motion(seen(0.1), other) is None


def test_a_face_at_the_images_edge_is_seen() -> None:
    before, now = (np.ascontiguousarray(image[50:, 85:]) for image in (seen(0.1), seen(0.5, 1)))
    at_edge = Face(Box(FACE.box.x - 85, FACE.box.y - 50, 160, 160))
    found = motion(before, now, at_edge)
    assert found is not None
    assert OPENED is not None
    assert found.change == pytest.approx(OPENED.change, rel=0.1)  # but for the edge, the same pixels
