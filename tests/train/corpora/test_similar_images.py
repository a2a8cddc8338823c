"""Near copies of pictures."""

import cv2
import numpy as np
import pytest

from train.corpora.similar_images import ALIKE, signatures, similar


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    """Smooth pictures of nothing."""
    noise = np.random.default_rng(0).normal(128, 400, (6, 48, 48))
    return np.stack([cv2.GaussianBlur(picture, (0, 0), 5) for picture in noise]).clip(0, 255).astype(np.uint8)


def test_pictures_are_compared_by_the_correlation_of_their_small_copies(images: np.ndarray) -> None:
    small = [cv2.resize(picture.astype(np.float32), (12, 12), interpolation=cv2.INTER_AREA) for picture in images]
    expected = np.corrcoef([picture.ravel() for picture in small])
    found = signatures(images)
    np.testing.assert_allclose(found @ found.T, expected, atol=1e-5)
    np.testing.assert_array_equal(similar(images, images), expected > ALIKE)


def test_another_light_a_little_noise_and_a_shift_of_a_pixel_make_a_near_copy(images: np.ndarray) -> None:
    noise = np.random.default_rng(1).normal(0, 4, images.shape)
    for changed in (images // 2 + 30, (images + noise).clip(0, 255).astype(np.uint8), np.roll(images, 1, axis=2)):
        np.testing.assert_array_equal(similar(images, changed), np.eye(6, dtype=bool))


def test_flat_pictures_are_like_nothing() -> None:
    flat = np.full((2, 48, 48), 7, np.uint8)
    assert not similar(flat, flat).any()
