"""Two stages of the encoders: each learns its own modality, with a temporary linear head."""

from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from edge.errors import UsageError

from .. import sampling
from ..config import Config, Schedule, voices_and_faces
from ..encoders.nano_audio import TOKEN_SAMPLES, NanoAudioEncoder
from ..encoders.nano_image import NanoImageEncoder
from ..figures import accuracy
from ..fusion import masked_mean
from ..optimise import optimise
from ..stage import Stage, identity
from . import faces, voices

CHECK_BATCH = 64


class ImageClassifier(nn.Module):
    """Image encoder with a linear head."""

    def __init__(self, encoder: NanoImageEncoder, classes: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(encoder.width, classes))

    def forward(self, frames: Tensor) -> Tensor:
        """Map uint8 `[N, H, W, 3]` to logits `[N, C]`."""
        return self.head(self.encoder(frames))


class AudioClassifier(nn.Module):
    """Audio encoder with a masked mean and a linear head."""

    def __init__(self, encoder: NanoAudioEncoder, classes: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(encoder.width, classes))

    def forward(self, waveform: Tensor, length: Tensor) -> Tensor:
        """Map float32 `[B, S]`, int64 `[B]` to logits `[B, C]`."""
        return self.head(masked_mean(*self.encoder(waveform, length)))


def fit_image_encoder(
    config: Config, train: tuple[Tensor, Tensor], validation: tuple[Tensor, Tensor], run: Path
) -> NanoImageEncoder:
    """Train the image encoder (stage 1) on crops uint8 `[N, H, W]` and labels `[N]`."""
    torch.manual_seed(config.seed)
    model = ImageClassifier(NanoImageEncoder(config.image_encoder.width), len(config.labels))
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    images, labels = train
    weights, smoothing = sampling.class_weights(labels), voices_and_faces(config).faces_stage.label_smoothing

    def loss(indices: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        logits = model(faces.rgb(faces.augment(images[indices], generator)))
        return {"loss": cross_entropy(logits, labels[indices], label_smoothing=smoothing)}

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


def make_stage(config: Config, name: Literal["faces", "voices", "fusion"], run: Path, inputs: str = "") -> Stage:
    """Return a configuration's stage in the folder `run`; `inputs` identifies the results of earlier stages."""
    chosen = voices_and_faces(config)
    schedule: Schedule = getattr(chosen, f"{name}_stage")
    data = (chosen.voices, chosen.validation_speakers, chosen.test_speakers, chosen.voice_crop_s)
    shared = (
        config.labels,
        config.seed,
        config.audio,
        config.video,
        config.audio_encoder,
        config.image_encoder,
        data,
    )
    own = (config.fusion, config.objective, chosen.views, inputs) if name == "fusion" else ()
    return Stage(name, schedule, config.seed, identity(*shared, schedule, *own), run / f"{name}.safetensors")
