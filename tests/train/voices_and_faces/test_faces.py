"""Face crops: framed as the runtime does, augmented reproducibly."""

import cv2
import numpy as np
import pytest
import torch

from edge.bundle.manifest import VideoSpec
from train.voices_and_faces import faces

PICTURE = VideoSpec(rate_hz=5.0, height=64, width=64, framing="face")


@pytest.fixture
def crops() -> torch.Tensor:
    return torch.randint(256, (200, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("side", "how"), [(48, cv2.INTER_LINEAR), (100, cv2.INTER_AREA)])
def test_crops_are_resized_as_by_the_runtime(side: int, how: int) -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, side, side)).astype(np.uint8)
    expected = [cv2.resize(image, (64, 64), interpolation=how) for image in images]
    np.testing.assert_array_equal(faces.crops(images, PICTURE).numpy(), expected)


def test_grey_becomes_three_equal_channels(crops: torch.Tensor) -> None:
    coloured = faces.rgb(crops)
    assert coloured.shape == (200, 32, 32, 3)
    assert all(torch.equal(coloured[..., channel], crops) for channel in range(3))


def test_augmentation_repeats_with_its_generator_and_leaves_its_input(crops: torch.Tensor) -> None:
    before = crops.clone()
    first, second, other = (faces.augment(crops, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert first.dtype == torch.uint8
    assert first.shape == crops.shape
    assert torch.equal(first, second)
    assert not torch.equal(first, other)
    assert (first != crops).flatten(1).any(dim=1).all()
    assert torch.equal(crops, before)
