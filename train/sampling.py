"""Which examples an epoch draws: classes in equal shares, whatever the corpus holds of each."""

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor


def class_weights(labels: Tensor) -> Tensor:
    """float64 `[N]`: each example's chance, so that every class is drawn alike; `labels` int64 `[N]`."""
    return 1.0 / torch.bincount(labels)[labels].double()


def corpus_weights(labels: Tensor, corpora: Sequence[str], shares: Mapping[str, float]) -> Tensor:
    """float64 `[N]`: corpora drawn by their shares, classes alike within each corpus."""
    names = sorted(set(corpora))
    group = torch.tensor([names.index(name) for name in corpora]) * (int(labels.max()) + 1) + labels
    return class_weights(group) * torch.tensor([shares[name] for name in corpora], dtype=torch.float64)


def batches(weights: Tensor, draws: int, batch: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Indices int64 `[batch]`, `draws` in all, drawn with replacement; the last short batch is left out."""
    indices = torch.multinomial(weights, draws, replacement=True, generator=generator)
    yield from indices[: draws // batch * batch].split(batch)
