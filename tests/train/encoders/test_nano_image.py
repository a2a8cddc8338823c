"""The nano image encoder: what it sees of a crop."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import avg_pool2d

from train.encoders.nano_image import NanoImageEncoder, ResidualBlock


@pytest.fixture(scope="module")
def encoder() -> NanoImageEncoder:
    torch.manual_seed(0)
    return NanoImageEncoder(24).eval()


@pytest.fixture(scope="module")
def frames() -> torch.Tensor:
    return torch.randint(50, 150, (3, 64, 64, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def seen(encoder: NanoImageEncoder, frames: torch.Tensor) -> np.ndarray:
    """What reaches the first convolution."""
    inputs: list[torch.Tensor] = []
    hook = encoder.stem.register_forward_pre_hook(lambda _, args: inputs.append(args[0]))
    encoder(frames)
    hook.remove()
    return inputs[0].numpy()


def test_the_network_sees_standardised_luma(encoder: NanoImageEncoder, frames: torch.Tensor) -> None:
    grey = frames.numpy() @ np.array([0.299, 0.587, 0.114])
    mean, deviation = grey.mean(axis=(1, 2), keepdims=True), grey.std(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(seen(encoder, frames)[:, 0], (grey - mean) / (deviation + 1), atol=1e-4)


@torch.no_grad()
def test_brightness_does_not_matter(encoder: NanoImageEncoder, frames: torch.Tensor) -> None:
    torch.testing.assert_close(encoder(frames + 60), encoder(frames), atol=1e-4, rtol=0)


@torch.no_grad()
def test_contrast_hardly_matters(encoder: NanoImageEncoder, frames: torch.Tensor) -> None:
    dim, full = encoder(frames // 2), encoder(frames // 2 * 2)
    assert torch.cosine_similarity(dim, full).min() > 0.999
    assert torch.linalg.vector_norm(dim - full) < 0.1 * torch.linalg.vector_norm(full)


@pytest.mark.parametrize("value", [0, 128, 255])
@torch.no_grad()
def test_a_flat_picture_is_finite(encoder: NanoImageEncoder, value: int) -> None:
    assert torch.isfinite(encoder(torch.full((1, 64, 64, 3), value, dtype=torch.uint8))).all()


@torch.no_grad()
def test_a_frame_is_the_same_alone_and_in_a_batch(encoder: NanoImageEncoder, frames: torch.Tensor) -> None:
    together = encoder(frames)
    assert together.shape == (3, 24)
    for row in range(3):
        torch.testing.assert_close(encoder(frames[row : row + 1])[0], together[row], atol=1e-5, rtol=0)


def test_the_shipped_width_has_the_parameters_it_claims() -> None:
    count = sum(parameter.numel() for parameter in NanoImageEncoder(128).parameters())
    assert round(count / 1e6, 1) == 0.5


@torch.no_grad()
def test_beside_a_silent_body_a_block_passes_its_input_on() -> None:
    x = torch.randn(2, 8, 6, 6)
    for stride, expected in ((1, x), (2, avg_pool2d(x, 2))):
        block = ResidualBlock(8, 8, stride).eval()
        nn.init.zeros_(block.body[3].weight)
        torch.testing.assert_close(block(x), expected.relu())


@torch.no_grad()
def test_a_block_widens_and_halves() -> None:
    assert ResidualBlock(8, 12, 2).eval()(torch.randn(2, 8, 6, 10)).shape == (2, 12, 3, 5)
