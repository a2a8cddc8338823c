"""Covered faces in training: a rectangle like a hand or a cup, a half, a band like sunglasses.

Dimensions: N faces, H and W their height and width.
"""

import torch
from torch import Tensor

from .draws import hit, uniform

COVERED = 0.2
"""Share of the faces of which a part is covered."""
SIDES = (0.15, 0.5)
"""Range of a rectangle's sides, as shares of the crop's (Zhong et al. 2020)."""
HALF = (0.3, 0.5)
"""Range of the share of a face that is covered from one side."""
GLASSES_TOP, GLASSES_HEIGHT = (0.2, 0.32), (0.14, 0.24)
"""Ranges of the place of sunglasses, as shares of the crop's height."""
DARKEST_GLASS, LIGHTEST_GLASS = 0.0, 60.0


def cover(x: Tensor, generator: torch.Generator) -> Tensor:
    """Cover a part of some of the images `[N, H, W]` with one grey."""
    count, height, width = x.shape
    kind = torch.randint(3, (count,), generator=generator)
    boxes = torch.stack([rectangles(count, generator), halves(count, generator), bands(count, generator)])
    top, bottom, left, right = boxes[kind, torch.arange(count)].T[:, :, None]
    rows, columns = (torch.arange(side)[None] / side for side in (height, width))
    within = ((rows >= top) & (rows < bottom))[:, :, None] & ((columns >= left) & (columns < right))[:, None]
    greys = torch.where(
        kind == 2, uniform((count,), DARKEST_GLASS, LIGHTEST_GLASS, generator), uniform((count,), 0, 255, generator)
    )
    return torch.where(within & hit(count, COVERED, generator)[:, None, None], greys[:, None, None], x)


def rectangles(count: int, generator: torch.Generator) -> Tensor:
    """Draw rectangles anywhere: top, bottom, left and right `[count, 4]`, as shares of the sides."""
    sides = uniform((count, 2), *SIDES, generator)
    corners = torch.rand((count, 2), generator=generator) * (1 - sides)
    return torch.stack([corners, corners + sides], dim=2).flatten(1)


def halves(count: int, generator: torch.Generator) -> Tensor:
    """Draw up to half of the picture, from any of its sides."""
    covered = uniform((count,), *HALF, generator)
    whole = torch.tensor([0.0, 1.0, 0.0, 1.0]).repeat(count, 1)
    side = torch.randint(4, (count,), generator=generator)
    # From top or left (0, 2) the opposite edge moves to `covered`, from bottom or right (1, 3) to 1 - `covered`.
    from_start = side % 2 == 0
    edge = torch.where(from_start, side + 1, side - 1)
    return whole.scatter(1, edge[:, None], torch.where(from_start, covered, 1 - covered)[:, None])


def bands(count: int, generator: torch.Generator) -> Tensor:
    """Draw bands over the eyes, as wide as the face."""
    top = uniform((count,), *GLASSES_TOP, generator)
    bottom = top + uniform((count,), *GLASSES_HEIGHT, generator)
    edges = uniform((count,), 0.05, 0.2, generator)
    return torch.stack([top, bottom, edges, 1 - edges], dim=1)
