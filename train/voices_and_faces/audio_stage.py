"""Stage of the audio encoder: it learns what voices express, and where a voice is, with a temporary linear head.

Dimensions: B batch, S samples, C classes, Ta tokens.
"""

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool1d, binary_cross_entropy_with_logits, cross_entropy

from edge.errors import UsageError

from ..config import Config, voices_and_faces
from ..encoders.nano_audio import TOKEN_SAMPLES, NanoAudioEncoder
from ..figures import accuracy
from ..fusion import masked_mean
from ..optimise import optimise
from ..simulation.streams import Voice
from ..simulation.voice_activity import STEP
from .stages import CHECK_BATCH, make_stage
from .voices import Simulator, Windows, pad, seeded

SHARES = (0.4, 0.8)
"""Range of the length of a training step's windows, as a share of a whole window: the loss costs time, and tokens know
only their surroundings, so that shorter windows teach as much."""


class AudioClassifier(nn.Module):
    """Audio encoder with a masked mean and a linear head."""

    def __init__(self, encoder: NanoAudioEncoder, classes: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(encoder.width, classes))

    def forward(self, waveform: Tensor, length: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Map float32 `[B, S]`, int64 `[B]` to logits `[B, C]`, log odds of voice `[B, Ta]` and the mask `[B, Ta]`."""
        tokens, mask = self.encoder.local_tokens(waveform, length)
        voice = self.encoder.voice_logits(tokens)
        return self.head(masked_mean(self.encoder.in_context(tokens, mask), mask)), voice, mask


class LabelledVoices(NamedTuple):
    """Voices of a fold for the audio encoder."""

    voices: list[Voice]
    labels: Tensor
    """int64 `[N]`; the configuration's labels come first, then the corpora's other classes."""
    simulator: Simulator


def fit_audio_encoder(
    config: Config, classes: int, train: LabelledVoices, weights: Tensor, validation: LabelledVoices, run: Path
) -> NanoAudioEncoder:
    """Train the audio encoder (stage 2) on windows of voices, drawn by `weights` `[N]`.

    All classes train the encoder; the check is of the configuration's labels alone, which the validation's voices have.
    """
    check_lengths(config)
    torch.manual_seed(config.seed)
    encoder = NanoAudioEncoder(config.audio_encoder.width, config.audio.rate_hz)
    encoder.stem.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    model = AudioClassifier(encoder, classes)
    smoothing = voices_and_faces(config).voices_stage.label_smoothing
    held_out = {
        "clean": pad(validation.voices, config.audio.samples),
        "simulated": validation.simulator.windows(
            range(len(validation.voices)), config.audio.samples, seeded(torch.Generator().manual_seed(config.seed))
        ),
    }

    def loss(indices: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        share = float(torch.rand((), generator=generator)) * (SHARES[1] - SHARES[0]) + SHARES[0]
        samples = round(share * config.audio.samples / TOKEN_SAMPLES) * TOKEN_SAMPLES
        windows = train.simulator.windows(indices.tolist(), samples, seeded(generator))
        logits, voice, _ = model(windows.waveform, windows.length)
        heard = voice_seconds(windows, config.audio.rate_hz).clamp(max=1.0)
        each = cross_entropy(logits.float(), train.labels[indices], label_smoothing=smoothing, reduction="none")
        losses = {
            "emotion": (each * heard).sum() / heard.sum().clamp(min=1.0),
            "voice": binary_cross_entropy_with_logits(voice.float(), activity_of_tokens(windows)),
        }
        return {"loss": losses["emotion"] + losses["voice"], **losses}

    def check() -> dict[str, float]:
        figures = {}
        for name, windows in held_out.items():
            parts = zip(windows.waveform.split(CHECK_BATCH), windows.length.split(CHECK_BATCH), strict=True)
            found = [model(*part) for part in parts]
            logits, voice, mask = (torch.cat(outputs) for outputs in zip(*found, strict=True))
            heard = voice_seconds(windows, config.audio.rate_hz) >= 1.0
            figures[f"{name} ua"] = accuracy(logits[heard, : len(config.labels)], validation.labels[heard])["ua"]
            truth = activity_of_tokens(windows)
            for kind, of in (("voice", truth > 0.9), ("no voice", truth < 0.1)):
                figures[f"{name} {kind}"] = float(((voice > 0) == (truth > 0.5))[of & mask].float().mean())
        return figures

    optimise(make_stage(config, "voices", run), model, weights, loss, check)
    return model.encoder


def activity_of_tokens(windows: Windows) -> Tensor:
    """Return the share of voice in each token, float32 `[B, Ta]`."""
    return avg_pool1d(windows.activity, TOKEN_SAMPLES // STEP)


def voice_seconds(windows: Windows, rate_hz: int) -> Tensor:
    """Return the seconds of voice in each window, float32 `[B]`."""
    return windows.activity.sum(dim=1) * (STEP / rate_hz)


def check_lengths(config: Config) -> None:
    """Raise UsageError if the window's length is not a multiple of a token of the encoder."""
    if config.audio.samples % TOKEN_SAMPLES:
        token_s, window_s = TOKEN_SAMPLES / config.audio.rate_hz, config.audio.window_s
        raise UsageError(
            f"sound.window_s {window_s} is not a multiple of {token_s} s, a token of the nano audio encoder"
        )
