"""File of a stage: weights, the optimiser's moments and the progress, so that a killed run can be resumed."""

from pathlib import Path
from typing import NamedTuple

import msgspec
import torch
from torch import Tensor, nn

from edge.errors import UsageError

from .config import Schedule
from .tensors import read_tensors, write_tensors


class Stage(NamedTuple):
    """Part of the training that is saved in one file."""

    name: str
    schedule: Schedule
    seed: int
    identity: str
    """Everything that decides the result; a file of another identity is not resumed."""
    path: Path
    best: str | None = None
    """Figure by which the best epoch is chosen; None if the last epoch is taken."""

    @property
    def best_path(self) -> Path:
        """Path of the best epoch's weights."""
        return self.path.with_suffix(".best.safetensors")


class StageProgress(msgspec.Struct, frozen=True):
    """Progress of a stage."""

    epoch: int = 0
    """Number of completed epochs."""
    step: int = 0
    """Number of completed steps of the next epoch."""
    sums: dict[str, float | None] = {}
    """Sums of the losses of those steps; None in JSON for a number that is not finite."""
    best: float = -1.0
    """The best figure so far."""


class State(NamedTuple):
    """Objects that a stage's training changes."""

    model: nn.Module
    optimiser: torch.optim.Optimizer
    scaler: torch.amp.GradScaler


def identity(*parts: object) -> str:
    """Return configurations and names as JSON, as in a stage's file."""
    return msgspec.json.encode(parts).decode()


def save(stage: Stage, state: State, place: StageProgress) -> None:
    """Write everything that `resume` needs to one file."""
    tensors = {f"model.{key}": value for key, value in state.model.state_dict().items()}
    for index, moments in state.optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{key}": torch.as_tensor(value) for key, value in moments.items()}
    about = {"identity": stage.identity, "place": identity(place), "scaler": identity(state.scaler.state_dict())}
    write_tensors(stage.path, tensors, about)


def resume(stage: Stage, state: State) -> StageProgress:
    """Load the weights and moments of an earlier run and return its progress; that of a new stage if there is none."""
    if not stage.path.is_file():
        return StageProgress()
    tensors, about = read_tensors(stage.path)
    if about.get("identity") != stage.identity:
        raise UsageError(
            f"{stage.path} was trained with another configuration, or on other encoders; "
            "choose another --run or delete the file"
        )
    state.model.load_state_dict({k.removeprefix("model."): t for k, t in tensors.items() if k.startswith("model.")})
    moments: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        if key.startswith("optimiser."):
            _, index, field = key.split(".")
            moments.setdefault(int(index), {})[field] = tensor
    groups = state.optimiser.state_dict()["param_groups"]
    state.optimiser.load_state_dict({"state": moments, "param_groups": groups})
    state.scaler.load_state_dict(msgspec.json.decode(about["scaler"])[0])
    (place,) = msgspec.json.decode(about["place"], type=tuple[StageProgress])
    return place
