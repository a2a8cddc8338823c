"""Sampling of the examples of an epoch: every class in equal shares, however many examples it has."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor


def class_weights(labels: Tensor) -> Tensor:
    """Return probabilities float64 `[N]` with which every class in `labels` `[N]` is drawn equally often."""
    counts = torch.bincount(labels)
    return 1.0 / (counts[labels].double() * counts.count_nonzero())


def capped_class_weights(labels: Tensor, classes: Sequence[int]) -> Tensor:
    """Return weights float64 `[N]` with which `classes` are drawn equally often, others of `labels` `[N]` as often.

    No example of a class that is rarer than all of `classes` is drawn more often than one of the rarest of these.
    """
    counts = torch.bincount(labels, minlength=max(classes) + 1)
    return 1.0 / counts.clamp(min=int(counts[list(classes)].min()))[labels].double()


def corpus_weights(labels: Tensor, corpora: Sequence[str], shares: Mapping[str, float]) -> Tensor:
    """Return weights float64 `[N]`: corpora by their shares, classes equally often within each corpus."""
    weights = torch.zeros(len(labels), dtype=torch.float64)
    for corpus in set(corpora):
        rows = torch.tensor([name == corpus for name in corpora])
        weights[rows] = class_weights(labels[rows]) * shares[corpus]
    return weights


def batches(weights: Tensor, draws: int, batch: int, generator: torch.Generator) -> Tensor:
    """Draw `draws` indices with replacement, int64 `[steps, batch]`; a last, short batch is left out."""
    indices = torch.multinomial(weights, draws, replacement=True, generator=generator)
    return indices[: draws // batch * batch].view(-1, batch)
