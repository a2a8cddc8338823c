"""The two encoder stages: each encoder learns its own modality, under a throw-away linear head."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from edge.metrics import evaluate

from . import faces, sampling, voices
from .config import Config
from .encoders.nano_audio import NanoAudioEncoder
from .encoders.nano_image import NanoImageEncoder
from .foalnet import masked_mean
from .optimise import make_stage, optimise

CHECK_BATCH = 64


class ImageClassifier(nn.Module):
    """An image encoder under a linear head."""

    def __init__(self, encoder: NanoImageEncoder, classes: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(encoder.width, classes))

    def forward(self, frames: Tensor) -> Tensor:
        """uint8 `[N, H, W, 3]` -> logits `[N, C]`."""
        return self.head(self.encoder(frames))


class AudioClassifier(nn.Module):
    """An audio encoder under a masked mean and a linear head."""

    def __init__(self, encoder: NanoAudioEncoder, classes: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(encoder.width, classes))

    def forward(self, waveform: Tensor, length: Tensor) -> Tensor:
        """float32 `[B, S]`, int64 `[B]` -> logits `[B, C]`."""
        return self.head(masked_mean(*self.encoder(waveform, length)))


def fit_image_encoder(
    config: Config, train: tuple[Tensor, Tensor], validation: tuple[Tensor, Tensor], run: Path
) -> NanoImageEncoder:
    """Stage 1: crops uint8 `[N, H, W]` and labels `[N]` -> a trained image encoder."""
    torch.manual_seed(config.seed)
    model = ImageClassifier(NanoImageEncoder(config.widths.video), len(config.labels))
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    images, labels = train
    weights = sampling.class_weights(labels)

    def loss(indices: Tensor, generator: torch.Generator) -> Tensor:
        logits = model(faces.rgb(faces.vary(images[indices], generator)))
        return cross_entropy(logits, labels[indices], label_smoothing=config.faces.label_smoothing)

    def check() -> dict[str, float]:
        logits = torch.cat([model(faces.rgb(part)) for part in validation[0].split(CHECK_BATCH)])
        return accuracy(logits, validation[1])

    optimise(make_stage(config, "faces", run), model, weights, loss, check)
    return model.encoder


def fit_audio_encoder(
    config: Config,
    train: tuple[list[np.ndarray], Tensor],
    weights: Tensor,
    validation: tuple[list[np.ndarray], Tensor],
    run: Path,
) -> NanoAudioEncoder:
    """Stage 2: sounds and labels `[N]`, drawn by `weights` `[N]` -> a trained audio encoder."""
    torch.manual_seed(config.seed)
    model = AudioClassifier(NanoAudioEncoder(config.widths.audio, config.sound.rate_hz), len(config.labels))
    sounds, labels = train
    samples = round(config.voice_crop_s * config.sound.rate_hz)
    held_out = voices.pad(validation[0], round(config.sound.window_s * config.sound.rate_hz))

    def loss(indices: Tensor, generator: torch.Generator) -> Tensor:
        varied = [voices.vary(sounds[i], config.sound.rate_hz, generator) for i in indices.tolist()]
        return cross_entropy(
            model(*voices.pad(varied, samples)), labels[indices], label_smoothing=config.voices.label_smoothing
        )

    def check() -> dict[str, float]:
        parts = zip(held_out[0].split(CHECK_BATCH), held_out[1].split(CHECK_BATCH), strict=True)
        return accuracy(torch.cat([model(*part) for part in parts]), validation[1])

    optimise(make_stage(config, "voices", run), model, weights, loss, check)
    return model.encoder


def accuracy(logits: Tensor, labels: Tensor) -> dict[str, float]:
    """UA and WA of logits `[N, C]`, for an epoch's log line."""
    figures = evaluate(logits.softmax(dim=1).numpy(), labels.numpy())
    return {"ua": figures.ua, "wa": figures.wa}
