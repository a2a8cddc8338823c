"""Checkpoints: safetensors with the configuration as a readable header; nothing is unpickled."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from edge.errors import UsageError
from edge.validation import UNREADABLE, explain

from .config import Config, Positive
from .encoders import build as encoders
from .foalnet import FoalNet
from .fusion import Fusion
from .tensors import read_tensors, write_tensors


class Ancestor(msgspec.Struct, frozen=True):
    """Network whose weights a training began with."""

    name: str
    """Name and version."""
    licence: str
    """Licence of its weights, by which those made from them are bound."""
    trained_on: list[str]
    """Line for each corpus that it was trained on."""


class Checkpoint(NamedTuple):
    """Trained Foal-Net with its configuration, calibration and figures."""

    model: FoalNet
    config: Config
    temperature: float
    """Divisor of the logits before the softmax, fitted on the validation fold."""
    measured: dict[str, dict[str, float]]
    """Figures by evaluation: `validation both` -> UA, WA, ECE and the count."""
    ancestor: Ancestor | None = None
    """Network whose weights the training began with; None if it began with none but pre-trained encoders."""


def build(config: Config) -> FoalNet:
    """Build an untrained Foal-Net of the config's sizes, both encoders with random weights."""
    return FoalNet(
        encoders.audio_encoder(config, pretrained=False),
        encoders.image_encoder(config, pretrained=False),
        make_fusion(config),
    )


def make_fusion(config: Config) -> Fusion:
    """Build an untrained fusion of the config's sizes."""
    return Fusion(
        audio_width=config.audio_encoder.width,
        video_width=config.image_encoder.width,
        classes=len(config.labels),
        embedding_width=config.fusion.embedding,
        heads=config.fusion.heads,
        layers=config.fusion.layers,
        product=config.fusion.product,
    )


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint with the config and the figures as its readable header."""
    about = {
        "config": msgspec.json.encode(checkpoint.config).decode(),
        "temperature": repr(checkpoint.temperature),
        "measured": json.dumps(checkpoint.measured),
    }
    if checkpoint.ancestor is not None:
        about["ancestor"] = msgspec.json.encode(checkpoint.ancestor).decode()
    write_tensors(path, checkpoint.model.state_dict(), about)


def load(path: Path) -> Checkpoint:
    """Read a checkpoint and rebuild the model from it alone; UsageError if it is not a checkpoint."""
    tensors, about = read_tensors(path)
    if "config" not in about:
        raise UsageError(f"{path} holds weights of one stage, not a whole checkpoint; look for checkpoint.safetensors")
    try:
        config = decode(about["config"], Config)
        model = build(config)
        model.load_state_dict(tensors)
        ancestor = decode(about["ancestor"], Ancestor) if "ancestor" in about else None
        temperature, measured = decode(about["temperature"], Positive), json.loads(about["measured"])
    except (KeyError, ValueError, RuntimeError) as error:
        reason = f"no {error}" if isinstance(error, KeyError) else str(error).splitlines()[0]
        raise UsageError(f"{path} is damaged, or a checkpoint of another version ({reason}); train again") from error
    for name, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise UsageError(f"{path} is of no use: its {name} holds numbers that are not finite; train again")
    return Checkpoint(model.eval(), config, temperature, measured, ancestor)


def decode(text: str, kind: Any) -> Any:
    """Decode a value of the header; ValueError says what is wrong with it."""
    try:
        return msgspec.json.decode(text, type=kind)
    except UNREADABLE as error:
        raise ValueError(explain(error, text.encode(), kind)) from error
