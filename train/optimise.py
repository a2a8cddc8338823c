"""One stage's training: AdamW over epochs, written to disk after each, so that a kill costs at most one epoch.

Every random draw of an epoch comes from (seed, epoch), so a resumed run repeats what the killed one would have done.
"""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn

from edge.errors import UsageError

from .checkpoint import read_tensors, write_tensors
from .config import Config, Schedule
from .sampling import batches

console = Console(soft_wrap=True)

LARGEST_GRADIENT = 5.0

Loss = Callable[[Tensor, torch.Generator], Tensor]
"""Indices int64 `[batch]` and the epoch's generator -> the loss to be lowered."""
Check = Callable[[], dict[str, float]]


class Stage(NamedTuple):
    """One part of the training, kept in one file."""

    name: str
    schedule: Schedule
    seed: int
    identity: str
    """All that decides what comes out: a file of another identity is not gone on with."""
    path: Path


def make_stage(config: Config, name: Literal["faces", "voices", "fusion"], run: Path, inputs: str = "") -> Stage:
    """A configuration's stage in the folder `run`; `inputs` identifies what earlier stages hand to it."""
    schedule: Schedule = getattr(config, name)
    shared = (config.labels, config.seed, config.sound, config.picture, config.voice_crop_s, config.widths, config.data)
    own = (schedule, config.fusion_weights, inputs) if name == "fusion" else (schedule,)
    identity = msgspec.json.encode((*shared, *own)).decode()
    return Stage(name, schedule, config.seed, identity, run / f"{name}.safetensors")


def optimise(stage: Stage, model: nn.Module, weights: Tensor, loss: Loss, check: Check) -> None:
    """Train `model` in place, or load it from the stage's file where an earlier run finished it.

    Examples are drawn by `weights` `[N]`. `check` runs after each epoch, for the log alone: no epoch is chosen by it.
    """
    name, schedule, seed = stage.name, stage.schedule, stage.seed
    groups = [
        {"params": [p for p in model.parameters() if p.ndim > 1], "weight_decay": schedule.weight_decay},
        {"params": [p for p in model.parameters() if p.ndim <= 1], "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=schedule.learning_rate)
    done = resume(stage, model, optimiser)
    steps = schedule.draws // schedule.batch
    for epoch in range(done, schedule.epochs):
        started = time.monotonic()
        generator = torch.Generator().manual_seed(seed * 10_007 + epoch)
        torch.manual_seed(seed * 10_007 + epoch)
        model.train()
        losses = []
        with progress_bar() as progress:
            bar = progress.add_task(f"{name} {epoch + 1}/{schedule.epochs}", total=steps)
            for step, indices in enumerate(batches(weights, schedule.draws, schedule.batch, generator)):
                for group in optimiser.param_groups:
                    group["lr"] = learning_rate(schedule, epoch + step / steps)
                with torch.autocast("cpu", dtype=torch.bfloat16, enabled=schedule.precision == "bf16"):
                    value = loss(indices, generator)
                optimiser.zero_grad()
                value.backward()
                nn.utils.clip_grad_norm_(model.parameters(), LARGEST_GRADIENT)
                optimiser.step()
                losses.append(value.detach())
                progress.advance(bar)
        model.eval()
        with torch.no_grad():
            figures = {"loss": torch.stack(losses).mean().item(), **check()}
        save(stage, model, optimiser, epoch + 1)
        seconds = time.monotonic() - started
        left = seconds * (schedule.epochs - epoch - 1) / 60
        shown = "  ".join(f"{key} {value:.4f}" for key, value in figures.items())
        console.print(f"{name} {epoch + 1}/{schedule.epochs}  {shown}  {seconds:.0f} s, {left:.0f} min left")
    model.eval()


def learning_rate(schedule: Schedule, epoch: float) -> float:
    """Linear warm-up, then half a cosine to zero, at a fractional epoch."""
    if epoch < schedule.warmup_epochs:
        return schedule.learning_rate * (epoch + 0.01) / (schedule.warmup_epochs + 0.01)
    done = (epoch - schedule.warmup_epochs) / max(schedule.epochs - schedule.warmup_epochs, 1e-9)
    return schedule.learning_rate * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))


def save(stage: Stage, model: nn.Module, optimiser: torch.optim.Optimizer, epochs: int) -> None:
    """Weights, the optimiser's moments and the epoch count, in one file."""
    tensors = {f"model.{key}": value for key, value in model.state_dict().items()}
    for index, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{key}": torch.as_tensor(value) for key, value in state.items()}
    write_tensors(stage.path, tensors, {"epochs": str(epochs), "identity": stage.identity})


def resume(stage: Stage, model: nn.Module, optimiser: torch.optim.Optimizer) -> int:
    """Epochs already done, loaded into `model` and `optimiser`; 0 where there is nothing."""
    if not stage.path.is_file():
        return 0
    tensors, about = read_tensors(stage.path)
    if about.get("identity") != stage.identity:
        raise UsageError(
            f"{stage.path} was trained with another configuration, or on other encoders; "
            "choose another --run or delete the file"
        )
    model.load_state_dict({key.removeprefix("model."): t for key, t in tensors.items() if key.startswith("model.")})
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        if key.startswith("optimiser."):
            _, index, field = key.split(".")
            state.setdefault(int(index), {})[field] = tensor
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
    console.print(f"{stage.name}: {about['epochs']} of {stage.schedule.epochs} epochs found in {stage.path}")
    return int(about["epochs"])


def progress_bar() -> Progress:
    """A bar for one epoch, shown on a terminal only."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
