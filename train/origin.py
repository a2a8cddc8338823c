"""Trained network that a training goes on from: a checkpoint, or a bundle, whose weights are read from its graphs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import torch
from torch import Tensor, nn

from edge.bundle import golden
from edge.bundle import load as bundles
from edge.bundle.calibration import Array
from edge.bundle.load import SHIPPED
from edge.bundle.manifest import GraphEntry
from edge.errors import UsageError
from edge.system.files import is_there

from . import checkpoint
from .checkpoint import Ancestor, build
from .config import Config, NanoAudio
from .encoders.nano_pieces import PIECES
from .foalnet import FoalNet, graph_modules
from .fusion import Fusion
from .graph_weights import read_weights
from .provenance import trained_on

TRAINING_ONLY = {
    "log_scale",
    *(f"{head}.{part}" for head in ("a2v_head", "v2a_head") for part in ("weight", "bias")),
}
"""State of the fusion that its graph has not, because the losses alone need it."""
FUSION = "fusion."
"""Beginning of the names of the fusion's state in a graph that begins with transformer layers."""
HEADS = ("cls_head.", "single_heads.")
"""Beginnings of the names of the classifiers, which have a row for each label."""


class Origin(NamedTuple):
    """Trained network with what is to be said of it."""

    model: FoalNet
    """Network in evaluation mode, both encoders included."""
    labels: Sequence[str]
    """Labels of its logits."""
    temperature: float
    ancestor: Ancestor


def open_origin(config: Config, place: str | None) -> Origin | None:
    """Return the network at `place`: the shipped bundle's name, a bundle's folder or a checkpoint; None without one.

    UsageError where the configuration's encoders must come from somewhere, or are not those of the network.
    """
    if place is None:
        if isinstance(config.audio_encoder, NanoAudio):
            raise UsageError(
                f"the encoders of {config.name} are of the type nano, which clips do not train; say whose they are, "
                f"such as --from {SHIPPED.name}"
            )
        return None
    path = SHIPPED if place == SHIPPED.name else Path(place)
    if not place or not is_there(path):
        raise UsageError(
            f"--from {place or repr(place)}: there is nothing of this name; give {SHIPPED.name}, a bundle's folder, "
            "or a checkpoint"
        )
    return from_bundle(path, config) if path.is_dir() else from_checkpoint(path, config)


def from_checkpoint(path: Path, config: Config) -> Origin:
    """Return the network of a checkpoint; UsageError if its parts are not those of the configuration."""
    loaded = checkpoint.load(path)
    for name in ("audio", "video", "audio_encoder", "image_encoder", "fusion"):
        found, expected = getattr(config, name), getattr(loaded.config, name)
        if isinstance(found, NanoAudio) and isinstance(expected, NanoAudio):
            found = msgspec.structs.replace(found, voice=expected.voice)
        refuse_difference(config, path, name, found, expected)
    ancestor = Ancestor(
        f"{loaded.config.name} {loaded.config.version}",
        loaded.config.weights_licence,
        trained_on(loaded.config, loaded.ancestor),
    )
    return Origin(loaded.model, loaded.config.labels, loaded.temperature, ancestor)


def from_bundle(folder: Path, config: Config) -> Origin:
    """Return the network of an fp32 bundle with nano encoders, whose golden outputs it is shown to give."""
    if not isinstance(config.audio_encoder, NanoAudio):
        raise UsageError(
            f"--from {folder}: weights are read back from bundles of nano encoders alone, those of {config.name} are "
            "of the types wavlm and clip; give the checkpoint that the bundle was exported from"
        )
    bundle = bundles.load(folder)
    manifest = bundle.manifest
    for name in ("audio", "video"):
        refuse_difference(config, folder, name, getattr(config, name), getattr(manifest, name))
    torch.manual_seed(config.seed)
    model = build(msgspec.structs.replace(config, labels=manifest.labels)).eval()
    vectors = golden.load(bundle)
    parts = graph_modules(model, pieces=manifest.pieces is not None)
    for name, entry in manifest.graphs.by_name().items():
        if entry.precision != "fp32":
            raise UsageError(f"--from {folder}: its graphs are in {entry.precision}; give the bundle in fp32")
        part = parts[name]
        load_weights(part, bundle.path(entry.file))
        if name == "audio_encoder" and manifest.pieces not in (None, PIECES):
            continue  # pieces of an earlier form, which no part of the network takes any more
        check_golden(part, entry, vectors[name], bundle.path(entry.file))
    ancestor = Ancestor(f"{manifest.name} {manifest.version}", manifest.licences.weights, manifest.trained_on)
    return Origin(model, manifest.labels, manifest.temperature, ancestor)


def refuse_difference(config: Config, path: Path, name: str, found: Any, expected: Any) -> None:
    """Raise UsageError if the configuration has a field otherwise than the network that it goes on from."""
    if found != expected:
        field = next((each.encode_name for each in msgspec.structs.fields(Config) if each.name == name), name)
        raise UsageError(
            f"--from {path}: its {field} is {msgspec.to_builtins(expected)}, that of {config.name} is "
            f"{msgspec.to_builtins(found)}; both must be the same, so take over the former"
        )


def load_weights(part: nn.Module, path: Path) -> None:
    """Load a graph's weights into a part of the network; UsageError if sizes differ or weights are missing."""
    try:
        missing, _ = part.load_state_dict(read_weights(path, part), strict=False)
    except RuntimeError as error:
        reason = str(error).splitlines()[1].strip()
        raise UsageError(
            f"{path} has other sizes than the configuration ({reason}); give the configuration those of the bundle"
        ) from error
    lacking = sorted(name for name in missing if name.removeprefix(FUSION) not in TRAINING_ONLY)
    if lacking:
        raise UsageError(
            f"{path} has no {lacking[0]}, nor {len(lacking) - 1} more weights that the configuration's sizes ask for; "
            "give the configuration those of the bundle, or the checkpoint instead of the bundle"
        )


@torch.no_grad()
def check_golden(part: nn.Module, entry: GraphEntry, vectors: dict[str, Array], path: Path) -> None:
    """Raise UsageError unless a part of the network gives the golden outputs of its graph, within their tolerance."""
    made = part(*(torch.from_numpy(vectors[tensor.name]) for tensor in entry.inputs))
    for tensor, found in zip(entry.outputs, (made,) if isinstance(made, Tensor) else made, strict=True):
        difference = np.abs(found.numpy().astype(np.float64) - vectors[tensor.name]).max()
        if not difference <= entry.tolerance:
            raise UsageError(
                f"the weights of {path} give a {tensor.name} that differs by {difference:.1e} from the golden one, at "
                f"most {entry.tolerance:g} is expected; give the configuration the sizes of the bundle, its `fusion` "
                "too, or the checkpoint instead of the bundle"
            )


def start_fusion(fusion: Fusion, origin: Origin, labels: Sequence[str]) -> None:
    """Give a fusion the origin's weights: a known label keeps its rows of the classifiers, those of a new one are 0."""
    state = dict(origin.model.fusion.state_dict())
    for name in [name for name in state if name.startswith(HEADS)]:
        known = dict(zip(origin.labels, state[name], strict=True))
        state[name] = torch.stack([known.get(label, torch.zeros_like(state[name][0])) for label in labels])
    fusion.load_state_dict(state)
