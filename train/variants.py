"""The rows of the paper's ablation: what is left out of Foal-Net in each."""

from dataclasses import dataclass
from typing import Literal

import msgspec

from . import config
from .checkpoint import make_fusion
from .config import Config
from .objective import Objective, SingleObjective
from .processes import Processes


@dataclass(frozen=True)
class Variant:
    """One row."""

    name: str
    modality: Literal["audio", "video", "both"] = "both"
    avel: bool = False
    mem: bool = False


BASELINE = Variant("baseline")
FOAL_NET = Variant("baseline + AVEL + MEM", avel=True, mem=True)
VARIANTS = (
    Variant("audio only", "audio"),
    Variant("video only", "video"),
    BASELINE,
    Variant("baseline + AVEL", avel=True),
    Variant("baseline + MEM", mem=True),
    FOAL_NET,
)


def make_objective(
    chosen: Config, variant: Variant, label_smoothing: float, processes: Processes
) -> Objective | SingleObjective:
    """An untrained objective of a row, of the configuration's sizes and weights."""
    classes = len(chosen.labels)
    if variant.modality == "audio":
        return SingleObjective("audio", chosen.audio_encoder.width, classes, label_smoothing)
    if variant.modality == "video":
        return SingleObjective("video", chosen.image_encoder.width, classes, label_smoothing)
    return Objective(make_fusion(chosen), weights(chosen, variant), label_smoothing, processes)


def weights(chosen: Config, variant: Variant) -> config.Objective:
    """The configuration's weights, those of what the row lacks at 0."""
    whole = chosen.objective
    return msgspec.structs.replace(
        whole, avel=whole.avel if variant.avel else 0.0, mem=whole.mem if variant.mem else 0.0
    )
