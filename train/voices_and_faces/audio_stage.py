"""Stage of the audio encoder: it learns what voices express, where a voice is, and what a teacher says of it.

Dimensions: B batch, S samples, C classes, Ta tokens.
"""

from functools import cache
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
from . import voice_teacher
from .stages import CHECK_BATCH, make_stage
from .voice_teacher import Descriptions
from .voices import Simulator, Windows, pad, seeded

TOKEN_STEPS = TOKEN_SAMPLES // STEP
SHARES = (0.4, 0.8)
"""Range of the length of a training step's windows, as a share of a whole window: the loss costs time, and tokens know
only their surroundings, so that shorter windows teach as much."""


class Heard(NamedTuple):
    """Outputs of the audio encoder with its temporary heads."""

    logits: Tensor
    """`[B, C]`."""
    voice: Tensor
    """Log odds of voice `[B, Ta]`."""
    mask: Tensor
    """bool `[B, Ta]`."""
    description: Tensor
    """`[B, 512]`, as the teacher would describe the voice."""
    states: Tensor
    """`[B, Ta, 256]`, as the teacher's hidden state would be."""


class AudioClassifier(nn.Module):
    """Audio encoder with linear heads: the classes and the teacher's description of the masked mean, its states."""

    def __init__(self, encoder: NanoAudioEncoder, classes: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(encoder.width, classes))
        self.describe = nn.Linear(encoder.width, voice_teacher.WIDTH)
        self.follow = nn.Linear(encoder.width, voice_teacher.HIDDEN)

    def forward(self, waveform: Tensor, length: Tensor) -> Heard:
        """Hear float32 `[B, S]` with lengths int64 `[B]`."""
        tokens, mask = self.encoder.local_tokens(waveform, length)
        voice = self.encoder.voice_logits(tokens)
        in_context = self.encoder.in_context(tokens, mask)
        pooled = masked_mean(in_context, mask)
        return Heard(self.head(pooled), voice, mask, self.describe(pooled), self.follow(in_context))


class LabelledVoices(NamedTuple):
    """Voices of a fold for the audio encoder."""

    voices: list[Voice]
    labels: Tensor
    """int64 `[N]`; the configuration's labels come first, then the corpora's other classes."""
    speakers: list[str]
    """Speaker of each voice."""
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
    recipe = voices_and_faces(config)
    smoothing = recipe.voices_stage.label_smoothing
    held_out = {
        "clean": pad(validation.voices, config.audio.samples),
        "simulated": validation.simulator.windows(
            range(len(validation.voices)), config.audio.samples, seeded(torch.Generator().manual_seed(config.seed))
        ),
    }

    @cache
    def descriptions() -> Descriptions:
        return voice_teacher.describe(train.voices, train.speakers)

    def loss(indices: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        share = float(torch.rand((), generator=generator)) * (SHARES[1] - SHARES[0]) + SHARES[0]
        samples = round(share * config.audio.samples / TOKEN_SAMPLES) * TOKEN_SAMPLES
        windows = train.simulator.windows(indices.tolist(), samples, seeded(generator))
        found: Heard = model(windows.waveform, windows.length)
        heard = voice_seconds(windows, config.audio.rate_hz).clamp(max=1.0)
        labels = train.labels[indices]
        each = cross_entropy(found.logits.float(), labels, label_smoothing=smoothing, reduction="none")
        activity = activity_of_tokens(windows)
        losses = {
            "emotion": weighted_mean(each, heard),
            "voice": binary_cross_entropy_with_logits(found.voice.float(), activity),
        }
        total = losses["emotion"] + losses["voice"]
        if recipe.imitation > 0:
            error = (found.description.float() - descriptions().voices[indices]).square().mean(dim=1)
            losses["description"] = weighted_mean(error, heard)
            moments = windows.moments[:, TOKEN_STEPS // 2 :: TOKEN_STEPS]
            error = (found.states.float() - descriptions().at(moments)).square().mean(dim=2)
            losses["states"] = weighted_mean(error.flatten(), (activity * (moments >= 0)).flatten())
            total = total + recipe.imitation * (losses["description"] + losses["states"])
        return {"loss": total, **losses}

    def check() -> dict[str, float]:
        figures = {}
        for name, windows in held_out.items():
            parts = zip(windows.waveform.split(CHECK_BATCH), windows.length.split(CHECK_BATCH), strict=True)
            found = Heard(*map(torch.cat, zip(*(model(*part) for part in parts), strict=True)))
            heard = voice_seconds(windows, config.audio.rate_hz) >= 1.0
            figures[f"{name} ua"] = accuracy(found.logits[heard, : len(config.labels)], validation.labels[heard])["ua"]
            truth = activity_of_tokens(windows)
            for kind, of in (("voice", truth > 0.9), ("no voice", truth < 0.1)):
                figures[f"{name} {kind}"] = float(((found.voice > 0) == (truth > 0.5))[of & found.mask].float().mean())
        return figures

    optimise(make_stage(config, "voices", run), model, weights, loss, check)
    return model.encoder


def weighted_mean(values: Tensor, weights: Tensor) -> Tensor:
    """Return the mean of values `[B]` by weights `[B]`, less where these sum to less than one."""
    return (values * weights).sum() / weights.sum().clamp(min=1.0)


def activity_of_tokens(windows: Windows) -> Tensor:
    """Return the share of voice in each token, float32 `[B, Ta]`."""
    return avg_pool1d(windows.activity, TOKEN_STEPS)


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
