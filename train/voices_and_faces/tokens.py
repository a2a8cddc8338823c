"""Tokens of every recording by the encoders, computed once and kept on disk: the fusion trains on these.

Where the audio encoder's transformer layers move, its tokens are local ones, from before these layers.

Dimensions: N recordings, V augmented views of each, Ta/Tv tokens, Da/Dv their widths.
"""

import hashlib
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import torch
from rich.progress import track
from torch import Tensor, nn

from edge.bundle.manifest import VoiceSpec
from edge.live.voice import is_enough, measure

from ..config import Config, NanoAudio, voices_and_faces
from ..encoders.nano_audio import NanoAudioEncoder
from ..encoders.nano_image import NanoImageEncoder
from ..tensors import fingerprint, read_tensors, write_tensors
from . import faces, voices
from .audio_stage import LabelledVoices

BATCH = 64


class VoiceTokens(NamedTuple):
    """Tokens of voices by the audio encoder, local ones where its transformer layers move."""

    tokens: Tensor
    """fp16 `[N, V, Ta, Da]`."""
    mask: Tensor
    """bool `[N, V, Ta]`, false throughout a window in which too little voice is heard."""
    labels: Tensor
    """int64 `[N]`."""


class FaceTokens(NamedTuple):
    """Tokens of faces by the image encoder: views of one face stand for the frames of a window, Tv = V."""

    tokens: Tensor
    """fp16 `[N, V, Dv]`."""
    shares: Tensor
    """Each label's share of the raters, float32 `[N, C]`."""

    @property
    def labels(self) -> Tensor:
        """Label that most raters chose, int64 `[N]`."""
        return self.shares.argmax(dim=1)


class FoldTokens(NamedTuple):
    """Tokens of one fold."""

    voices: VoiceTokens
    faces: FaceTokens


@torch.no_grad()
def encode_voices(
    config: Config, encoder: NanoAudioEncoder, heard: LabelledVoices, views: int, path: Path
) -> VoiceTokens:
    """Return tokens of whole windows of the voices of the configuration's labels.

    One view is the recording itself, several are simulated windows of it. A window with too little voice has no tokens,
    as in the runtime.
    """
    chosen = torch.where(heard.labels < len(config.labels))[0]
    about = identity(config, encoder, views) | {"voice": msgspec.json.encode(voice_spec(config)).decode()}
    is_local = voices_and_faces(config).moving_layers
    if is_local:
        about["tokens"] = "local"
    tensors = cached_tokens(path, about)
    if tensors is None:
        rng = np.random.default_rng(config.seed)
        tokens, masks = [], []
        for rows in track(chosen.split(BATCH), f"tokens for {path.stem}"):
            if views > 1:
                windows = heard.simulator.windows(rows.repeat_interleave(views).tolist(), config.audio.samples, rng)
            else:
                windows = voices.pad([heard.voices[row] for row in rows], config.audio.samples)
            if is_local:
                encoded, mask = encoder.local_tokens(windows.waveform, windows.length)
                probability = encoder.voice(encoded, mask)
            else:
                encoded, mask, probability = encoder(windows.waveform, windows.length)
            tokens.append(encoded.half().unflatten(0, (-1, views)))
            masks.append((mask & has_enough_voice(config, probability, mask)[:, None]).unflatten(0, (-1, views)))
        tensors = {"tokens": torch.cat(tokens), "mask": torch.cat(masks)}
        write_tensors(path, tensors, about)
    return VoiceTokens(tensors["tokens"], tensors["mask"], heard.labels[chosen])


def has_enough_voice(config: Config, probability: Tensor, mask: Tensor) -> Tensor:
    """Return whether the runtime lets the audio of a window count, bool `[B]`, by P(voice) and mask `[B, Ta]`."""
    spec, token_s = voice_spec(config), config.audio.window_s / mask.shape[1]
    rows = zip(probability.numpy(), mask.numpy(), strict=True)
    return torch.tensor([is_enough(measure(*row, token_s, spec.threshold), spec) for row in rows])


def voice_spec(config: Config) -> VoiceSpec:
    """Return how a window is judged by its voice."""
    assert isinstance(config.audio_encoder, NanoAudio), "only the nano encoder tells voices"
    return config.audio_encoder.voice


@torch.no_grad()
def encode_faces(
    config: Config, encoder: NanoImageEncoder, crops: Tensor, shares: Tensor, views: int, path: Path
) -> FaceTokens:
    """Return embeddings of crops uint8 `[N, H, W]` that raters' shares `[N, C]` belong to.

    One view is the crop itself, several are augmented copies of it.
    """
    about = identity(config, encoder, views) | {"crops": hashlib.sha256(crops.numpy().tobytes()).hexdigest()}
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
    return FaceTokens(tensors["tokens"], shares)


def cached_tokens(path: Path, about: dict[str, str]) -> dict[str, Tensor] | None:
    """Return the tensors at `path`; None if there are none, or those of another encoder or of other views."""
    if not path.is_file():
        return None
    tensors, found = read_tensors(path)
    return tensors if found == about else None


def identity(config: Config, encoder: nn.Module, views: int) -> dict[str, str]:
    """Return the identity of tokens, everything that decides them, as in their file's header."""
    return {"encoder": fingerprint(encoder), "views": str(views), "seed": str(config.seed)}
