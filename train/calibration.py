"""Temperature scaling (Guo et al., ICML 2017): one number that calibrates the confidences."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

LOWEST, HIGHEST = 0.05, 20.0
"""Limits of the temperature: a model without skill would get an infinite one."""


def fit_temperature(logits: Tensor, labels: Tensor, weights: Tensor) -> float:
    """Return the temperature that minimises the weighted cross-entropy of logits `[N, C]` and labels `[N]`."""
    log_temperature = torch.zeros((), dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([log_temperature], max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        losses = cross_entropy(logits.double() / log_temperature.exp(), labels, reduction="none")
        loss = (losses * weights).sum() / weights.sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    return min(max(log_temperature.exp().item(), LOWEST), HIGHEST)


def fit_common_temperature(parts: Sequence[tuple[Tensor, Tensor]]) -> float:
    """Return one temperature for several evaluations of equal weight, logits `[N, C]` and labels `[N]` each."""
    weights = torch.cat([torch.full((len(labels),), 1 / len(labels), dtype=torch.float64) for _, labels in parts])
    return fit_temperature(torch.cat([part[0] for part in parts]), torch.cat([part[1] for part in parts]), weights)
