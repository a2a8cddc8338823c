"""Training configuration: one YAML file, decoded strictly into typed structs."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from edge.bundle.manifest import AudioSpec, Share, Text, VideoSpec, VoiceSpec
from edge.errors import UsageError
from edge.session.config import MOST_PEOPLE
from edge.system.files import check_file, is_there
from edge.validation import UNREADABLE, explain
from edge.wire.messages import UNCERTAIN

RANDOM = "random"
"""Value of `weights` with which none are loaded and the encoder starts from random ones."""
Count = Annotated[int, Meta(ge=1)]
Weight = Annotated[float, Meta(ge=0)]
Positive = Annotated[float, Meta(gt=0)]
Seed = Annotated[int, Meta(ge=0, le=2**32 - 1)]
"""Seed that leaves room for the numbers of the steps in the 64 bits of torch's seeds."""


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Part of the configuration; an unknown field is an error."""


class NanoAudio(Part, frozen=True, tag="nano"):
    """Log-mel, a small transformer and a voice head, trained here."""

    width: Count
    """Da, width of an audio token."""
    voice: VoiceSpec
    """Judgement of a window by its voice; nothing in the encoder's training depends on it."""


class WavLM(Part, frozen=True, tag="wavlm"):
    """WavLM (Chen et al. 2022) from transformers: its convolutional stem frozen, the rest fine-tuned."""

    weights: str
    """A model on the Hugging Face hub, a local folder of one, or `random`."""
    width: Count
    """Da, width of an audio token."""
    layers: Count
    heads: Count
    feed_forward: Count
    """Width inside the feed-forward parts."""
    norm: Literal["layer", "group"]
    """Norm of the stem: `layer`, with a pre-norm transformer, as in WavLM-large; `group` as in WavLM-base-plus."""
    stem_width: Count = 512
    normalise: bool = True
    """True if the waveform is standardised over its length, as WavLM-large was pre-trained; published: false."""
    gradient_checkpointing: bool = False
    """True if layers are recomputed in the backward pass: less memory, about a third more time."""


class NanoImage(Part, frozen=True, tag="nano"):
    """A small residual network on face crops, trained here."""

    width: Count
    """Dv, width of a frame's embedding."""


class Clip(Part, frozen=True, tag="clip"):
    """The image tower of a CLIP (Radford et al. 2021) from open_clip, frozen."""

    architecture: str
    """Name of the architecture in open_clip, such as `ViT-L-14`."""
    weights: str
    """A pre-trained tag of open_clip, a local file, or `random`."""
    width: Count
    """Dv, width of a frame's embedding."""


class Fusion(Part, frozen=True):
    """Sizes of the fusion."""

    embedding: Count
    """E, width of the two AVEL embeddings."""
    heads: Count
    layers: Count
    """Cross-attention layers a stack."""
    product: bool = False
    """True if the logits of a classifier of each modality add up, and the cross-attention adds to them; the paper has
    none of this."""


class Objective(Part, frozen=True):
    """Weights of the loss `L = CE + avel * L_avel + mem * L_mem`, and switches whose defaults are correct."""

    avel: Weight
    mem: Weight
    audio_only: Share
    """Share of examples whose video is dropped before the classifier (modality dropout)."""
    video_only: Share
    """Share of examples whose audio is dropped before the classifier."""
    temperature: Literal["multiplies", "divides"] = "multiplies"
    """Use of the learned log scale. Published: `divides`, which keeps similarities below 0.38."""
    positives: Literal["mean", "sum"] = "mean"
    """Reduction over a row's positives. Published: `sum`; frequent labels weigh more, the loss grows with the batch."""
    gather_gradient: bool = True
    """True if gradients flow through gathered embeddings. Published: false, all of them are constant."""

    def __post_init__(self) -> None:
        if self.audio_only + self.video_only > 1:
            raise ValueError(
                f"audio_only {self.audio_only} and video_only {self.video_only} are more than all examples"
            )


class Schedule(Part, frozen=True):
    """Schedule of one stage: AdamW, classes drawn with equal probability."""

    epochs: Count
    batch: int
    """Batch size of all processes together, so that their number changes nothing."""
    learning_rate: Positive
    draws: Count | None = None
    """Examples drawn per epoch; all of them if not given."""
    rate: Literal["cosine", "constant"] = "cosine"
    """Learning-rate schedule: warm-up, then a cosine to zero; published: `constant`."""
    warmup_epochs: Weight = 1.0
    weight_decay: Weight = 0.05
    largest_gradient: Positive | None = 5.0
    """Norm to which gradients are clipped; published: no clipping."""
    label_smoothing: Share = 0.0
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    """Precision of the forward pass; weights and updates are always fp32."""
    save_steps: Count | None = None
    """Steps between saves within an epoch; the stage is always saved after each epoch."""

    def __post_init__(self) -> None:
        if not 1 <= self.batch <= (self.draws or self.batch):
            raise ValueError(f"batch {self.batch} must lie between 1 and draws {self.draws}")


