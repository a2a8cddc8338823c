"""Face crops for the image encoder: resized by the runtime's code, augmented in training.

Dimensions: N faces, H and W the height and width of the encoder's input.
"""

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import affine_grid, avg_pool2d, grid_sample

from edge.bundle.manifest import VideoSpec
from edge.preprocess.framing import resize

LARGEST_TURN = math.radians(15)
SCALES = (0.85, 1.15)
LARGEST_SHIFT = 0.12
"""Largest shift, as a share of half the image's side."""
SHARPENING = (-0.8, 0.8)
"""Range of sharpening: the corpus's faces are small and soft, a camera's are sharp."""
GAINS = (0.7, 1.3)
LARGEST_HOLE = 0.35
"""Largest side of an erased rectangle, as a share of the image's side (Zhong et al. 2020)."""


def crops(images: np.ndarray, video: VideoSpec) -> Tensor:
    """Resize grey uint8 `[N, h, w]` to uint8 `[N, H, W]`, as the runtime resizes a crop."""
    return torch.from_numpy(np.stack([resize(image, video.height, video.width) for image in images]))


def rgb(grey: Tensor) -> Tensor:
    """Repeat grey `[N, H, W]` to `[N, H, W, 3]`, the input of an image encoder."""
    return grey[..., None].expand(*grey.shape, 3)


def augment(grey: Tensor, generator: torch.Generator) -> Tensor:
    """Augment uint8 `[N, H, W]`: rotate, scale, shift, mirror, sharpen, change the light, and erase a part."""
    count = len(grey)
    x = turn(grey[:, None].float(), generator)
    soft = avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)
    x = x + uniform((count, 1, 1, 1), *SHARPENING, generator) * (x - soft)
    x = (x - 128) * uniform((count, 1, 1, 1), *GAINS, generator) + 128 + uniform((count, 1, 1, 1), -30, 30, generator)
    return erase(x[:, 0].clamp(0, 255), generator).to(torch.uint8)


def turn(x: Tensor, generator: torch.Generator) -> Tensor:
    """Apply random similarity transforms and mirroring to `[N, 1, H, W]`."""
    count = len(x)
    angle = uniform((count,), -LARGEST_TURN, LARGEST_TURN, generator)
    scale = uniform((count,), *SCALES, generator)
    mirror = torch.randint(2, (count,), generator=generator) * 2.0 - 1
    cos, sin = angle.cos() * scale, angle.sin() * scale
    shift = uniform((count, 2), -LARGEST_SHIFT, LARGEST_SHIFT, generator)
    theta = torch.stack([cos * mirror, -sin, shift[:, 0], sin * mirror, cos, shift[:, 1]], dim=1).view(count, 2, 3)
    places = affine_grid(theta, list(x.shape), align_corners=False)
    return grid_sample(x, places, padding_mode="border", align_corners=False)


def erase(x: Tensor, generator: torch.Generator) -> Tensor:
    """Fill a random rectangle in half of the images `[N, H, W]` with a random grey."""
    count, height, width = x.shape
    sides = uniform((count, 2), 0.1, LARGEST_HOLE, generator)
    corner = torch.rand((count, 2), generator=generator) * (1 - sides)
    rows = (torch.arange(height) / height)[None] - corner[:, :1]
    columns = (torch.arange(width) / width)[None] - corner[:, 1:]
    hole = ((rows >= 0) & (rows < sides[:, :1]))[:, :, None] & ((columns >= 0) & (columns < sides[:, 1:]))[:, None]
    erased = torch.rand((count, 1, 1), generator=generator) < 0.5
    return torch.where(hole & erased, uniform((count, 1, 1), 0, 255, generator), x)


def uniform(shape: tuple[int, ...], low: float, high: float, generator: torch.Generator) -> Tensor:
    """Draw uniform random numbers between `low` and `high`."""
    return torch.rand(shape, generator=generator) * (high - low) + low
