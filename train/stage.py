"""A stage's file: weights, the optimiser's moments, and how far it came, so that it goes on after a kill."""

from pathlib import Path
from typing import NamedTuple

import msgspec
import torch
from torch import Tensor, nn

from edge.errors import UsageError

from .config import Schedule
from .tensors import read_tensors, write_tensors


class Stage(NamedTuple):
    """One part of the training, kept in one file."""

    name: str
    schedule: Schedule
    seed: int
    identity: str
    """All that decides what comes out: a file of another identity is not gone on with."""
    path: Path
    best: str | None = None
    """The figure by which the best epoch's weights are kept apart; None where the last epoch's count."""

    @property
    def best_path(self) -> Path:
        """Where the best epoch's weights are."""
        return self.path.with_suffix(".best.safetensors")


class StageProgress(msgspec.Struct, frozen=True):
    """How far a stage has come."""

    epoch: int = 0
    """Whole epochs done."""
    step: int = 0
    """Steps done of the next epoch."""
    sums: dict[str, float | None] = {}
    """The losses of those steps, summed; JSON has None for what is no finite number."""
    best: float = -1.0
    """The best figure so far."""


class State(NamedTuple):
    """What a stage changes."""

    model: nn.Module
    optimiser: torch.optim.Optimizer
    scaler: torch.amp.GradScaler


def identity(*parts: object) -> str:
    """Configurations and names, as a stage's file has them."""
    return msgspec.json.encode(parts).decode()


def save(stage: Stage, state: State, place: StageProgress) -> None:
    """Write everything that `resume` needs, in one file."""
    tensors = {f"model.{key}": value for key, value in state.model.state_dict().items()}
    for index, moments in state.optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{key}": torch.as_tensor(value) for key, value in moments.items()}
    about = {"identity": stage.identity, "place": identity(place), "scaler": identity(state.scaler.state_dict())}
    write_tensors(stage.path, tensors, about)


def resume(stage: Stage, state: State) -> StageProgress:
    """Where an earlier run came to, its weights and moments loaded; the beginning where there is none."""
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
