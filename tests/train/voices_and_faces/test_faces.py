"""Face crops: framed as the runtime does, varied within their limits."""

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


def test_variation_repeats_with_its_generator(crops: torch.Tensor) -> None:
    first, second, other = (faces.augment(crops, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert first.dtype == torch.uint8
    assert first.shape == crops.shape
    assert torch.equal(first, second)
    assert not torch.equal(first, other)
    assert (first != crops).flatten(1).any(dim=1).all()


def test_a_flat_face_changes_its_light_within_limits(generator: torch.Generator) -> None:
    varied = faces.augment(torch.full((400, 32, 32), 128, dtype=torch.uint8), generator)
    usual = varied.flatten(1).mode(dim=1).values
    assert usual.min() >= 128 - 31
    assert usual.max() <= 128 + 31
    assert usual.unique().numel() > 40


def test_without_turn_scale_and_shift_a_face_is_itself_or_its_mirror_image(
    crops: torch.Tensor, generator: torch.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faces, "LARGEST_TURN", 0.0)
    monkeypatch.setattr(faces, "SCALES", (1.0, 1.0))
    monkeypatch.setattr(faces, "LARGEST_SHIFT", 0.0)
    x = crops[:, None].float()
    turned = faces.turn(x, generator)
    itself, mirrored = ((turned - other).abs().amax(dim=(1, 2, 3)) < 0.01 for other in (x, x.flip(3)))
    assert (itself ^ mirrored).all()
    assert 70 <= mirrored.sum() <= 130


def test_a_shift_moves_a_face_by_at_most_its_limit(generator: torch.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faces, "LARGEST_TURN", 0.0)
    monkeypatch.setattr(faces, "SCALES", (1.0, 1.0))
    x = torch.zeros(100, 1, 50, 50)
    x[:, :, 24:26, 24:26] = 1.0
    turned = faces.turn(x, generator)
    place = torch.arange(50.0) - 24.5
    down, right = ((turned.sum(dim=(1, axis)) * place).sum(dim=1) / turned.sum(dim=(1, 2, 3)) for axis in (3, 2))
    for moved in (down.abs(), right.abs()):
        assert moved.max() <= 0.12 * 25 + 0.01
        assert moved.max() > 2


def test_half_of_the_pictures_lose_one_rectangle_of_one_grey(generator: torch.Generator) -> None:
    erased = faces.erase(torch.full((400, 40, 40), -1.0), generator)
    holes = erased != -1.0
    hit = holes.flatten(1).any(dim=1)
    assert 160 <= hit.sum() <= 240
    for image, hole in zip(erased[hit], holes[hit], strict=True):
        rows, columns = hole.any(dim=1), hole.any(dim=0)
        assert torch.equal(hole, rows[:, None] & columns[None])
        assert 3 <= rows.sum() <= 0.35 * 40 + 1
        assert 3 <= columns.sum() <= 0.35 * 40 + 1
        assert image[hole].unique().numel() == 1
