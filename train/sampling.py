"""Which examples an epoch draws: classes in equal shares, whatever the corpus holds of each."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor


def class_weights(labels: Tensor) -> Tensor:
    """float64 `[N]`, summing to 1: each example's chance, so that every class in `labels` `[N]` is drawn alike."""
    counts = torch.bincount(labels)
    return 1.0 / (counts[labels].double() * counts.count_nonzero())


def corpus_weights(labels: Tensor, corpora: Sequence[str], shares: Mapping[str, float]) -> Tensor:
    """float64 `[N]`: corpora drawn by their shares, classes alike within each corpus."""
    weights = torch.zeros(len(labels), dtype=torch.float64)
    for corpus in set(corpora):
        rows = torch.tensor([name == corpus for name in corpora])
        weights[rows] = class_weights(labels[rows]) * shares[corpus]
    return weights


def batches(weights: Tensor, draws: int, batch: int, generator: torch.Generator) -> Tensor:
    """Indices int64 `[steps, batch]`, `draws` in all, drawn with replacement; the last short batch is left out."""
    indices = torch.multinomial(weights, draws, replacement=True, generator=generator)
    return indices[: draws // batch * batch].view(-1, batch)
