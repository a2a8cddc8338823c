"""The camera's way with faces in training: light, lens and distance, sensor, coder.

Dimensions: N faces, H and W their height and width, greys from 0 to 255.
"""

import math
from functools import cache

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from .draws import hit, log_uniform, uniform

GAMMAS = (0.7, 1.5)
GAINS = (0.7, 1.3)
DARK, DARK_GAINS = 0.1, (0.06, 0.5)
"""Share of the faces in the dark, and the range of what is left of their contrast."""
BACK_LIT, SLOPES = 0.15, (0.3, 1.5)
"""Share of the faces with light from one side, and the range of the light's change across half the crop, as a share."""
SHARPENING = (-0.6, 0.8)
"""Range of sharpening: the corpus's faces are small and soft, many cameras sharpen."""
BLURRED, BLURS = 0.15, (0.005, 0.055)
"""Share of the blurred faces, and the range of the blur's deviation along each axis, as a share of the crop's side."""
COARSE, RESOLUTIONS = 0.15, (12, 48)
"""Share of the faces that are small in the picture, and the range of their width in pixels."""
NOISY, NOISES = 0.15, (0.5, 7.0)
"""Share of the faces with visible noise, and the range of its deviation in greys."""
COMPRESSED, QUALITIES = 0.1, (8, 60)
"""Share of the faces that are coded as JPEG, and the range of its quality."""


def light(x: Tensor, generator: torch.Generator) -> Tensor:
    """Change contrast, brightness and gamma of `[N, H, W]`, light some from one side and leave some in the dark."""
    count, height, width = x.shape
    gamma = log_uniform((count, 1, 1), *GAMMAS, generator)
    x = 255 * (x / 255).clamp(1e-3, 1) ** gamma
    angle = uniform((count, 1, 1), 0, 2 * math.pi, generator)
    slope = uniform((count, 1, 1), *SLOPES, generator) * hit(count, BACK_LIT, generator)[:, None, None]
    down, right = torch.linspace(-1, 1, height)[:, None], torch.linspace(-1, 1, width)
    x = x * (1 + slope * (angle.sin() * down + angle.cos() * right)).clamp(min=0.05)
    x = (x - 128) * uniform((count, 1, 1), *GAINS, generator) + 128 + uniform((count, 1, 1), -30, 30, generator)
    dark = log_uniform((count, 1, 1), *DARK_GAINS, generator)
    return x.clamp(0, 255) * torch.where(hit(count, DARK, generator)[:, None, None], dark, 1.0)


def resolve(x: Tensor, generator: torch.Generator) -> Tensor:
    """Sharpen `[N, H, W]`, blur some and make some coarse, as by a lens and a face far away."""
    count, height, width = x.shape
    soft = avg_pool2d(x[:, None], 3, stride=1, padding=1, count_include_pad=False)[:, 0]
    x = x + uniform((count, 1, 1), *SHARPENING, generator) * (x - soft)
    blurred, coarse = hit(count, BLURRED, generator), hit(count, COARSE, generator)
    sigma = uniform((2, count), *BLURS, generator) * blurred
    pixels = torch.randint(RESOLUTIONS[0], RESOLUTIONS[1] + 1, (count,), generator=generator) * coarse
    poor = torch.where(blurred | coarse)[0]
    rows, columns = (
        resample(side)[pixels[poor]] @ blur(side, side * deviations[poor])
        for side, deviations in zip((height, width), sigma, strict=True)
    )
    return x.index_copy(0, poor, rows @ x[poor] @ columns.mT)


def blur(side: int, sigma: Tensor) -> Tensor:
    """Return matrices float32 `[N, side, side]` that blur by Gaussians of deviations `[N]` in pixels."""
    places = torch.arange(float(side))
    distance = (places[:, None] - places) / sigma.clamp(min=0.1)[:, None, None]
    weights = torch.exp(-0.5 * distance.square())
    return weights / weights.sum(dim=2, keepdim=True)


@cache
def resample(side: int) -> Tensor:
    """Return matrices float32 `[largest resolution + 1, side, side]` that average down and interpolate up again.

    The matrix of index k goes by k pixels; that of index 0 changes nothing.
    """
    identity = torch.eye(side)
    matrices = [identity]
    for pixels in range(1, RESOLUTIONS[1] + 1):
        small = interpolate(identity[None], size=pixels, mode="area")
        matrices.append(interpolate(small, size=side, mode="linear", align_corners=False)[0].T)
    return torch.stack(matrices)


def sense(x: Tensor, generator: torch.Generator) -> Tensor:
    """Add noise to some of `[N, H, W]` and round to greys, uint8."""
    count = len(x)
    deviation = uniform((count, 1, 1), *NOISES, generator) * hit(count, NOISY, generator)[:, None, None]
    return (x + deviation * torch.randn(x.shape, generator=generator)).round().clamp(0, 255).to(torch.uint8)


def compress(x: Tensor, generator: torch.Generator) -> Tensor:
    """Code some of uint8 `[N, H, W]` as JPEG and decode them."""
    pictures: np.ndarray = x.numpy()
    qualities = torch.randint(QUALITIES[0], QUALITIES[1] + 1, (len(x),), generator=generator)
    for row in torch.where(hit(len(x), COMPRESSED, generator))[0].tolist():
        _, coded = cv2.imencode(".jpg", pictures[row], [cv2.IMWRITE_JPEG_QUALITY, int(qualities[row])])
        pictures[row] = cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE)
    return x
