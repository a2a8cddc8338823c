"""Training survives being killed: a resumed run repeats what the killed one would have done."""

import math
from pathlib import Path

import msgspec
import pytest
import torch
from torch import Tensor, nn

from edge.errors import UsageError
from train import optimise as stage
from train.checkpoint import read_tensors
from train.config import Schedule
from train.optimise import Stage, learning_rate, optimise

SCHEDULE = Schedule(epochs=4, batch=4, draws=20, learning_rate=1e-2)
STEPS = SCHEDULE.draws // SCHEDULE.batch
X = torch.randn(32, 6, generator=torch.Generator().manual_seed(0))
Y = X.sum(dim=1, keepdim=True).sin()


def network() -> nn.Module:
    """With dropout and running statistics, so that every kind of state counts."""
    torch.manual_seed(5)
    return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 1))


class Training:
    """One run of a stage that can be killed at a step."""

    def __init__(self, path: Path, killed_at: int | None = None, schedule: Schedule = SCHEDULE) -> None:
        self.model, self.path, self.schedule = network(), path, schedule
        self.steps, self.checks, self.killed_at = 0, 0, killed_at

    def loss(self, indices: Tensor, generator: torch.Generator) -> Tensor:
        if self.steps == self.killed_at:
            raise KeyboardInterrupt
        self.steps += 1
        assert self.model.training
        noise = torch.randn(len(indices), 6, generator=generator) / 10
        return (self.model(X[indices] + noise) - Y[indices]).square().mean()

    def check(self) -> dict[str, float]:
        self.checks += 1
        assert not self.model.training
        assert not torch.is_grad_enabled()
        return {"error": (self.model(X) - Y).square().mean().item()}

    def run(self) -> dict[str, Tensor]:
        stage = Stage("stage", self.schedule, 1234, repr(self.schedule), self.path)
        optimise(stage, self.model, torch.ones(len(X)), self.loss, self.check)
        assert not self.model.training
        return self.model.state_dict()


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tensor]:
    return Training(tmp_path_factory.mktemp("whole") / "stage.safetensors").run()


@pytest.mark.parametrize("killed_at", [0, 2, STEPS, STEPS + 3, 3 * STEPS + 1])
def test_killed_and_run_again_it_ends_where_the_uninterrupted_run_ends(
    tmp_path: Path, uninterrupted: dict[str, Tensor], killed_at: int
) -> None:
    path = tmp_path / "stage.safetensors"
    with pytest.raises(KeyboardInterrupt):
        Training(path, killed_at).run()
    again = Training(path)
    found = again.run()
    assert again.steps == (SCHEDULE.epochs - killed_at // STEPS) * STEPS
    assert {key: value.tolist() for key, value in found.items()} == {
        key: value.tolist() for key, value in uninterrupted.items()
    }


def test_a_finished_stage_is_loaded_and_not_trained(tmp_path: Path, uninterrupted: dict[str, Tensor]) -> None:
    Training(tmp_path / "stage.safetensors").run()
    again = Training(tmp_path / "stage.safetensors")
    found = again.run()
    assert (again.steps, again.checks) == (0, 0)
    assert all(torch.equal(found[key], uninterrupted[key]) for key in uninterrupted)


def test_each_epoch_is_written_and_checked_once(tmp_path: Path) -> None:
    training = Training(tmp_path / "stage.safetensors", killed_at=2 * STEPS)
    with pytest.raises(KeyboardInterrupt):
        training.run()
    assert training.checks == 2
    assert read_tensors(training.path)[1]["epochs"] == "2"


@pytest.mark.parametrize("changed", [{"epochs": 5}, {"batch": 8}, {"learning_rate": 2e-2}, {"precision": "bf16"}])
def test_another_schedule_is_refused(tmp_path: Path, changed: dict) -> None:
    path = tmp_path / "stage.safetensors"
    with pytest.raises(KeyboardInterrupt):
        Training(path, killed_at=STEPS).run()
    other = Training(path, schedule=msgspec.structs.replace(SCHEDULE, **changed))
    with pytest.raises(UsageError, match=r"stage\.safetensors was trained with another configuration.*--run"):
        other.run()
    assert other.steps == 0


def test_training_lowers_the_loss(tmp_path: Path) -> None:
    training = Training(tmp_path / "s.safetensors", schedule=msgspec.structs.replace(SCHEDULE, epochs=30))
    before = training.model.eval()(X).sub(Y).square().mean().item()
    training.run()
    assert training.model(X).sub(Y).square().mean().item() < 0.7 * before


def test_only_matrices_decay(tmp_path: Path) -> None:
    model = nn.Linear(2, 2)
    nn.init.ones_(model.weight)
    nn.init.ones_(model.bias)
    schedule = Schedule(epochs=1, batch=1, draws=1, learning_rate=0.1, warmup_epochs=0.0, weight_decay=0.5)
    nothing = lambda *_: 0.0 * (model.weight.sum() + model.bias.sum())  # noqa: E731
    part = Stage("s", schedule, 0, "", tmp_path / "s.safetensors")
    optimise(part, model, torch.ones(1), nothing, dict)
    assert model.weight.flatten().tolist() == pytest.approx([0.95] * 4)
    assert model.bias.tolist() == [1.0, 1.0]


def test_gradients_are_clipped(tmp_path: Path) -> None:
    model = nn.Linear(3, 1, bias=False)
    schedule = Schedule(epochs=1, batch=1, draws=1, learning_rate=0.1)

    def steep(*_: object) -> Tensor:
        return model(torch.tensor([[300.0, 0.0, 400.0]])).sum()

    part = Stage("s", schedule, 0, "", tmp_path / "s.safetensors")
    optimise(part, model, torch.ones(1), steep, dict)
    assert model.weight.grad is not None
    torch.testing.assert_close(model.weight.grad, torch.tensor([[3.0, 0.0, 4.0]]) / 5 * stage.LARGEST_GRADIENT)


@pytest.mark.parametrize(
    ("epoch", "share"),
    [
        (0.0, 0.01 / 1.01),
        (0.5, 0.51 / 1.01),
        (1.0, 1.0),
        (2.0, (1 + math.cos(math.pi / 4)) / 2),
        (3.0, 0.5),
        (5.0, 0.0),
        (6.0, 0.0),
    ],
)
def test_the_learning_rate_warms_up_and_falls_along_a_cosine(epoch: float, share: float) -> None:
    schedule = msgspec.structs.replace(SCHEDULE, epochs=5, warmup_epochs=1.0)
    assert learning_rate(schedule, epoch) == pytest.approx(1e-2 * share, abs=1e-12)
