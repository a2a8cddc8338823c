"""Parts of images in YUV against the same parts of their conversion to RGB; each chroma layout, any box."""

import cv2
import numpy as np
import pytest

from edge.geometry import Box
from edge.preprocess.images import cut, resize
from edge.preprocess.yuv_image import YuvImage
from edge.sources.demo import MOODS, face

FULL_RANGE_BT601 = np.array([[1, 0, 1.402, -179.456], [1, -0.344136, -0.714136, 135.458816], [1, 1.772, 0, -226.816]])
DRAWN = np.asarray(cv2.GaussianBlur(face(MOODS[0]), (0, 0), 2), np.uint8)
LAYOUTS = {"4:2:0": (2, 2), "4:2:2": (1, 2), "4:4:4": (1, 1)}


def in_yuv(image: np.ndarray, down: int, across: int) -> YuvImage:
    """An image in YUV, in which so many rows and columns share their chroma."""
    luma, red, blue = cv2.split(cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb))
    rows, columns = -(-luma.shape[0] // down), -(-luma.shape[1] // across)
    small = [np.asarray(cv2.resize(plane, (columns, rows), interpolation=cv2.INTER_AREA)) for plane in (blue, red)]
    return YuvImage((np.asarray(luma), small[0], small[1]), FULL_RANGE_BT601, image.copy)


@pytest.mark.parametrize(
    "box", [Box(80, 45, 160, 160), Box(81, 46, 133, 133), Box(0, 0, 320, 240), Box(100, 60, 31, 31)]
)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_part_is_resized_as_that_of_its_conversion(layout: str, box: Box) -> None:
    picture = in_yuv(DRAWN, *LAYOUTS[layout])
    part, expected = picture.resized(box, 64, 64), resize(cut(DRAWN, box), 64, 64)
    assert (part.shape, part.dtype) == ((64, 64, 3), np.uint8)
    difference = np.abs(part.astype(float) - expected)
    assert difference.mean() < 1
    assert difference.max() < 20  # where a colour ends: chroma may be half of its pixel off


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (7, 5), (241, 321)])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_images_of_any_size_have_parts_at_their_corners(layout: str, size: tuple[int, int]) -> None:
    height, width = size
    image = np.full((*size, 3), (200, 90, 40), np.uint8)
    picture = in_yuv(image, *LAYOUTS[layout])
    assert picture.shape == (height, width, 3)
    for box in (Box(0, 0, width, height), Box(width - 1, height - 1, 1, 1), Box(0, height - 1, 1, 1)):
        np.testing.assert_allclose(picture.resized(box, 4, 4), np.full((4, 4, 3), (200, 90, 40)), atol=2)


def test_grey_is_luma_without_a_copy() -> None:
    picture = in_yuv(DRAWN, 2, 2)
    part = picture.grey(Box(80, 45, 160, 100))
    expected = cv2.cvtColor(DRAWN, cv2.COLOR_RGB2GRAY)[45:145, 80:240]
    np.testing.assert_allclose(part.astype(int), expected, atol=1)
    assert part.base is not None


def test_an_image_is_converted_once_where_it_is_asked_for() -> None:
    calls = []
    luma = np.zeros((4, 6), np.uint8)
    picture = YuvImage((luma, luma[:2, :3], luma[:2, :3]), FULL_RANGE_BT601, lambda: calls.append(1) or DRAWN)
    assert picture.image is picture.image is DRAWN
    assert calls == [1]
