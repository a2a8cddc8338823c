"""A training configuration: one YAML file, decoded strictly into typed structs."""

from pathlib import Path
from typing import Literal

import msgspec

from edge.bundle.manifest import AudioSpec, VideoSpec
from edge.errors import UsageError
from edge.system.files import check_file, is_there
from edge.validation import UNREADABLE, explain

RANDOM = "random"
"""As `weights`: none are loaded, the encoder starts from random ones."""


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the configuration; an unknown field is an error."""


class NanoAudio(Part, frozen=True, tag="nano"):
    """Log-mel and a small transformer, trained here."""

    width: int
    """Da, width of an audio token."""


class WavLM(Part, frozen=True, tag="wavlm"):
    """WavLM (Chen et al. 2022) from transformers: its convolutional stem frozen, the rest fine-tuned."""

    weights: str
    """A model on the Hugging Face hub, a local folder of one, or `random`."""
    width: int
    """Da, width of an audio token."""
    layers: int
    heads: int
    feed_forward: int
    """Width inside the feed-forward parts."""
    norm: Literal["layer", "group"]
    """Of the stem, and with `layer` the transformer is pre-norm: WavLM-large; with `group`: WavLM-base-plus."""
    stem_width: int = 512
    normalise: bool = True
    """Waveform brought to mean 0, variance 1 over its length, as WavLM-large was pre-trained; published: false."""
    gradient_checkpointing: bool = False
    """Layers computed again in the backward pass: less memory, about a third more time."""


class NanoImage(Part, frozen=True, tag="nano"):
    """A small residual network on face crops, trained here."""

    width: int
    """Dv, width of a frame's embedding."""


class Clip(Part, frozen=True, tag="clip"):
    """The image tower of a CLIP (Radford et al. 2021) from open_clip, frozen."""

    architecture: str
    """As open_clip names it, e.g. `ViT-L-14`."""
    weights: str
    """A pre-trained tag of open_clip, a local file, or `random`."""
    width: int
    """Dv, width of a frame's embedding."""


class Fusion(Part, frozen=True):
    """Sizes of the fusion."""

    embedding: int
    """E, width of the two AVEL embeddings."""
    heads: int
    layers: int
    """Cross-attention layers a stack."""


class Objective(Part, frozen=True):
    """What is lowered: `L = CE + avel * L_avel + mem * L_mem`. The defaults of the switches are what is right."""

    avel: float
    mem: float
    audio_only: float
    """Share of examples whose picture is dropped before the classifier (modality dropout)."""
    video_only: float
    """Share of examples whose sound is dropped."""
    temperature: Literal["multiplies", "divides"] = "multiplies"
    """Published: `divides`, by a number meant as the logarithm of a multiplier: similarities stay within 0.38."""
    positives: Literal["mean", "sum"] = "mean"
    """Published: `sum`, by which frequent labels weigh more and the loss grows with the batch."""
    gather_gradient: bool = True
    """Published: false, what is gathered from several processes (their own examples, too) is constant."""

    def __post_init__(self) -> None:
        if self.audio_only + self.video_only > 1:
            raise ValueError(
                f"audio_only {self.audio_only} and video_only {self.video_only} are more than all examples"
            )


class Schedule(Part, frozen=True):
    """How one stage is optimised: AdamW, classes drawn alike."""

    epochs: int
    batch: int
    """Of all processes together, so that their number changes nothing."""
    learning_rate: float
    draws: int | None = None
    """Examples drawn per epoch; as many as there are where none is given."""
    rate: Literal["cosine", "constant"] = "cosine"
    """Warm-up, then a cosine to zero; published: `constant`."""
    warmup_epochs: float = 1.0
    weight_decay: float = 0.05
    largest_gradient: float | None = 5.0
    """Norm to which gradients are clipped; published: not at all."""
    label_smoothing: float = 0.0
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    """Of the forward pass; weights and updates are fp32 in all."""
    save_steps: int | None = None
    """Steps after which a stage is written within an epoch, too; it always is after each epoch."""

    def __post_init__(self) -> None:
        if not 1 <= self.batch <= (self.draws or self.batch):
            raise ValueError(f"batch {self.batch} must lie between 1 and draws {self.draws}")


class VoicesAndFaces(Part, frozen=True, tag="voices-and-faces"):
    """Encoders trained apart on voices and on faces, then the fusion on pairs of one label, of different people."""

    voices: dict[str, float]
    """Corpus -> its share of the draws."""
    validation_speakers: list[str]
    test_speakers: list[str]
    voice_crop_s: float
    """What a training step of the audio encoder hears of a voice; shorter than a window, so quicker."""
    views: int
    """Augmented copies of each recording whose tokens are cached for the fusion."""
    faces_stage: Schedule
    """Stage 1: the image encoder, on face crops."""
    voices_stage: Schedule
    """Stage 2: the audio encoder, on voices."""
    fusion_stage: Schedule
    """Stage 3: the fusion, on the frozen encoders' tokens."""


class Clips(Part, frozen=True, tag="clips"):
    """Clips with sound and picture: audio encoder and fusion trained together on the frozen image embeddings."""

    corpus: str
    speaker_half: bool
    """Where two people share a picture side by side, only the speaker's half is looked at; else all of it."""
    stage: Schedule


class Config(Part, frozen=True):
    """Everything that decides what is trained."""

    name: str
    version: str
    weights_licence: str
    """What the corpora's terms leave to a user of the weights."""
    labels: list[str]
    seed: int
    audio: AudioSpec = msgspec.field(name="sound")
    video: VideoSpec = msgspec.field(name="picture")
    audio_encoder: NanoAudio | WavLM
    image_encoder: NanoImage | Clip
    fusion: Fusion
    objective: Objective
    recipe: VoicesAndFaces | Clips

    def __post_init__(self) -> None:
        for part in (self.audio_encoder, self.image_encoder):
            if part.width % self.fusion.heads:
                raise ValueError(f"width {part.width} is no multiple of the fusion's {self.fusion.heads} heads")
        encoders = (type(self.audio_encoder), type(self.image_encoder))
        if isinstance(self.recipe, Clips):
            if encoders != (WavLM, Clip):
                raise ValueError("a recipe of clips takes encoders of the types wavlm and clip")
            return
        if encoders != (NanoAudio, NanoImage):
            raise ValueError("a recipe of voices-and-faces takes encoders of the type nano")


def voices_and_faces(config: Config) -> VoicesAndFaces:
    """The recipe; UsageError where the configuration has another one."""
    if not isinstance(config.recipe, VoicesAndFaces):
        raise UsageError(f"{config.name} is trained on clips; this needs a configuration of voices and faces")
    return config.recipe


def clips(config: Config) -> Clips:
    """The recipe; UsageError where the configuration has another one."""
    if not isinstance(config.recipe, Clips):
        raise UsageError(f"{config.name} is trained on voices and faces; this needs a configuration of clips")
    return config.recipe


def load(path: Path) -> Config:
    """Read a configuration; UsageError names what is wrong with it and where."""
    remedy = "the shipped ones are in configs/"
    if not is_there(path) or path.is_dir():
        raise UsageError(f"no configuration at {path}; {remedy}")
    check_file(path, remedy)
    document = None
    try:
        document = msgspec.yaml.decode(path.read_bytes())
        return msgspec.convert(document, Config)
    except UNREADABLE as error:
        raise UsageError(f"{path}: {explain(error, document, Config)}") from error
