"""Pose of faces in training: turned, scaled, shifted and mirrored as a detector's boxes vary around a face.

Dimensions: N faces, H and W their height and width.
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from .draws import uniform

LARGEST_TURN = math.radians(30)
"""Largest roll; small ones are more frequent, as the runtime levels the faces that it finds turned."""
SCALES = (0.75, 1.2)
"""Range of the crop's width, as a share of a corpus crop's: eight in ten boxes of the cascade, on faces of FER2013
composed into a larger picture, are 0.78 to 1.15 of it, and 1 in the median."""
SQUEEZES = (0.9, 1.1)
"""Range of the ratio of height to width that is changed, for heads turned aside."""
LARGEST_SHIFT = 0.15
"""Largest shift, as a share of half the crop's side; eight in ten of those boxes are shifted by less."""


def turn(x: Tensor, generator: torch.Generator) -> Tensor:
    """Apply random affine transforms and mirroring to `[N, H, W]`."""
    count = len(x)
    angle = LARGEST_TURN * (torch.rand(count, generator=generator) - torch.rand(count, generator=generator))
    scale, squeeze = uniform((count,), *SCALES, generator), uniform((count,), *SQUEEZES, generator)
    mirror = torch.randint(2, (count,), generator=generator) * 2.0 - 1
    cos, sin = angle.cos() * scale, angle.sin() * scale
    shift = uniform((count, 2), -LARGEST_SHIFT, LARGEST_SHIFT, generator)
    rows = [cos * mirror * squeeze, -sin * squeeze, shift[:, 0], sin * mirror, cos, shift[:, 1]]
    theta = torch.stack(rows, dim=1).view(count, 2, 3)
    places = affine_grid(theta, [count, 1, *x.shape[1:]], align_corners=False)
    return grid_sample(x[:, None], places, padding_mode="border", align_corners=False)[:, 0]
