"""Checkpoints: safetensors and a readable config beside the weights; nothing is unpickled."""

import hashlib
import json
import os
from pathlib import Path
from typing import NamedTuple

import msgspec
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from edge.errors import UsageError

from .config import Config
from .encoders.nano_audio import NanoAudioEncoder
from .encoders.nano_image import NanoImageEncoder
from .foalnet import FoalNet


class Checkpoint(NamedTuple):
    """A trained Foal-Net and what is known of it."""

    model: FoalNet
    config: Config
    temperature: float
    """Divides the logits before the softmax, fitted on the validation speakers."""
    measured: dict[str, dict[str, float]]
    """Evaluation, e.g. `validation both` -> UA, WA, ECE and the count."""


def build(config: Config) -> FoalNet:
    """An untrained Foal-Net of the config's sizes."""
    return FoalNet(
        NanoAudioEncoder(config.widths.audio, config.sound.rate_hz),
        NanoImageEncoder(config.widths.video),
        audio_width=config.widths.audio,
        video_width=config.widths.video,
        classes=len(config.labels),
        embedding_width=config.widths.embedding,
        heads=config.widths.heads,
        layers=config.widths.layers,
    )


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; the config and the figures are its readable header."""
    about = {
        "config": msgspec.json.encode(checkpoint.config).decode(),
        "temperature": repr(checkpoint.temperature),
        "measured": json.dumps(checkpoint.measured),
    }
    write_tensors(path, checkpoint.model.state_dict(), about)


def load(path: Path) -> Checkpoint:
    """Read a checkpoint, rebuilding the model from it alone; UsageError where it is none."""
    tensors, about = read_tensors(path)
    if "config" not in about:
        raise UsageError(f"{path} holds weights of one stage, not a whole checkpoint; look for checkpoint.safetensors")
    try:
        config = msgspec.json.decode(about["config"], type=Config)
        model = build(config)
        model.load_state_dict(tensors)
    except (msgspec.MsgspecError, RuntimeError) as error:
        raise UsageError(f"{path} is a checkpoint of another version ({error}); train again") from error
    return Checkpoint(model.eval(), config, float(about["temperature"]), json.loads(about["measured"]))


def fingerprint(module: nn.Module) -> str:
    """sha256 of a module's weights, in hex."""
    digest = hashlib.sha256()
    for key, tensor in module.state_dict().items():
        digest.update(key.encode() + tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()


def write_tensors(path: Path, tensors: dict[str, Tensor], about: dict[str, str]) -> None:
    """Write safetensors beside the old file, then put them in its place: a kill leaves one or the other."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, partial, about)
    os.replace(partial, path)


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and header of a safetensors file; UsageError where it is missing or damaged."""
    if not path.is_file():
        raise UsageError(f"no checkpoint at {path}; python -m train fit makes one")
    try:
        with safe_open(path, framework="pt") as file:
            return {key: file.get_tensor(key) for key in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except SafetensorError as error:
        raise UsageError(f"{path} is no safetensors file ({error}); train again or take another") from error
