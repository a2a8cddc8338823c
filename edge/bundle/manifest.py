"""Manifest of a bundle: `manifest.json` as typed structs, decoded strictly."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ..errors import BundleError
from ..validation import UNREADABLE, explain

SCHEMA = 1
DAMAGED_REMEDY = "take the bundle again or export it again"
"""Remedy for a damaged bundle."""
Precision = Literal["fp32", "fp16", "int8"]
GraphName = Literal["image_encoder", "audio_encoder", "fusion"]
FramingName = Literal["whole", "face"]
Text = Annotated[str, Meta(min_length=1)]
DIGEST = "64 hex digits"
Share = Annotated[float, Meta(ge=0, le=1)]
Side = Annotated[int, Meta(ge=1, le=4096)]
"""Width or height of an image, in pixels."""


class AudioSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Input of the audio encoder."""

    rate_hz: Annotated[int, Meta(ge=1, le=384_000)]
    window_s: Annotated[float, Meta(gt=0, le=60)]
    """Length of a window in seconds; a shorter waveform is padded with zeros."""

    @property
    def samples(self) -> int:
        """Number of samples in a whole window, S."""
        return round(self.rate_hz * self.window_s)


class VoiceSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Judgement of a window by the audio encoder's output `voice`: with too little of it, its audio is left out."""

    threshold: Annotated[float, Meta(gt=0, lt=1)]
    """Probability from which a token counts as voice: speech, laughter or crying."""
    least_s: Annotated[float, Meta(gt=0)]
    """Seconds of voice from which on a window's audio counts; at most the window."""