class VoicesAndFaces(Part, frozen=True, tag="voices-and-faces"):
    """Encoders trained apart on voices and on faces, then the fusion on pairs of one label, of different people."""

    voices: Annotated[dict[str, Positive], Meta(min_length=1)]
    """Share of the draws by corpus."""
    validation_speakers: list[str]
    test_speakers: list[str]
    views: Count
    """Number of augmented copies of each recording whose tokens are cached for the fusion."""
    first_label_share: Share
    """Share of a face's first label in what the image encoder is taught; the rest are the raters' votes."""
    imitation: Weight
    """Weight of the loss by which the audio encoder learns to describe a voice as its teacher does; 0: no teacher."""
    faces_stage: Schedule
    """Stage 1: the image encoder, on face crops."""
    voices_stage: Schedule
    """Stage 2: the audio encoder, on voices."""
    fusion_stage: Schedule
    """Stage 3: the fusion, on the encoders' tokens."""
    moving_layers: bool = False
    """True if the audio encoder's transformer layers are trained with the fusion; false: both encoders are frozen."""


class Clips(Part, frozen=True, tag="clips"):
    """Clips with audio and video: the fusion trained on frozen image embeddings, together with the audio encoder.

    Nano encoders come from a trained network, and the audio encoder is frozen, too.
    """

    corpus: str
    speaker_half: bool
    """True if only the speaker's half of the frame is used where two people share it side by side."""
    stage: Schedule
    people: Annotated[int, Meta(ge=1, le=MOST_PEOPLE)] = 1
    """Number of people in a picture who are followed at most; of several, the one whose mouth goes with the voice is
    the speaker. With 1, the largest face is, or all of the frame."""

    def __post_init__(self) -> None:
        if self.people > 1 and self.speaker_half:
            raise ValueError(
                f"people {self.people} with speaker_half true: the speaker's place is either found or known; "
                "give people: 1, or speaker_half: false"
            )


class Config(Part, frozen=True):
    """Everything that decides what is trained."""

    name: Text
    version: Text
    weights_licence: str
    """Licence of the weights that the corpora's terms allow."""
    labels: list[Text]
    seed: Seed
    audio: AudioSpec = msgspec.field(name="sound")
    video: VideoSpec = msgspec.field(name="picture")
    audio_encoder: NanoAudio | WavLM
    image_encoder: NanoImage | Clip
    fusion: Fusion
    objective: Objective
    recipe: VoicesAndFaces | Clips

    def __post_init__(self) -> None:
        if len(set(self.labels)) < max(2, len(self.labels)):
            raise ValueError(f"labels {', '.join(self.labels)}: at least two are expected, each once")
        if UNCERTAIN in self.labels:
            raise ValueError(f"label {UNCERTAIN} is what the runtime says where it has no label; choose another word")
        for part in (self.audio_encoder, self.image_encoder):
            if part.width % self.fusion.heads:
                raise ValueError(f"width {part.width} is not a multiple of the fusion's {self.fusion.heads} heads")
        if isinstance(self.audio_encoder, NanoAudio) and self.audio_encoder.voice.least_s > self.audio.window_s:
            least_s, window_s = self.audio_encoder.voice.least_s, self.audio.window_s
            raise ValueError(f"voice: least_s {least_s:g} is above the sound's window_s {window_s:g}")
        encoders = (type(self.audio_encoder), type(self.image_encoder))
        if isinstance(self.recipe, Clips):
            if encoders not in ((WavLM, Clip), (NanoAudio, NanoImage)):
                raise ValueError(
                    "a recipe of clips takes encoders of the types wavlm and clip, or both of the type nano"
                )
            if self.recipe.people > 1 and self.video.framing != "face":
                raise ValueError(
                    f"people {self.recipe.people} are told apart by their faces, but the picture's framing is "
                    f"{self.video.framing}; give framing: face, or people: 1"
                )
            return
        if encoders != (NanoAudio, NanoImage):
            raise ValueError("a recipe of voices-and-faces takes encoders of the type nano")


def voices_and_faces(config: Config) -> VoicesAndFaces:
    """Return the recipe of voices and faces; UsageError if the configuration has another recipe."""
    if not isinstance(config.recipe, VoicesAndFaces):
        raise UsageError(f"{config.name} is trained on clips; this needs a configuration of voices and faces")
    return config.recipe


def clips(config: Config) -> Clips:
    """Return the recipe of clips; UsageError if the configuration has another recipe."""
    if not isinstance(config.recipe, Clips):
        raise UsageError(f"{config.name} is trained on voices and faces; this needs a configuration of clips")
    return config.recipe


def load(path: Path) -> Config:
    """Read a configuration; UsageError names the fault and its field."""
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
