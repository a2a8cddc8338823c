"""A stage's file: everything there, nothing of another stage."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from edge.errors import UsageError
from train.config import Schedule
from train.stage import Stage, StageProgress, State, identity, resume, save
from train.tensors import read_tensors

SCHEDULE = Schedule(epochs=2, batch=1, learning_rate=0.1)
PLACE = StageProgress(epoch=3, step=7, sums={"loss": 0.1 + 0.2, "avel": 1e-300}, best=2 / 3)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(
        "fusion", SCHEDULE, 1234, identity(SCHEDULE, "these encoders"), tmp_path / "run" / "fusion.safetensors"
    )


def state(steps: int, seed: int = 0, precision: str = "fp16") -> State:
    """A network after some steps, with a frozen part, a part without a gradient and running statistics."""
    torch.manual_seed(seed)
    model = nn.ModuleDict({"used": nn.Linear(3, 2), "norm": nn.BatchNorm1d(2), "unused": nn.Linear(2, 2)})
    model["norm"].weight.requires_grad_(False)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    made = State(model, torch.optim.AdamW(trained, lr=0.1), torch.amp.GradScaler("cpu", enabled=precision == "fp16"))
    for _ in range(steps):
        step(made)
    return made


def step(changed: State) -> None:
    changed.optimiser.zero_grad()
    loss = changed.model["norm"](changed.model["used"](torch.randn(4, 3))).pow(3).mean()
    changed.scaler.scale(loss).backward()
    changed.scaler.step(changed.optimiser)
    changed.scaler.update()


def moments(made: State) -> dict[str, Tensor]:
    found = made.optimiser.state_dict()["state"]
    return {f"{index} {name}": tensor for index, fields in found.items() for name, tensor in fields.items()}


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_what_is_saved_is_found_again_to_the_bit(stage: Stage, precision: str) -> None:
    saved, fresh = state(4, precision=precision), state(0, seed=1, precision=precision)
    save(stage, saved, PLACE)
    assert resume(stage, fresh) == PLACE
    for found, expected in (
        (fresh.model.state_dict(), saved.model.state_dict()),
        (moments(fresh), moments(saved)),
    ):
        assert found.keys() == expected.keys()
        assert all(torch.equal(found[key], expected[key]) for key in expected)
    assert len(moments(fresh)) == 3 * 3, "of the weight and bias that are used, and the norm's bias"
    assert fresh.scaler.state_dict() == saved.scaler.state_dict()
    for made in (saved, fresh):
        torch.manual_seed(2)
        step(made)
    assert torch.equal(fresh.model["used"].weight, saved.model["used"].weight)


def test_a_resumed_optimiser_keeps_its_own_settings(stage: Stage) -> None:
    save(stage, state(2), StageProgress())
    fresh = state(0)
    fresh.optimiser.param_groups[0]["lr"] = 0.7
    resume(stage, fresh)
    assert fresh.optimiser.param_groups[0]["lr"] == 0.7


def test_without_a_file_it_is_the_beginning(stage: Stage) -> None:
    fresh, untouched = state(0), state(0)
    assert resume(stage, fresh) == StageProgress(epoch=0, step=0, sums={}, best=-1.0)
    assert torch.equal(fresh.model["used"].weight, untouched.model["used"].weight)
    assert not stage.path.parent.exists()


def test_a_file_of_another_identity_is_refused_and_nothing_loaded(stage: Stage) -> None:
    save(stage, state(2), PLACE)
    fresh, untouched = state(0, seed=1), state(0, seed=1)
    other = stage._replace(identity=identity(SCHEDULE, "other encoders"))
    with pytest.raises(
        UsageError, match=r"fusion\.safetensors was trained with another configuration.*delete the file"
    ):
        resume(other, fresh)
    assert torch.equal(fresh.model["used"].weight, untouched.model["used"].weight)


def test_a_damaged_file_is_refused(stage: Stage) -> None:
    save(stage, state(2), PLACE)
    stage.path.write_bytes(stage.path.read_bytes()[:-10])
    with pytest.raises(UsageError, match=r"fusion\.safetensors is not a safetensors file"):
        resume(stage, state(0))


def test_a_save_that_fails_leaves_the_one_before(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    save(stage, state(2), PLACE)
    before = stage.path.read_bytes()

    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("train.tensors.os.replace", full)
    with pytest.raises(OSError, match="no space"):
        save(stage, state(3), StageProgress(epoch=4))
    assert stage.path.read_bytes() == before


def test_the_file_says_whose_it_is(stage: Stage) -> None:
    save(stage, state(1), PLACE)
    tensors, about = read_tensors(stage.path)
    assert about["identity"] == stage.identity
    assert {key.split(".")[0] for key in tensors} == {"model", "optimiser"}
    assert [file.name for file in stage.path.parent.iterdir()] == ["fusion.safetensors"]


def test_the_best_weights_lie_beside_the_stage(stage: Stage) -> None:
    assert stage.best_path == stage.path.parent / "fusion.best.safetensors"


def test_identities_tell_apart_what_differs() -> None:
    parts = [
        (SCHEDULE, "a"),
        (SCHEDULE, "b"),
        (Schedule(epochs=2, batch=1, learning_rate=0.1000001), "a"),
        (SCHEDULE, "a", ""),
        ("a", SCHEDULE),
        ("a",),
        (["a"],),
    ]
    assert len({identity(*each) for each in parts}) == len(parts)
    assert identity(SCHEDULE, "a") == identity(Schedule(epochs=2, batch=1, learning_rate=0.1), "a")
