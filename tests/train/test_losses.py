"""AVEL and MEM against numpy."""

import numpy as np
import pytest
import torch

from train.losses import avel_loss, hard_negatives, mem_loss, similarity

LABELS = torch.tensor([0, 1, 1, 2, 0, 1])
DRAWS = 3000


@pytest.fixture
def scores() -> torch.Tensor:
    return torch.randn(6, 6, generator=torch.Generator().manual_seed(3)) * 1.5


def log_softmax(x: np.ndarray) -> np.ndarray:
    return x - np.log(np.exp(x).sum(axis=1, keepdims=True))


def test_similarity_is_the_scaled_cosine() -> None:
    generator = np.random.default_rng(0)
    audio, video = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in generator.normal(size=(2, 5, 8)))
    found = similarity(torch.from_numpy(audio), torch.from_numpy(video), torch.tensor(14.0)).numpy()
    expected = [[14 * sum(a * v) for v in video] for a in audio]
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_avel_averages_the_log_likelihood_of_each_rows_positives(scores: torch.Tensor) -> None:
    labels = LABELS.numpy()
    rows = []
    for direction in (scores.numpy(), scores.numpy().T):
        logs = log_softmax(direction.astype(np.float64))
        rows += [-logs[i][labels == labels[i]].mean() for i in range(len(labels))]
    assert avel_loss(scores, LABELS).item() == pytest.approx(np.mean(rows), rel=1e-5)


def test_avel_of_all_different_labels_is_symmetric_infonce(scores: torch.Tensor) -> None:
    logs = [log_softmax(direction.astype(np.float64)).diagonal() for direction in (scores.numpy(), scores.numpy().T)]
    assert avel_loss(scores, torch.arange(6)).item() == pytest.approx(-np.mean(logs), rel=1e-5)


def test_avel_is_lowest_where_labels_agree() -> None:
    agree = (LABELS[:, None] == LABELS[None]).float()
    assert avel_loss(20 * agree, LABELS) < avel_loss(0 * agree, LABELS) < avel_loss(-20 * agree, LABELS)


def drawn(scores: torch.Tensor, generator: torch.Generator) -> np.ndarray:
    """How often each index was drawn, `[2, 6, 6]`: pictures for each sound, sounds for each picture."""
    counts = np.zeros((2, 6, 6))
    for _ in range(DRAWS):
        for direction, indices in enumerate(hard_negatives(scores, LABELS, generator)):
            counts[direction, np.arange(6), indices.numpy()] += 1
    return counts


def test_hard_negatives_follow_the_softmax_over_other_labels(scores: torch.Tensor, generator: torch.Generator) -> None:
    counts = drawn(scores, generator)
    same = (LABELS[:, None] == LABELS[None]).numpy()
    for found, direction in zip(counts, (scores.numpy(), scores.numpy().T), strict=True):
        chances = np.where(same, 0.0, np.exp(direction.astype(np.float64)))
        chances /= chances.sum(axis=1, keepdims=True)
        assert not found[same].any()
        spread = np.sqrt(DRAWS * chances * (1 - chances))
        assert (np.abs(found - DRAWS * chances) <= 4 * spread + 1).all()


def test_hard_negatives_repeat_with_their_generator(scores: torch.Tensor) -> None:
    first, second = (hard_negatives(scores, LABELS, torch.Generator().manual_seed(5)) for _ in range(2))
    assert [part.tolist() for part in first] == [part.tolist() for part in second]


def test_no_gradient_passes_through_the_draw(scores: torch.Tensor, generator: torch.Generator) -> None:
    assert not any(part.requires_grad for part in hard_negatives(scores.requires_grad_(), LABELS, generator))


def test_a_batch_of_one_label_has_no_hard_negatives(scores: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="at least two labels"):
        hard_negatives(scores, torch.ones(6, dtype=torch.int64))


def test_mem_is_the_mean_cross_entropy_of_both_directions() -> None:
    generator = np.random.default_rng(0)
    audio, video = generator.normal(size=(2, 9, 2))
    same = generator.integers(0, 2, 9)
    likelihoods = [log_softmax(logits)[np.arange(9), same] for logits in (audio, video)]
    found = mem_loss(torch.from_numpy(audio), torch.from_numpy(video), torch.from_numpy(same)).item()
    assert found == pytest.approx(-np.mean(likelihoods))
