"""The temperature against a search over a fine grid."""

import numpy as np
import pytest
import torch

from train.calibration import HIGHEST, fit_temperature

GRID = np.exp(np.linspace(np.log(0.02), np.log(50), 8001))


def example(scale: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Labels that follow the softmax of logits, which are then made `scale` times too sure."""
    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(600, 4, generator=generator)
    labels = torch.multinomial(logits.softmax(dim=1), 1, generator=generator)[:, 0]
    return scale * logits, labels, torch.rand(600, generator=generator, dtype=torch.float64) + 0.1


def best_on_the_grid(logits: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> float:
    losses = []
    for temperature in GRID:
        scaled = logits.astype(np.float64) / temperature
        scaled -= scaled.max(axis=1, keepdims=True)
        likelihood = scaled[np.arange(len(labels)), labels] - np.log(np.exp(scaled).sum(axis=1))
        losses.append(-(weights * likelihood).sum())
    return float(GRID[np.argmin(losses)])


@pytest.mark.parametrize("scale", [0.1, 1.0, 3.0, 15.0])
def test_it_is_the_best_of_a_fine_grid(scale: float) -> None:
    parts = example(scale)
    expected = best_on_the_grid(*(part.numpy() for part in parts))
    assert fit_temperature(*parts) == pytest.approx(expected, rel=2e-3)
    assert expected == pytest.approx(scale, rel=0.15)


def test_an_example_that_weighs_nothing_does_not_count() -> None:
    logits, labels, weights = example(2.0)
    weights[300:] = 0.0
    half = fit_temperature(logits[:300], labels[:300], weights[:300])
    assert fit_temperature(logits, labels, weights) == pytest.approx(half, rel=1e-6)
    assert fit_temperature(logits, labels, 7 * weights) == pytest.approx(half, rel=1e-5)


def test_a_model_that_knows_nothing_gets_the_highest_temperature() -> None:
    logits, labels, weights = example(1.0)
    assert fit_temperature(-logits, labels, weights) == HIGHEST
