"""Random numbers of the augmentations, all from the step's generator."""

import math

import torch
from torch import Tensor


def uniform(shape: tuple[int, ...], low: float, high: float, generator: torch.Generator) -> Tensor:
    """Draw uniform random numbers between `low` and `high`."""
    return torch.rand(shape, generator=generator) * (high - low) + low


def log_uniform(shape: tuple[int, ...], low: float, high: float, generator: torch.Generator) -> Tensor:
    """Draw random numbers between `low` and `high` whose logarithms are uniform."""
    return uniform(shape, math.log(low), math.log(high), generator).exp()


def hit(count: int, share: float, generator: torch.Generator) -> Tensor:
    """Draw which examples are hit, bool `[count]`, each with the probability `share`."""
    return torch.rand(count, generator=generator) < share
