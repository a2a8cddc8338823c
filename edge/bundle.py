"""A bundle: a folder of three ONNX graphs, golden vectors, and the manifest that says what they are.

It is all that the making side hands to the live side. Whatever the manifest does not explain is refused.
"""

import hashlib
from pathlib import Path, PurePosixPath
from typing import Literal

import msgspec

from .errors import BundleError
from .framing import FramingName

SCHEMA = 1
MANIFEST = "manifest.json"
Precision = Literal["fp32", "fp16", "int8"]
GraphName = Literal["image_encoder", "audio_encoder", "fusion"]
SHIPPED = Path(__file__).parent / "models" / "foal-nano"
"""The bundle that comes with the package."""


class Sound(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the audio encoder hears."""

    rate_hz: int
    window_s: float
    """Length of a window; the waveform is padded with zeros to it."""

    @property
    def samples(self) -> int:
        """Samples in a whole window, S."""
        return round(self.rate_hz * self.window_s)


class Picture(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the image encoder sees."""

    rate_hz: float
    """Frames encoded per second; the others are left out."""
    height: int
    width: int
    framing: FramingName


class Tensor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One input or output of a graph."""

    name: str
    dtype: Literal["uint8", "bool", "int64", "float32"]
    shape: list[int | str]
    """A name stands for a dimension that may vary."""


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of the bundle."""

    path: str
    """Relative to the bundle, with forward slashes."""
    sha256: str


class Batch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many rows a graph is run on at once, from 1 on."""

    usual: int
    """What an engine is tuned for."""
    largest: int
    """More are split."""


class GraphEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of the three graphs."""

    file: File
    weights: File | None
    """Where they do not lie in the graph's own file (ONNX external data)."""
    precision: Precision
    kept_fp32: list[str]
    """Operators that a lower precision leaves in fp32, by name."""
    tolerance: float
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

    windows: int
    ua_fp32: float
    """Mean of the classes' recalls, 0..1."""
    ua: float
    """The same in this bundle's precision."""
    mean_difference: float
    """Of the probabilities, absolute, over windows and labels."""
    largest_difference: float


class Licences(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Under what terms the parts may be used."""

    code: str
    weights: str


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`manifest.json`, schema 1."""

    schema: int
    name: str
    version: str
    labels: list[str]
    """In the order of the logits."""
    sound: Sound
    picture: Picture
    graphs: Graphs
    golden: File
    """npz of inputs and expected outputs, `graph/tensor` -> array."""
    compared: Comparison | None
    """None where all graphs are fp32."""
    temperature: float
    """Divides the logits before the softmax."""
    trained_on: list[str]
    licences: Licences
    measured: dict[str, dict[str, float]]
    """Evaluation at export, e.g. `test both` -> ua, wa, ece, count."""

    @property
    def frames(self) -> int:
        """Frames in a whole window, Tv."""
        return round(self.picture.rate_hz * self.sound.window_s)


class Bundle(msgspec.Struct, frozen=True):
    """A bundle on disk whose files are what its manifest says."""

    folder: Path
    manifest: Manifest

    def path(self, file: File) -> Path:
        """Where one of its files lies."""
        return self.folder / file.path


def load(folder: Path) -> Bundle:
    """Read and verify a bundle; BundleError says what was found, what was expected, and the remedy."""
    path = folder / MANIFEST
    if not path.is_file():
        raise BundleError(f"no bundle at {folder}: it has no {MANIFEST}; python -m export bundle makes one")
    manifest = decode_manifest(path.read_bytes(), path)
    for entry in manifest.graphs.by_name().values():
        for file in entry.files:
            verify(folder, file)
    verify(folder, manifest.golden)
    check_labels(manifest)
    return Bundle(folder, manifest)


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
    except msgspec.MsgspecError as error:
        raise BundleError(f"{path} is damaged: {error}; take the bundle again or export it again") from error


class SchemaOnly(msgspec.Struct):
    """The one field of a manifest that every version has."""

    schema: int


def verify(folder: Path, file: File) -> None:
    """BundleError unless the file lies inside the folder and has the hash that the manifest gives."""
    relative = PurePosixPath(file.path)
    if relative.is_absolute() or ".." in relative.parts or {"\\", "\0"} & set(file.path):
        raise BundleError(f"{folder / MANIFEST} names {file.path!r}, which leaves the bundle; do not use this bundle")
    path = folder / relative
    if not path.resolve().is_relative_to(folder.resolve()):
        raise BundleError(f"{path} is a link that leaves the bundle; do not use this bundle")
    if not path.is_file():
        raise BundleError(f"{path} is missing; take the bundle again or export it again")
    found = sha256(path)
    if found != file.sha256:
        raise BundleError(
            f"{path} is damaged: its sha256 is {found}, {MANIFEST} says {file.sha256}; "
            "take the bundle again or export it again"
        )


def sha256(path: Path) -> str:
    """Of a file's content, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while part := stream.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()


def check_labels(manifest: Manifest) -> None:
    """BundleError where the labels are not as many as the fusion's logits."""
    classes = {tensor.name: tensor.shape[-1] for tensor in manifest.graphs.fusion.outputs}.get("logits")
    if classes != len(manifest.labels):
        raise BundleError(
            f"{manifest.name} has {len(manifest.labels)} labels ({', '.join(manifest.labels)}) "
            f"for {classes} logits; export the checkpoint again"
        )
