"""Stage of the audio encoder: it learns voices, with a temporary linear head."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from edge.errors import UsageError

from ..config import Config, voices_and_faces
from ..encoders.nano_audio import TOKEN_SAMPLES, NanoAudioEncoder
from ..figures import accuracy
from ..fusion import masked_mean
from ..optimise import optimise
from . import voices
from .stages import CHECK_BATCH, make_stage


class AudioClassifier(nn.Module):
    """Audio encoder with a masked mean and a linear head."""

    def __init__(self, encoder: NanoAudioEncoder, classes: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(encoder.width, classes))

    def forward(self, waveform: Tensor, length: Tensor) -> Tensor:
        """Map float32 `[B, S]`, int64 `[B]` to logits `[B, C]`."""
        return self.head(masked_mean(*self.encoder(waveform, length)))


def fit_audio_encoder(
    config: Config,
    train: tuple[list[np.ndarray], Tensor],
    weights: Tensor,
    validation: tuple[list[np.ndarray], Tensor],
    run: Path,
) -> NanoAudioEncoder:
    """Train the audio encoder (stage 2) on waveforms and labels `[N]`, drawn by `weights` `[N]`."""
    check_lengths(config)
    torch.manual_seed(config.seed)
    model = AudioClassifier(NanoAudioEncoder(config.audio_encoder.width, config.audio.rate_hz), len(config.labels))
    (waveforms, labels), smoothing = train, voices_and_faces(config).voices_stage.label_smoothing
    samples = round(voices_and_faces(config).voice_crop_s * config.audio.rate_hz)
    held_out = voices.pad(validation[0], round(config.audio.window_s * config.audio.rate_hz))

    def loss(indices: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        augmented = [voices.augment(waveforms[i], config.audio.rate_hz, generator) for i in indices.tolist()]
        return {
            "loss": cross_entropy(model(*voices.pad(augmented, samples)), labels[indices], label_smoothing=smoothing)
        }

    def check() -> dict[str, float]:
        parts = zip(held_out[0].split(CHECK_BATCH), held_out[1].split(CHECK_BATCH), strict=True)
        return accuracy(torch.cat([model(*part) for part in parts]), validation[1])

    optimise(make_stage(config, "voices", run), model, weights, loss, check)
    return model.encoder


def check_lengths(config: Config) -> None:
    """Raise UsageError if a configured length is not a multiple of a token of the encoder."""
    lengths = {"sound.window_s": config.audio.window_s, "voice_crop_s": voices_and_faces(config).voice_crop_s}
    for name, seconds in lengths.items():
        if round(seconds * config.audio.rate_hz) % TOKEN_SAMPLES:
            token_s = TOKEN_SAMPLES / config.audio.rate_hz
            raise UsageError(f"{name} {seconds} is not a multiple of {token_s} s, a token of the nano audio encoder")
