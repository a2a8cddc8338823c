"""Resized and stretched images against values worked out by hand."""

import numpy as np

from edge.geometry import Box
from edge.preprocess.images import cut, resize, stretch


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
