"""What a bundle says of itself: `manifest.json` as typed structs, decoded strictly."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ..errors import BundleError
from ..validation import UNREADABLE, explain

SCHEMA = 1
AGAIN = "take the bundle again or export it again"
"""The remedy for a damaged bundle."""
Precision = Literal["fp32", "fp16", "int8"]
GraphName = Literal["image_encoder", "audio_encoder", "fusion"]
FramingName = Literal["whole", "face"]
Text = Annotated[str, Meta(min_length=1)]
DIGEST = "64 hex digits"
Share = Annotated[float, Meta(ge=0, le=1)]
Side = Annotated[int, Meta(ge=1, le=4096)]
"""Of a picture, in pixels."""


class AudioSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the audio encoder hears."""

    rate_hz: Annotated[int, Meta(ge=1, le=384_000)]
    window_s: Annotated[float, Meta(gt=0, le=60)]
    """Length of a window; the waveform is padded with zeros to it."""

    @property
    def samples(self) -> int:
        """Samples in a whole window, S."""
        return round(self.rate_hz * self.window_s)


class VideoSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the image encoder sees."""

    rate_hz: Annotated[float, Meta(gt=0, le=240)]
    """Frames encoded per second; the others are left out."""
    height: Side
    width: Side
    framing: FramingName


class Tensor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One input or output of a graph."""

    name: Text
    dtype: Literal["uint8", "bool", "int64", "float32"]
    shape: list[Annotated[int, Meta(ge=1)] | Text]
    """A name stands for a dimension that may vary."""


def sizes(shape: Sequence[int | str | None]) -> list[int | str]:
    """A shape whose varying dimensions all read `*`, as their names may differ."""
    return [size if isinstance(size, int) else "*" for size in shape]


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of the bundle."""

    path: Text
    """Relative to the bundle, with forward slashes."""
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description=DIGEST)]


class Batch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many rows a graph is run on at once, from 1 on."""

    usual: Annotated[int, Meta(ge=1)]
    """What an engine is tuned for."""
    largest: Annotated[int, Meta(ge=1, le=1024)]
    """More are split."""


class GraphEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of the three graphs."""

    file: File
    weights: File | None
    """Where they do not lie in the graph's own file (ONNX external data)."""
    precision: Precision
    kept_fp32: list[str]
    """Operators that a lower precision could take and leaves in fp32, by name."""
    tolerance: Annotated[float, Meta(gt=0, le=100)]
    """Largest absolute difference from the golden outputs that a backend may show."""
    batch: Batch
    inputs: list[Tensor]
    outputs: list[Tensor]

    @property
    def files(self) -> list[File]:
        """All that the graph is made of."""
        return [self.file, *([self.weights] if self.weights else [])]


class Graphs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The three graphs, in the order of the data flow."""

    image_encoder: GraphEntry
    audio_encoder: GraphEntry
    fusion: GraphEntry

    def by_name(self) -> dict[GraphName, GraphEntry]:
        """Each graph under its name."""
        return {"image_encoder": self.image_encoder, "audio_encoder": self.audio_encoder, "fusion": self.fusion}


class Comparison(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a precision below fp32 changes, on windows of the validation part."""

    windows: Annotated[int, Meta(ge=1)]
    ua_fp32: Share
    """Mean of the classes' recalls, 0..1."""
    ua: Share
    """The same in this bundle's precision."""
    mean_difference: Share
    """Of the probabilities, absolute, over windows and labels."""
    largest_difference: Share


class Licences(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Under what terms the parts may be used."""

    code: str
    weights: str


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`manifest.json`, schema 1."""

    schema: int
    name: Text
    version: Text
    labels: Annotated[list[Text], Meta(min_length=1)]
    """In the order of the logits."""
    audio: AudioSpec = msgspec.field(name="sound")
    video: VideoSpec = msgspec.field(name="picture")
    graphs: Graphs
    golden: File
    """npz of inputs and expected outputs, `graph/tensor` -> array."""
    compared: Comparison | None
    """None where all graphs are fp32."""
    temperature: Annotated[float, Meta(ge=0.01, le=100)]
    """Divides the logits before the softmax."""
    trained_on: list[str]
    licences: Licences
    measured: dict[str, dict[str, float]]
    """Evaluation at export, e.g. `test both` -> ua, wa, ece, count."""
    golden_probabilities: dict[Text, list[Share]] | None = None
    """What each label has in each row of the fusion's golden logits, calibrated; None where it was not written yet."""

    @property
    def frames(self) -> int:
        """Frames in a whole window, Tv."""
        return round(self.video.rate_hz * self.audio.window_s)


class SchemaOnly(msgspec.Struct):
    """The one field of a manifest that every version has."""

    schema: int


def encode_manifest(manifest: Manifest) -> bytes:
    """The content of `manifest.json`."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"


def decode_manifest(text: bytes, path: Path) -> Manifest:
    """Decode a manifest strictly, the schema first, so that a newer one is named as such."""
    try:
        schema = msgspec.json.decode(text, type=SchemaOnly).schema
        if schema != SCHEMA:
            raise BundleError(
                f"{path} has schema {schema}, this program reads schema {SCHEMA}; "
                + ("update foal-edge" if schema > SCHEMA else "export the checkpoint again")
            )
        return msgspec.json.decode(text, type=Manifest)
    except UNREADABLE as error:
        raise BundleError(f"{path} is damaged: {explain(error, text, Manifest)}; {AGAIN}") from error
