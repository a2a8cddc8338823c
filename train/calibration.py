"""Calibration of confidences: temperature scaling (Guo et al., ICML 2017), and a factor for each term of the logits."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from edge.errors import UsageError

LOWEST, HIGHEST = 0.05, 20.0
"""Limits of the temperature: a model without skill would get an infinite one, one that is always right none."""


def fit_temperature(logits: Tensor, labels: Tensor, weights: Tensor) -> float:
    """Return the temperature that minimises the weighted cross-entropy of logits `[N, C]` and labels `[N]`.

    UsageError if a logit is not finite, as after a training with too high a learning rate.
    """
    if not logits.isfinite().all():
        raise UsageError(
            "the model's outputs on the validation are not finite numbers: its training has diverged; "
            "choose a smaller learning_rate and another --run"
        )
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


def fit_factors(terms: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """Return factors `[K]` of K terms of the logits, `[N, K, C]`, that minimise the cross-entropy weighted by `[N]`.

    The cross-entropy is convex in them. They lie between the inverse limits of a temperature.
    """
    factors = torch.ones(terms.shape[1], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([factors], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        logits = torch.einsum("nkc,k->nc", terms.double(), factors)
        loss = (cross_entropy(logits, labels, reduction="none") * weights).sum() / weights.sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    return factors.detach().clamp(1 / HIGHEST, 1 / LOWEST).float()


def remark_on(temperature: float) -> str | None:
    """Return what a temperature at a limit means and what to do; None for one between the limits."""
    if temperature <= LOWEST:
        return (
            f"temperature {temperature:g} is the lowest that is fitted: (nearly) all of the validation is recognised. "
            "That does not tell how sure the model may be, and its confidences will be too high elsewhere; "
            "validate on more recordings, of other people"
        )
    if temperature >= HIGHEST:
        return (
            f"temperature {temperature:g} is the highest that is fitted: on the validation the model is no better than "
            "a guess, and its confidences will say so, all labels being about as probable; "
            "check the labels, and train on more recordings, or for longer"
        )
    return None


def fit_common_temperature(parts: Sequence[tuple[Tensor, Tensor]]) -> float:
    """Return one temperature for several evaluations of equal weight, logits `[N, C]` and labels `[N]` each."""
    return fit_temperature(*joined(parts))


def joined(parts: Sequence[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor, Tensor]:
    """Return several evaluations as one, and weights `[N]` by which each counts as much."""
    weights = torch.cat([torch.full((len(labels),), 1 / len(labels), dtype=torch.float64) for _, labels in parts])
    return torch.cat([part[0] for part in parts]), torch.cat([part[1] for part in parts]), weights