class Frames(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Frames that an audio encoder takes of the tokens before a piece, and gives of the piece for later ones."""

    before: Annotated[int, Meta(ge=1, le=4096)]
    """Number of tokens before the piece whose frames it takes."""
    width: Annotated[int, Meta(ge=1, le=1 << 20)]
    """Number of values in the frames of one token."""
    seen: Annotated[int, Meta(ge=1, le=4096)]
    """Number of tokens up to the piece's end that it gives, all of them right where the sound begins with the first."""
    overlap: Annotated[int, Meta(ge=0, le=4096)]
    """Samples on either side of the piece that it takes, too."""


class PieceSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Feeding of an audio encoder with pieces of a sound, each of which gives the newest tokens up to its end.

    A token given depends on the sound of its piece alone, and on the frames before it where there are `frames`. The
    fusion takes those of a window, the oldest first.
    """

    tokens: Annotated[int, Meta(ge=1, le=4096)]
    """Length of a piece, in tokens."""
    given: Annotated[int, Meta(ge=1, le=4096)]
    """Number of tokens that are right where the sound begins before them, the newest."""
    unsettled: Annotated[int, Meta(ge=0, le=4096)]
    """Number of the newest of them that change when sound follows; fewer than are given."""
    frames: Frames | None = None
    """Frames that the encoder takes and gives; None where a piece holds all that its tokens depend on."""

    @property
    def seen(self) -> int:
        """Number of tokens that the encoder gives, right or not."""
        return self.frames.seen if self.frames else self.given

    @property
    def overlap(self) -> int:
        """Samples on either side of a piece that the encoder takes, too."""
        return self.frames.overlap if self.frames else 0

    @property
    def past(self) -> int:
        """Number of tokens before the first token given on which it depends."""
        return self.frames.before + self.tokens - self.given if self.frames else self.tokens - self.given


class VideoSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Input of the image encoder."""

    rate_hz: Annotated[float, Meta(gt=0, le=240)]
    """Frames encoded per second; others are left out."""
    height: Side
    width: Side
    framing: FramingName


class Tensor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One input or output of a graph."""

    name: Text
    dtype: Literal["uint8", "bool", "int64", "float32"]
    shape: list[Annotated[int, Meta(ge=1)] | Text]
    """Sizes of the dimensions; a name stands for one that may vary."""


def sizes(shape: Sequence[int | str | None]) -> list[int | str]:
    """Return a shape whose varying dimensions all read `*`, as their names may differ."""
    return [size if isinstance(size, int) else "*" for size in shape]


class VideoHead(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Classifier of the mean embedding of a window: it gives the fusion's logits where there is no audio."""

    weight: bytes
    """float32 `[C, Dv]`, little-endian, row by row; base64 in the file."""
    bias: list[float]
    """`[C]`."""


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of the bundle."""

    path: Text
    """Path relative to the bundle, with forward slashes."""
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description=DIGEST)]


class Batch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Number of rows that a graph is run on at once, from 1 on."""

    usual: Annotated[int, Meta(ge=1)]
    """Number of rows that an engine is tuned for."""
    largest: Annotated[int, Meta(ge=1, le=1024)]
    """Largest number of rows; a larger batch is split."""


class GraphEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of the three graphs."""

    file: File
    weights: File | None
    """File of the weights where they are not in the graph's own file (ONNX external data)."""
    precision: Precision
    kept_fp32: list[str]
    """Names of the operators that stay in fp32 though the graph's precision could take them."""
    tolerance: Annotated[float, Meta(gt=0, le=100)]
    """Largest absolute difference from the golden outputs that a backend may show."""
    batch: Batch
    inputs: list[Tensor]
    outputs: list[Tensor]

    @property
    def files(self) -> list[File]:
        """All files that the graph is made of."""
        return [self.file, *([self.weights] if self.weights else [])]


class Graphs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The three graphs, in the order of the data flow."""

    image_encoder: GraphEntry
    audio_encoder: GraphEntry
    fusion: GraphEntry

    def by_name(self) -> dict[GraphName, GraphEntry]:
        """Return the graphs by name."""
        return {"image_encoder": self.image_encoder, "audio_encoder": self.audio_encoder, "fusion": self.fusion}


class Comparison(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Effect of a precision below fp32, on windows of the validation part."""

    windows: Annotated[int, Meta(ge=1)]
    ua_fp32: Share
    """Unweighted accuracy in fp32: the mean of the classes' recalls, 0..1."""
    ua: Share
    """Unweighted accuracy in this bundle's precision, 0..1."""
    mean_difference: Share
    """Mean absolute difference of the probabilities, over windows and labels."""
    largest_difference: Share


class Licences(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Licences of the parts."""

    code: str
    weights: str


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Content of `manifest.json`, schema 1."""

    schema: int
    name: Text
    version: Text
    labels: Annotated[list[Text], Meta(min_length=1)]
    """Labels in the order of the logits."""
    audio: AudioSpec = msgspec.field(name="sound")
    video: VideoSpec = msgspec.field(name="picture")
    graphs: Graphs
    golden: File
    """File of inputs and expected outputs: an npz of `graph/tensor` -> array."""
    compared: Comparison | None
    """Effect of a lower precision; None where all graphs are in fp32."""
    temperature: Annotated[float, Meta(ge=0.01, le=100)]
    """Divisor of the logits before the softmax."""
    trained_on: list[str]
    licences: Licences
    measured: dict[str, dict[str, float]]
    """Figures of the evaluation at export, e.g. `test both` -> ua, wa, ece, count."""
    golden_probabilities: dict[Text, list[Share]] | None = None
    """Calibrated probability of each label in each row of the fusion's golden logits; None in older bundles."""
    voice: VoiceSpec | None = None
    """Use of the audio encoder's output `voice`; None where it has none."""
    pieces: PieceSpec | None = None
    """Pieces that the audio encoder takes; None where it takes whole windows."""
    video_head: VideoHead | None = None
    """Classifier of windows without audio; None where these go through the fusion, too."""

    @property
    def window_tokens(self) -> int:
        """Number of tokens in a whole window, Ta."""
        return int(self.graphs.fusion.inputs[0].shape[1])

    @property
    def token_samples(self) -> int:
        """Number of samples that one token stands for, where the audio encoder takes pieces."""
        return self.audio.samples // self.window_tokens

    @property
    def piece_samples(self) -> int:
        """Number of samples of a piece that the encoder takes, P; 0 where the audio encoder takes whole windows."""
        return self.pieces.tokens * self.token_samples + 2 * self.pieces.overlap if self.pieces else 0

    @property
    def token_s(self) -> float:
        """Seconds of audio that one token stands for."""
        return self.audio.window_s / self.window_tokens

    @property
    def frames(self) -> int:
        """Number of frames in a whole window, Tv."""
        return round(self.video.rate_hz * self.audio.window_s)

    @property
    def is_quantized(self) -> bool:
        """True if a graph is in int8, which is quantised as ONNX Runtime's CPU kernels want it."""
        return any(entry.precision == "int8" for entry in self.graphs.by_name().values())


class SchemaOnly(msgspec.Struct):
    """Fields of a manifest that every version has."""

    schema: int


def encode_manifest(manifest: Manifest) -> bytes:
    """Return the content of `manifest.json`."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"


def decode_manifest(text: bytes, path: Path) -> Manifest:
    """Decode a manifest strictly, the schema first, so that a newer one is named as such; BundleError where damaged."""
    try:
        schema = msgspec.json.decode(text, type=SchemaOnly).schema
        if schema != SCHEMA:
            raise BundleError(
                f"{path} has schema {schema}, this program reads schema {SCHEMA}; "
                + ("update foal-edge" if schema > SCHEMA else "export the checkpoint again")
            )
        return msgspec.json.decode(text, type=Manifest)
    except UNREADABLE as error:
        raise BundleError(f"{path} is damaged: {explain(error, text, Manifest)}; {DAMAGED_REMEDY}") from error
