"""Variants of Foal-Net: the rows of the paper's ablation."""

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
    """Row of the ablation."""

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
    """Build the untrained objective of a row, of the configuration's sizes and weights."""
    classes = len(chosen.labels)
    if variant.modality == "audio":
        return SingleObjective("audio", chosen.audio_encoder.width, classes, label_smoothing)
    if variant.modality == "video":
        return SingleObjective("video", chosen.image_encoder.width, classes, label_smoothing)
    return Objective(make_fusion(chosen), weights(chosen, variant), label_smoothing, processes)


def weights(chosen: Config, variant: Variant) -> config.Objective:
    """Return the configuration's weights of the losses, 0 for those that the row leaves out."""
    whole = chosen.objective
    return msgspec.structs.replace(
        whole, avel=whole.avel if variant.avel else 0.0, mem=whole.mem if variant.mem else 0.0
    )
