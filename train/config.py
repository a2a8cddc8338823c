"""A training configuration: one YAML file, decoded strictly into typed structs."""

from pathlib import Path
from typing import Literal

import msgspec

from edge.bundle import Picture, Sound
from edge.errors import UsageError

from .encoders.nano_audio import TOKEN_SAMPLES


class Schedule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one stage is optimised: AdamW, warm-up, then a cosine to zero."""

    epochs: int
    batch: int
    draws: int
    """Examples drawn per epoch, classes in equal shares."""
    learning_rate: float
    warmup_epochs: float = 1.0
    weight_decay: float = 0.05
    label_smoothing: float = 0.0
    precision: Literal["fp32", "bf16"] = "fp32"
    """Of the forward pass; weights and updates are fp32 in both."""

    def __post_init__(self) -> None:
        if not 1 <= self.batch <= self.draws:
            raise ValueError(f"batch {self.batch} must lie between 1 and draws {self.draws}")


class Widths(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The network's sizes."""

    audio: int
    """Da, width of an audio token."""
    video: int
    """Dv, width of a frame's embedding."""
    embedding: int
    """Width of the two AVEL embeddings."""
    heads: int
    layers: int
    """Cross-attention layers a stack."""


class Data(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which recordings, and who is kept out of training."""

    voices: dict[str, float]
    """Corpus -> its share of the draws."""
    validation_speakers: list[str]
    test_speakers: list[str]


class FusionWeights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The fusion stage: `L = CE + avel * L_avel + mem * L_mem`, some examples with one modality only."""

    avel: float
    mem: float
    audio_only: float
    """Share of examples whose picture is dropped."""
    video_only: float
    """Share of examples whose sound is dropped."""
    views: int
    """Augmented copies of each recording whose tokens are cached."""


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that decides what is trained."""

    name: str
    version: str
    weights_licence: str
    """What the corpora's terms leave to a user of the weights."""
    labels: list[str]
    seed: int
    sound: Sound
    picture: Picture
    voice_crop_s: float
    """What a training step of the audio encoder hears of a voice; shorter than a window, so quicker."""
    widths: Widths
    data: Data
    fusion_weights: FusionWeights
    faces: Schedule
    """Stage 1: the image encoder, on face crops."""
    voices: Schedule
    """Stage 2: the audio encoder, on voices."""
    fusion: Schedule
    """Stage 3: the fusion, on the frozen encoders' tokens."""

    def __post_init__(self) -> None:
        for name, seconds in (("window_s", self.sound.window_s), ("voice_crop_s", self.voice_crop_s)):
            if round(seconds * self.sound.rate_hz) % TOKEN_SAMPLES:
                raise ValueError(f"{name} {seconds} is no multiple of {TOKEN_SAMPLES / self.sound.rate_hz} s, a token")


def load(path: Path) -> Config:
    """Read a configuration; UsageError names what is wrong with it and where."""
    if not path.is_file():
        raise UsageError(f"no configuration at {path}; the shipped ones are in configs/")
    try:
        return msgspec.yaml.decode(path.read_bytes(), type=Config)
    except msgspec.MsgspecError as error:
        raise UsageError(f"{path}: {error}") from error
