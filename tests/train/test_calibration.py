"""The temperature against a search over a fine grid."""

import numpy as np
import pytest
import torch

from edge.errors import UsageError
from train.calibration import HIGHEST, LOWEST, fit_common_temperature, fit_factors, fit_temperature, remark_on

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


def test_a_model_that_is_always_right_gets_the_lowest_temperature() -> None:
    labels = torch.arange(40) % 4
    logits = torch.nn.functional.one_hot(labels).float()
    assert fit_temperature(logits, labels, torch.ones(40)) == LOWEST


def test_evaluations_of_any_size_weigh_the_same_in_a_common_temperature() -> None:
    logits, labels, _ = example(1.0)
    parts = [(3 * logits[:500], labels[:500]), (0.5 * logits[500:], labels[500:])]
    weights = torch.cat([torch.full((500,), 1 / 500), torch.full((100,), 1 / 100)]).double()
    joined = torch.cat([part[0] for part in parts])
    expected = best_on_the_grid(joined.numpy(), labels.numpy(), weights.numpy())
    assert fit_common_temperature(parts) == pytest.approx(expected, rel=2e-3)
    assert fit_common_temperature(parts[::-1]) == pytest.approx(expected, rel=2e-3)
    # An evaluation that is there five times over, as rows, still weighs as one.
    repeated = [parts[0], (parts[1][0].repeat(5, 1), parts[1][1].repeat(5))]
    assert fit_common_temperature(repeated) == pytest.approx(fit_common_temperature(parts), rel=1e-5)
    alone = [fit_common_temperature([part]) for part in parts]
    assert min(alone) < fit_common_temperature(parts) < max(alone)


def test_a_common_temperature_of_one_evaluation_is_its_own() -> None:
    logits, labels, _ = example(2.0)
    assert fit_common_temperature([(logits, labels)]) == pytest.approx(
        fit_temperature(logits, labels, torch.ones(600, dtype=torch.float64)), rel=1e-5
    )


def test_logits_in_half_precision_are_fitted_too() -> None:
    logits, labels, _ = example(2.0)
    expected = fit_common_temperature([(logits, labels)])
    assert fit_common_temperature([(logits.half(), labels)]) == pytest.approx(expected, rel=1e-2)


def test_a_temperature_at_a_limit_is_remarked_on() -> None:
    lowest, highest = remark_on(LOWEST), remark_on(HIGHEST)
    assert lowest is not None
    assert highest is not None
    assert lowest.startswith("temperature 0.05 is the lowest that is fitted: (nearly) all")
    assert highest.startswith("temperature 20 is the highest that is fitted: ")
    assert "no better than a guess" in highest
    assert [remark_on(temperature) for temperature in (0.051, 1.0, 19.9)] == [None] * 3


def test_a_training_that_diverged_has_no_temperature() -> None:
    logits, labels, weights = example(1.0)
    logits[3, 1] = torch.nan
    with pytest.raises(
        UsageError, match=r"not finite numbers: its training has diverged; choose a smaller learning_rate"
    ):
        fit_temperature(logits, labels, weights)


def test_factors_bring_back_terms_that_were_made_too_sure_or_too_shy() -> None:
    """The truth follows the sum of three terms; each is then scaled, and one of noise is added."""
    generator = torch.Generator().manual_seed(1)
    terms = torch.randn(8000, 4, 5, generator=generator)
    labels = torch.multinomial(terms[:, :3].sum(dim=1).softmax(dim=1), 1, generator=generator)[:, 0]
    scales = torch.tensor([2.0, 0.5, 4.0, 1.0])
    factors = fit_factors(terms * scales[:, None], labels, torch.ones(8000, dtype=torch.float64))
    # 8,000 labels give each term to a few hundredths; noise is worth nothing, so that its factor is the least there is
    np.testing.assert_allclose(factors * scales, [1.0, 1.0, 1.0, 1 / HIGHEST], atol=0.08)


def test_one_factor_is_the_inverse_temperature() -> None:
    logits, labels, weights = example(3.0)
    (factor,) = fit_factors(logits[:, None], labels, weights).tolist()
    assert factor == pytest.approx(1 / fit_temperature(logits, labels, weights), rel=1e-4)
