"""AVEL and MEM against numpy."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from tests.train import published_reference
from train.losses import avel_loss, hard_negatives, mem_loss, similarity, similarity_scale

LABELS = torch.tensor([0, 1, 1, 2, 0, 1])
DRAWS = 3000
BELOW_ONE = {kind: float(np.nextafter(kind(1), kind(0))) for kind in (np.float32, np.float64)}
"""The largest number of each kind that a draw can be."""


@pytest.fixture
def scores() -> torch.Tensor:
    return torch.randn(6, 6, generator=torch.Generator().manual_seed(3)) * 1.5


def embeddings(rows: int, seed: int) -> np.ndarray:
    drawn = np.random.default_rng(seed).normal(size=(rows, 8))
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def test_similarity_is_the_scaled_cosine() -> None:
    queries, keys = embeddings(3, 0), embeddings(5, 1)
    found = similarity(torch.from_numpy(queries), torch.from_numpy(keys), torch.tensor(14.0)).numpy()
    expected = [[14 * sum(q * k) for k in keys] for q in queries]
    np.testing.assert_allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize("learned", [-1.0, 0.0, 2.66, 4.6, 4.7, 90.0])
def test_the_learned_number_is_a_logarithm_and_the_scale_at_most_a_hundred(learned: float) -> None:
    found = similarity_scale(torch.tensor(learned)).item()
    assert found == pytest.approx(min(math.exp(learned), 100.0), rel=1e-5)


def test_as_published_the_learned_number_divides_and_similarities_stay_within_038() -> None:
    scale = similarity_scale(torch.tensor(math.log(1 / 0.07)), "divides").item()
    assert scale == pytest.approx(0.376, abs=1e-3)
    assert similarity_scale(torch.tensor(200.0), "divides").item() == pytest.approx(1 / 200)


@pytest.mark.parametrize(
    ("positives", "reference"),
    [("mean", published_reference.right_avel_loss), ("sum", published_reference.published_avel_loss)],
)
def test_avel_is_the_log_likelihood_of_each_rows_positives(
    scores: torch.Tensor, positives: str, reference: Callable[..., float]
) -> None:
    found = avel_loss(scores, scores.T, LABELS, LABELS, positives).item()
    assert found == pytest.approx(reference(scores.numpy().astype(np.float64), LABELS.tolist()), rel=1e-5)


def test_without_a_word_avel_averages_over_positives(scores: torch.Tensor) -> None:
    default = avel_loss(scores, scores.T, LABELS, LABELS)
    assert torch.equal(default, avel_loss(scores, scores.T, LABELS, LABELS, "mean"))
    assert not torch.equal(default, avel_loss(scores, scores.T, LABELS, LABELS, "sum"))


@pytest.mark.parametrize("positives", ["mean", "sum"])
def test_avel_of_all_different_labels_is_symmetric_infonce(scores: torch.Tensor, positives: str) -> None:
    everyone = torch.arange(6)
    expected = [torch.nn.functional.cross_entropy(direction.double(), everyone) for direction in (scores, scores.T)]
    found = avel_loss(scores, scores.T, everyone, everyone, positives).item()
    assert found == pytest.approx(sum(expected).item() / 2, rel=1e-5)


@pytest.mark.parametrize("positives", ["mean", "sum"])
def test_avel_of_some_rows_is_their_part_of_the_whole(scores: torch.Tensor, positives: str) -> None:
    parts = [
        avel_loss(scores[rows], scores.T[rows], LABELS[rows], LABELS, positives)
        for rows in (slice(0, 2), slice(2, 4), slice(4, 6))
    ]
    whole = avel_loss(scores, scores.T, LABELS, LABELS, positives)
    torch.testing.assert_close(torch.stack(parts).mean(), whole)


def test_avel_is_lowest_where_labels_agree() -> None:
    agree = (LABELS[:, None] == LABELS[None]).float()
    high, none, low = (avel_loss(part, part, LABELS, LABELS) for part in (20 * agree, 0 * agree, -20 * agree))
    assert high < none < low


def test_avel_is_summed_up_in_single_precision(scores: torch.Tensor) -> None:
    half = (8 * scores).to(torch.bfloat16)
    found = avel_loss(half, half.T, LABELS, LABELS)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, avel_loss(half.float(), half.float().T, LABELS, LABELS))


@pytest.mark.parametrize("direction", ["pictures for sounds", "sounds for pictures"])
def test_hard_negatives_follow_the_softmax_over_other_labels(scores: torch.Tensor, direction: str) -> None:
    scores = scores if direction == "pictures for sounds" else scores.T
    generator = torch.Generator().manual_seed(1234)
    found = np.zeros((6, 6))
    for _ in range(DRAWS):
        drawn = hard_negatives(scores, LABELS, LABELS, torch.rand(6, generator=generator))
        found[np.arange(6), drawn.numpy()] += 1
    same = (LABELS[:, None] == LABELS[None]).numpy()
    chances = np.where(same, 0.0, np.exp(scores.numpy().astype(np.float64)))
    chances /= chances.sum(axis=1, keepdims=True)
    assert not found[same].any()
    spread = np.sqrt(DRAWS * chances * (1 - chances))
    assert (np.abs(found - DRAWS * chances) <= 4 * spread + 1).all()


def test_hard_negatives_are_where_the_softmax_added_up_passes_the_draw(scores: torch.Tensor) -> None:
    for uniform in torch.rand(50, 6, generator=torch.Generator().manual_seed(2)):
        expected = published_reference.hard_negatives(scores.double().numpy(), LABELS.tolist(), uniform.tolist())
        assert hard_negatives(scores, LABELS, LABELS, uniform).tolist() == expected


@pytest.mark.parametrize("uniform", [0.0, *BELOW_ONE.values()])
@pytest.mark.parametrize("scale", [0.0, 1.0, 30.0, 100.0])
def test_a_negative_is_of_another_label_whatever_is_drawn(uniform: float, scale: float) -> None:
    generator = torch.Generator().manual_seed(4)
    for _ in range(40):
        labels = torch.randint(3, (16,), generator=generator)
        scores = scale * (2 * torch.rand(16, 16, generator=generator) - 1)
        drawn = hard_negatives(scores, labels, labels, torch.full((16,), uniform, dtype=torch.float64))
        assert (labels[drawn] != labels).all()


@pytest.mark.parametrize(("uniform", "expected"), [(0.0, [1, 0, 1, 0]), (BELOW_ONE[np.float32], [3, 2, 3, 2])])
def test_the_least_draw_is_the_first_negative_and_the_largest_the_last(uniform: float, expected: list[int]) -> None:
    labels = torch.tensor([0, 1, 0, 1])
    assert hard_negatives(torch.zeros(4, 4), labels, labels, torch.full((4,), uniform)).tolist() == expected


def test_a_row_draws_among_those_of_all_processes(scores: torch.Tensor) -> None:
    uniform = torch.rand(6, generator=torch.Generator().manual_seed(5))
    whole = hard_negatives(scores, LABELS, LABELS, uniform)
    part = hard_negatives(scores[2:4], LABELS[2:4], LABELS, uniform[2:4])
    assert torch.equal(part, whole[2:4])


def test_no_gradient_passes_through_the_draw(scores: torch.Tensor) -> None:
    assert not hard_negatives(scores.requires_grad_(), LABELS, LABELS, torch.zeros(6)).requires_grad


def test_a_batch_of_one_label_has_no_hard_negatives(scores: torch.Tensor) -> None:
    ones = torch.ones(6, dtype=torch.int64)
    with pytest.raises(ValueError, match="hard negatives need at least two labels in a batch"):
        hard_negatives(scores, ones, ones, torch.zeros(6))


def test_mem_is_the_mean_cross_entropy_of_both_directions_true_pairs_first() -> None:
    audio, video = np.random.default_rng(0).normal(size=(2, 8, 2))
    same = [1, 1, 1, 1, 0, 0, 0, 0]
    expected = [published_reference.cross_entropy(logits, same) for logits in (audio, video)]
    assert mem_loss(torch.from_numpy(audio), torch.from_numpy(video)).item() == pytest.approx(np.mean(expected))


def test_mem_is_lowest_where_true_pairs_and_negatives_are_told_apart() -> None:
    right = torch.tensor([[-9.0, 9.0], [-9.0, 9.0], [9.0, -9.0], [9.0, -9.0]])
    assert mem_loss(right, right).item() == pytest.approx(0.0, abs=1e-6)
    assert mem_loss(0 * right, 0 * right).item() == pytest.approx(math.log(2))
    assert mem_loss(right, -right).item() == pytest.approx(9.0, abs=1e-6)
