"""Image tower of a CLIP (Radford et al. 2021) as image encoder, from open_clip, frozen.

Dimensions: N frames, H and W their height and width, Dv the embedding's width.
"""

import difflib
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import open_clip
import torch
from timm.utils import reparameterize_model
from torch import Tensor, nn

from edge.errors import UsageError

from ..config import RANDOM, Clip
from .hub import DAMAGE, check_available, missing

FIELD = "image_encoder.weights"
HUB_FILES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
"""File names of the weights in a repository if a tag gives none; the first is preferred."""
HUB_CONFIG = "open_clip_config.json"
"""File beside the weights that describes the preparation of the pixels."""
NO_TEXT = {"context_length": 1, "vocab_size": 1, "width": 8, "heads": 1, "layers": 1}
"""Smallest text tower, for models without pre-trained weights: the text tower is always dropped."""


class ClipImageEncoder(nn.Module):
    """Encoder of uint8 `[N, H, W, 3]` RGB to CLIP's projected embedding `[N, Dv]`, not normalised; frozen.

    The mean and deviation of the pixels are part of the state, so that a checkpoint needs no other file.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, part: Clip, height: int, width: int, *, pretrained: bool) -> None:
        super().__init__()
        check_sizes(part, height, width)
        self.width = part.width
        load = pretrained and part.weights != RANDOM
        tower = load_tower(part) if load else random_tower(part.architecture)
        self.tower = reparameterize_model(tower.eval(), inplace=True)
        mean, deviation = pixel_statistics(part.architecture, part.weights if load else RANDOM)
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("deviation", torch.tensor(deviation))
        self.requires_grad_(False).eval()

    def forward(self, frames: Tensor) -> Tensor:
        """Map uint8 `[N, H, W, 3]` to `[N, Dv]`."""
        pixels = (frames.to(self.mean.dtype) / 255 - self.mean) / self.deviation
        return self.tower(pixels.permute(0, 3, 1, 2))

    def train(self, mode: bool = True) -> "ClipImageEncoder":
        """Stay in evaluation mode: the encoder is frozen."""
        return super().train(False)


def check_sizes(part: Clip, height: int, width: int) -> None:
    """Raise UsageError if the architecture is unknown, or has embeddings or inputs of another size."""
    known = open_clip.get_model_config(part.architecture)
    if known is None:
        near = ", ".join(difflib.get_close_matches(part.architecture, open_clip.list_models(), n=5, cutoff=0.0))
        raise UsageError(f"image_encoder.architecture {part.architecture}: open_clip has none of this name, but {near}")
    if known["embed_dim"] != part.width:
        raise UsageError(
            f"image_encoder.width {part.width}: {part.architecture} makes embeddings of {known['embed_dim']}; set it so"
        )
    side = known["vision_cfg"].get("image_size", open_clip.CLIPVisionCfg.image_size)
    expected = tuple(side) if isinstance(side, list) else (side, side)
    if (height, width) != expected:
        raise UsageError(
            f"picture of {height} x {width}: {part.architecture} takes {expected[0]} x {expected[1]}; "
            "set picture.height and picture.width so"
        )


def random_tower(architecture: str) -> nn.Module:
    """Build the image tower with random weights."""
    with quiet():
        return open_clip.create_model(architecture, text_cfg=NO_TEXT, pretrained_text=False).visual


def load_tower(part: Clip) -> nn.Module:
    """Build the image tower with pre-trained weights; UsageError if these are unavailable or do not fit."""
    tag = open_clip.get_pretrained_cfg(part.architecture, part.weights)
    if tag:
        check_activation(part, tag)
        repository, _, file = tag["hf_hub"].rpartition("/")
        check_available(repository, [file] if file else HUB_FILES, FIELD, file or HUB_FILES[0])
    elif not Path(part.weights).is_file():
        tags = ", ".join(open_clip.list_pretrained_tags_by_model(part.architecture)) or "none"
        raise UsageError(f"{FIELD} {part.weights}: no file here, nor one of {part.architecture}'s tags ({tags})")
    try:
        with quiet():
            return open_clip.create_model(part.architecture, part.weights, require_pretrained=True).visual
    except DAMAGE as error:
        if tag:
            raise missing(repository, FIELD, error, file or HUB_FILES[0]) from error
        raise UsageError(
            f"{FIELD} {part.weights}: no weights of {part.architecture} can be read from it ({error}); "
            "take another file, or the architecture that it is of"
        ) from error


def check_activation(part: Clip, tag: dict[str, Any]) -> None:
    """Raise UsageError if the weights were trained with the other kind of GELU: open_clip only warns about it."""
    name = part.architecture
    built = open_clip.get_model_config(name).get("quick_gelu", False)
    trained = tag.get("quick_gelu", False)
    if trained != built:
        other = name.removesuffix("-quickgelu") if built else f"{name}-quickgelu"
        raise UsageError(
            f"image_encoder.architecture {name}: its weights {part.weights} were trained "
            f"{'with' if trained else 'without'} QuickGELU; set it to {other}"
        )


def pixel_statistics(architecture: str, weights: str) -> tuple[list[float], list[float]]:
    """Return mean and standard deviation of each channel, 0..1, that the weights were trained with.

    UsageError if the weights are a file and they are not known: open_clip would take OpenAI's.
    """
    tag, local = open_clip.get_pretrained_cfg(architecture, weights), Path(weights).is_file()
    if not tag and local and (beside := Path(weights).with_name(HUB_CONFIG)).is_file():
        return statistics_beside(beside)
    names = [weights] if tag else open_clip.list_pretrained_tags_by_model(architecture)
    published = [open_clip.get_pretrained_cfg(architecture, name) for name in names] or [{}]
    found = [
        (list(each.get("mean", open_clip.OPENAI_DATASET_MEAN)), list(each.get("std", open_clip.OPENAI_DATASET_STD)))
        for each in published
    ]
    if local and any(other != found[0] for other in found):
        raise UsageError(
            f"{FIELD} {weights}: {architecture}'s published weights ({', '.join(names)}) differ in the mean and "
            f"deviation of their pixels; put the {HUB_CONFIG} that was published with this file beside it"
        )
    return found[0]


def statistics_beside(path: Path) -> tuple[list[float], list[float]]:
    """Read mean and standard deviation from a published `open_clip_config.json`."""
    try:
        preparation = json.loads(path.read_bytes())["preprocess_cfg"]
        return preparation["mean"], preparation["std"]
    except (ValueError, KeyError) as error:
        raise UsageError(f"{path} does not say how pixels are prepared ({error!r}); download it again") from error


@contextmanager
def quiet() -> Iterator[None]:
    """Keep open_clip's messages to the root logger from setting up logging for the whole process."""
    handler = logging.NullHandler()
    logging.root.addHandler(handler)
    try:
        yield
    finally:
        logging.root.removeHandler(handler)
