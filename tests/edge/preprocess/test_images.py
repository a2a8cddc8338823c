"""Resized and stretched images against values worked out by hand."""

import numpy as np
import pytest

from edge.geometry import Box
from edge.preprocess.images import cut, resize, shrink_grey, stretch


def test_what_shrinks_is_averaged_and_what_grows_is_interpolated() -> None:
    checks = np.indices((8, 8)).sum(axis=0)[..., None].repeat(3, axis=2) % 2 * np.uint8(200)
    assert set(np.unique(resize(checks.astype(np.uint8), 4, 4))) == {100}
    ramp = np.uint8([[[0] * 3, [100] * 3]])
    assert resize(ramp, 1, 4)[0, :, 0].tolist() == [0, 25, 75, 100]


def test_a_stretched_image_has_the_full_range_and_keeps_its_proportions() -> None:
    assert stretch(np.uint8([[10, 12, 20]])).tolist() == [[0, 51, 255]]


def test_a_part_is_cut_by_columns_and_rows() -> None:
    image = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert cut(image, Box(1, 0, 2, 2)).tolist() == [[1, 2], [5, 6]]


@pytest.mark.parametrize(
    ("shrink", "sides"), [(1.0, (12, 20)), (0.5, (6, 10)), (0.25, (3, 5)), (0.4, (5, 8)), (0.01, (1, 1))]
)
def test_a_grey_image_keeps_its_mean_and_its_proportions(shrink: float, sides: tuple[int, int]) -> None:
    rising = np.broadcast_to(np.arange(20, dtype=np.uint8) * 10, (12, 20)).copy()
    shrunk = shrink_grey(rising, shrink)
    assert shrunk.shape == sides
    assert shrunk.mean() == pytest.approx(rising.mean(), abs=1)
    centres = (np.arange(sides[1]) + 0.5) * 20 / sides[1] - 0.5
    np.testing.assert_allclose(shrunk[0], 10 * centres, atol=2)
