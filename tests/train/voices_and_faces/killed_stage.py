"""Stages of training that are killed and started again."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest
import torch
from torch import Tensor

from train.config import Config

EPOCHS, STEPS, BATCH = 3, 3, 8
KILLED_AT = STEPS + 1
"""The step, counted from 0, that is interrupted: the second of the second epoch."""


def with_stage(config: Config, stage: str, **fields: Any) -> Config:
    """A configuration whose recipe has other values for a stage."""
    schedule = msgspec.structs.replace(getattr(config.recipe, stage), **fields)
    return msgspec.structs.replace(config, recipe=msgspec.structs.replace(config.recipe, **{stage: schedule}))


def check_resumed(
    config: Config, stage: str, module: ModuleType, fit: Callable[[Config, Path], dict[str, Tensor]], folder: Path
) -> None:
    """A stage that was killed ends where one ends that was not: `fit` fits it and keeps its state below a path."""
    short = with_stage(config, stage, epochs=EPOCHS, batch=BATCH, draws=STEPS * BATCH)
    whole = fit(short, folder / "whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "cross_entropy", interrupted())
        with pytest.raises(KeyboardInterrupt):
            fit(short, folder / "killed")
    again = fit(short, folder / "killed")
    assert [key for key in whole if not torch.equal(whole[key], again[key])] == []


def interrupted() -> Callable[..., Tensor]:
    """The loss, which is interrupted at a step."""
    steps = []

    def loss(*args: Tensor, **options: Any) -> Tensor:
        steps.append(1)
        if len(steps) > KILLED_AT:
            raise KeyboardInterrupt
        return torch.nn.functional.cross_entropy(*args, **options)

    return loss
