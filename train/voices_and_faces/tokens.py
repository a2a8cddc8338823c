"""Tokens of every recording by the frozen encoders, computed once and kept on disk: the fusion trains on these.

Dimensions: N recordings, V augmented views of each, Ta/Tv tokens, Da/Dv their widths.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from rich.progress import track
from torch import Tensor, nn

from ..config import Config
from ..encoders.nano_audio import NanoAudioEncoder
from ..encoders.nano_image import NanoImageEncoder
from ..tensors import fingerprint, read_tensors, write_tensors
from . import faces, voices

BATCH = 64


class VoiceTokens(NamedTuple):
    """Tokens of voices by the audio encoder."""

    tokens: Tensor
    """fp16 `[N, V, Ta, Da]`."""
    mask: Tensor
    """bool `[N, V, Ta]`."""
    labels: Tensor
    """int64 `[N]`."""


class FaceTokens(NamedTuple):
    """Tokens of faces by the image encoder: views of one face stand for the frames of a window, Tv = V."""

    tokens: Tensor
    """fp16 `[N, V, Dv]`."""
    labels: Tensor
    """int64 `[N]`."""


@torch.no_grad()
def encode_voices(
    config: Config, encoder: NanoAudioEncoder, waveforms: Sequence[np.ndarray], labels: Tensor, views: int, path: Path
) -> VoiceTokens:
    """Return tokens of whole windows; one view is the recording itself, several are augmented copies of it."""
    about = identity(config, encoder, views)
    tensors = cached_tokens(path, about)
    if tensors is None:
        generator = torch.Generator().manual_seed(config.seed)
        tokens, masks = [], []
        for start in track(range(0, len(waveforms), BATCH), f"tokens for {path.stem}"):
            part = [audio for audio in waveforms[start : start + BATCH] for _ in range(views)]
            if views > 1:
                part = [voices.augment(audio, config.audio.rate_hz, generator) for audio in part]
            encoded, mask = encoder(*voices.pad(part, config.audio.samples))
            tokens.append(encoded.half().unflatten(0, (-1, views)))
            masks.append(mask.unflatten(0, (-1, views)))
        tensors = {"tokens": torch.cat(tokens), "mask": torch.cat(masks)}
        write_tensors(path, tensors, about)
    return VoiceTokens(tensors["tokens"], tensors["mask"], labels)


@torch.no_grad()
def encode_faces(
    config: Config, encoder: NanoImageEncoder, crops: Tensor, labels: Tensor, views: int, path: Path
) -> FaceTokens:
    """Return embeddings of crops uint8 `[N, H, W]`; one view is the crop itself, several are augmented copies of it."""
    about = identity(config, encoder, views)
    tensors = cached_tokens(path, about)
    if tensors is None:
        generator = torch.Generator().manual_seed(config.seed)
        tokens = []
        for part in track(crops.split(BATCH), f"tokens for {path.stem}"):
            repeated = part.repeat_interleave(views, dim=0)
            augmented = faces.augment(repeated, generator) if views > 1 else repeated
            tokens.append(encoder(faces.rgb(augmented)).half().unflatten(0, (-1, views)))
        tensors = {"tokens": torch.cat(tokens)}
        write_tensors(path, tensors, about)
    return FaceTokens(tensors["tokens"], labels)


def cached_tokens(path: Path, about: dict[str, str]) -> dict[str, Tensor] | None:
    """Return the tensors at `path`; None if there are none, or those of another encoder or of other views."""
    if not path.is_file():
        return None
    tensors, found = read_tensors(path)
    return tensors if found == about else None


def identity(config: Config, encoder: nn.Module, views: int) -> dict[str, str]:
    """Return the identity of tokens, everything that decides them, as in their file's header."""
    return {"encoder": fingerprint(encoder), "views": str(views), "seed": str(config.seed)}
