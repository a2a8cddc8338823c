"""Draws against counted shares."""

import numpy as np
import pytest
import torch

from train.sampling import batches, capped_class_weights, class_weights, corpus_weights

LABELS = torch.tensor([0, 0, 0, 1, 2, 2, 0, 1, 1, 2])
CORPORA = ["big"] * 6 + ["small"] * 4
SHARES = {"big": 3.0, "small": 1.0}
DRAWS = 40_000


def shares(weights: torch.Tensor, keys: list, generator: torch.Generator) -> dict:
    counts = dict.fromkeys(keys, 0.0)
    for index in batches(weights, DRAWS, 100, generator).flatten().tolist():
        counts[keys[index]] += 1 / DRAWS
    return counts


def test_classes_weigh_alike_whatever_their_size() -> None:
    weights = class_weights(LABELS)
    assert weights.dtype == torch.float64
    np.testing.assert_allclose([weights[label == LABELS].sum() for label in range(3)], 1 / 3)


def test_a_class_that_does_not_occur_takes_no_share() -> None:
    weights = class_weights(torch.tensor([0, 3, 3]))
    np.testing.assert_allclose(weights, [1 / 2, 1 / 4, 1 / 4])


def test_rare_classes_that_are_not_asked_for_are_not_drawn_more_than_the_rarest_that_is() -> None:
    labels = torch.tensor([0] * 8 + [1] * 4 + [2] * 2 + [3] * 6)
    weights = capped_class_weights(labels, [0, 1])
    np.testing.assert_allclose([weights[labels == label].sum() for label in range(4)], [1, 1, 0.5, 1])


def test_classes_are_drawn_alike(generator: torch.Generator) -> None:
    found = shares(class_weights(LABELS), LABELS.tolist(), generator)
    assert found == pytest.approx({0: 1 / 3, 1: 1 / 3, 2: 1 / 3}, abs=0.01)


def test_corpora_are_drawn_by_their_shares_and_classes_alike_within_each(generator: torch.Generator) -> None:
    keys = list(zip(CORPORA, LABELS.tolist(), strict=True))
    found = shares(corpus_weights(LABELS, CORPORA, SHARES), keys, generator)
    assert found == pytest.approx({key: {"big": 1 / 4, "small": 1 / 12}[key[0]] for key in keys}, abs=0.01)


def test_a_corpus_that_lacks_a_class_keeps_its_share() -> None:
    labels = torch.tensor([0, 1, 2, 3, 0, 1])
    corpora = ["whole"] * 4 + ["half"] * 2
    weights = corpus_weights(labels, corpora, {"whole": 1.0, "half": 1.0})
    assert (weights[:4].sum() / weights[4:].sum()).item() == pytest.approx(1.0)


@pytest.mark.parametrize(("draws", "batch", "steps"), [(10, 5, 2), (11, 5, 2), (14, 5, 2), (5, 5, 1), (4, 5, 0)])
def test_the_last_short_batch_is_left_out(generator: torch.Generator, draws: int, batch: int, steps: int) -> None:
    indices = batches(class_weights(LABELS), draws, batch, generator)
    assert (indices.dtype, tuple(indices.shape)) == (torch.int64, (steps, batch))


def test_batches_are_the_draws_in_their_order() -> None:
    weights = class_weights(LABELS)
    drawn = torch.multinomial(weights, 23, replacement=True, generator=torch.Generator().manual_seed(7))
    found = batches(weights, 23, 5, torch.Generator().manual_seed(7))
    assert found.flatten().tolist() == drawn[:20].tolist()


def test_draws_repeat_with_their_generator() -> None:
    first, again, other = (
        batches(class_weights(LABELS), 100, 10, torch.Generator().manual_seed(seed)) for seed in (7, 7, 8)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
