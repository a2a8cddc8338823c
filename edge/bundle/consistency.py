"""Consistency of a manifest: its labels, rates and sizes against the tensors of the three graphs.

Dimensions: H, W the sides of an image; S samples and Tv frames of a window; C labels, all as the manifest gives them;
Dv, Ta, Da, E as the fusion's tensors say. `*` is the batch.
"""

from collections import Counter
from pathlib import Path

from ..errors import BundleError
from .manifest import GraphName, Manifest, Tensor, sizes

TensorSpecs = list[tuple[str, str, list[int | str]]]
"""Name, type and shape of each tensor."""

REQUIRED_TENSORS: dict[GraphName, dict[str, TensorSpecs]] = {
    "image_encoder": {
        "inputs": [("frames", "uint8", ["*", "H", "W", 3])],
        "outputs": [("embedding", "float32", ["*", "Dv"])],
    },
    "audio_encoder": {
        "inputs": [("waveform", "float32", ["*", "S"]), ("length", "int64", ["*"])],
        "outputs": [("tokens", "float32", ["*", "Ta", "Da"]), ("mask", "bool", ["*", "Ta"])],
    },
    "fusion": {
        "inputs": [
            ("audio_tokens", "float32", ["*", "Ta", "Da"]),
            ("audio_mask", "bool", ["*", "Ta"]),
            ("video_tokens", "float32", ["*", "Tv", "Dv"]),
            ("video_mask", "bool", ["*", "Tv"]),
        ],
        "outputs": [
            ("logits", "float32", ["*", "C"]),
            ("audio_embedding", "float32", ["*", "E"]),
            ("video_embedding", "float32", ["*", "E"]),
        ],
    },
}


def check(manifest: Manifest, folder: Path) -> None:
    """Raise BundleError where two parts of the manifest of the bundle in `folder` contradict each other."""
    check_labels(manifest)
    known = dimensions(manifest)
    for name, entry in manifest.graphs.by_name().items():
        path = folder / entry.file.path
        if entry.batch.usual > entry.batch.largest:
            raise BundleError(
                f"{path} has a usual batch of {entry.batch.usual} rows, by the manifest, "
                f"at most its largest of {entry.batch.largest} is expected; export the checkpoint again"
            )
        for side, found in (("inputs", entry.inputs), ("outputs", entry.outputs)):
            check_tensors(path, side, found, REQUIRED_TENSORS[name][side], known)


def dimensions(manifest: Manifest) -> dict[str, int]:
    """Return the size of each dimension's letter, as far as the fusion's tensors have the dimensions to give it."""
    known = {
        "H": manifest.video.height,
        "W": manifest.video.width,
        "S": manifest.audio.samples,
        "Tv": manifest.frames,
        "C": len(manifest.labels),
    }
    fusion = manifest.graphs.fusion
    for side, found in (("inputs", fusion.inputs), ("outputs", fusion.outputs)):
        for tensor, (_, _, letters) in zip(found, REQUIRED_TENSORS["fusion"][side], strict=False):
            for size, letter in zip(tensor.shape[1:], letters[1:], strict=False):
                if isinstance(size, int):
                    known.setdefault(str(letter), size)
    return known


def check_labels(manifest: Manifest) -> None:
    """Raise BundleError where two labels are the same, or there are not as many as the fusion has logits."""
    repeated = [label for label, count in Counter(manifest.labels).items() if count > 1]
    if repeated:
        raise BundleError(
            f"{manifest.name} has the label {repeated[0]!r} more than once ({', '.join(manifest.labels)}), "
            "labels that differ are expected; export the checkpoint again"
        )
    classes = {tensor.name: tensor.shape[-1] for tensor in manifest.graphs.fusion.outputs if tensor.shape}.get("logits")
    if classes != len(manifest.labels):
        raise BundleError(
            f"{manifest.name} has {len(manifest.labels)} labels ({', '.join(manifest.labels)}) "
            f"for {classes} logits; export the checkpoint again"
        )


def check_tensors(path: Path, side: str, found: list[Tensor], required: TensorSpecs, known: dict[str, int]) -> None:
    """Raise BundleError unless a graph's tensors are the required ones, with the dimensions that are known."""
    actual = [(tensor.name, tensor.dtype, sizes(tensor.shape)) for tensor in found]
    expected = [(name, dtype, [known.get(str(letter), letter) for letter in shape]) for name, dtype, shape in required]
    if actual != expected:
        raise BundleError(
            f"{path} has {side} {actual}, by the manifest, whose labels, sound, picture and other graphs "
            f"need {expected}; export the checkpoint again"
        )
