"""Golden vectors: inputs and expected outputs of each graph, and the probability of each label that they give."""

import io
import math
import reprlib
import zipfile
from collections import Counter
from typing import Any

import numpy as np

from ..errors import BundleError
from .calibration import Array, softmax
from .load import MANIFEST, Bundle
from .manifest import DAMAGED_REMEDY, GraphEntry, GraphName, Manifest, Tensor
from .video_head import classify

LARGEST_BATCH = 64
LARGEST_BYTES = 1 << 28
"""Size of one array."""
LONGEST_HEADER = 4096
"""Size of the header of an array in the file, in bytes; numpy writes 128."""
DIGITS = 6
"""Decimal places of a golden probability."""
PROBABILITY_TOLERANCE = 1e-5
"""Largest difference of a golden probability: it is computed again from the same logits, alike on any processor."""
LOGIT_TOLERANCE = 1e-3
"""Largest difference of a golden logit of the video head, which is in fp32 whatever the graphs are in."""
COMPRESSIONS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
"""Compressions that numpy writes; others take as much memory as their data claim."""


def load(bundle: Bundle) -> dict[GraphName, dict[str, Array]]:
    """Return the golden arrays of each graph, `[batch, ...]` by the names of its tensors.

    BundleError where the file is damaged. Its headers are compared with the manifest before anything is allocated, and
    nothing is unpickled.
    """
    path = bundle.path(bundle.manifest.golden)
    graphs = bundle.manifest.graphs.by_name()
    expected = Counter(
        array_file(name, tensor) for name, entry in graphs.items() for tensor in entry.inputs + entry.outputs
    )
    try:
        with zipfile.ZipFile(path) as archive:
            found = Counter(archive.namelist())
            if found != expected:
                missing, surplus = (reprlib.repr(sorted(names)) for names in (expected - found, found - expected))
                raise BundleError(f"it lacks the manifest's {missing}, and has {surplus} beyond them or twice")
            vectors = {name: read_graph(archive, name, entry) for name, entry in graphs.items()}
    except Exception as error:  # what zipfile, zlib and numpy raise at damage shares no base class
        raise BundleError(f"{path} is damaged: {error}; {DAMAGED_REMEDY}") from error
    check_labels(bundle, vectors["fusion"]["logits"])
    check_video_head(bundle, vectors["fusion"])
    return vectors


def probabilities(manifest: Manifest, logits: Array) -> dict[str, Array]:
    """Return the probability of each label, `[batch]`, by the manifest's order of labels and its temperature."""
    probs = softmax(logits.astype(np.float64) / manifest.temperature)
    return dict(zip(manifest.labels, probs.T, strict=True))


def check_labels(bundle: Bundle, logits: Array) -> None:
    """Raise BundleError where the labels, their order or the temperature do not give the golden probabilities."""
    expected, path = bundle.manifest.golden_probabilities, bundle.folder / MANIFEST
    if expected is None:
        return
    found = probabilities(bundle.manifest, logits)
    if set(expected) != set(found):
        raise BundleError(
            f"{path} is damaged: it has golden probabilities of {reprlib.repr(list(expected))}, those of its labels "
            f"{reprlib.repr(list(found))} are expected; {DAMAGED_REMEDY}"
        )
    for label, probs in found.items():
        written = np.array(expected[label])
        if written.shape != probs.shape or not (np.abs(written - probs) <= PROBABILITY_TOLERANCE).all():
            raise BundleError(
                f"{path} is damaged: its labels, in their order, and its temperature give {label!r} the golden "
                f"probabilities {format_rounded(probs)}, {format_rounded(written)} are expected; {DAMAGED_REMEDY}"
            )


def check_video_head(bundle: Bundle, fusion: dict[str, Array]) -> None:
    """Raise BundleError where the video head gives other logits than the golden ones of windows without audio."""
    head = bundle.manifest.video_head
    if head is None:
        return
    frames, audio, expected = fusion["video_mask"], fusion["audio_mask"], fusion["logits"]
    for row in np.flatnonzero(frames.any(axis=1) & ~audio.any(axis=1)):
        found = classify(head, fusion["video_tokens"][row][frames[row]])
        if not (np.abs(found - expected[row]) <= LOGIT_TOLERANCE).all():
            raise BundleError(
                f"{bundle.folder / MANIFEST} is damaged: its video_head gives the logits {format_rounded(found)}, the "
                f"golden ones {format_rounded(expected[row])} are expected; {DAMAGED_REMEDY}"
            )


def format_rounded(numbers: Array) -> str:
    """Return the first few numbers, rounded."""
    return reprlib.repr([round(float(number), DIGITS) for number in numbers])


def array_file(name: GraphName, tensor: Tensor) -> str:
    """Return the name of an array's file in the archive."""
    return f"{name}/{tensor.name}.npy"


def read_graph(archive: zipfile.ZipFile, name: GraphName, entry: GraphEntry) -> dict[str, Array]:
    """Return the arrays of one graph, all with the batch of the first one."""
    arrays: dict[str, Array] = {}
    for tensor in entry.inputs + entry.outputs:
        info = archive.getinfo(array_file(name, tensor))
        batch = len(next(iter(arrays.values()))) if arrays else None
        check_header(archive, info, tensor, batch)
        with archive.open(info) as stream:
            array: Array = np.lib.format.read_array(stream, allow_pickle=False)
        if not np.isfinite(array).all():
            raise BundleError(f"{info.filename} has NaN or infinite values, finite ones are expected")
        arrays[tensor.name] = array
    return arrays


def check_header(archive: zipfile.ZipFile, info: zipfile.ZipInfo, tensor: Tensor, batch: int | None) -> None:
    """Raise BundleError unless the array is what the manifest says; a batch of None stands for any."""
    if info.compress_type not in COMPRESSIONS:
        raise BundleError(f"{info.filename} has compression {info.compress_type}, 0 or 8 is expected")
    with archive.open(info) as stream:
        shape, dtype, header_bytes = read_header(stream.read(LONGEST_HEADER))
    rows = batch or (shape[0] if shape and shape[0] <= LARGEST_BATCH else LARGEST_BATCH)
    expected = (max(rows, 1), *tensor.shape[1:])
    if (shape, dtype) != (expected, np.dtype(tensor.dtype)):
        raise BundleError(
            f"{info.filename} is {dtype} {list(shape)}, {tensor.dtype} {list(expected)} is expected "
            f"(the batch: one for all arrays of a graph, at most {LARGEST_BATCH})"
        )
    size = math.prod(shape) * dtype.itemsize
    if size > LARGEST_BYTES or info.file_size != header_bytes + size:
        raise BundleError(
            f"{info.filename} claims {info.file_size} bytes for {size} of values, "
            f"a header of {header_bytes} and at most {LARGEST_BYTES} are expected"
        )


def read_header(head: bytes) -> tuple[tuple[int, ...], "np.dtype[Any]", int]:
    """Return the shape and type of an array, and the length of the header that says so, in bytes."""
    stream = io.BytesIO(head)
    version = np.lib.format.read_magic(stream)
    if version != (1, 0):
        raise BundleError(f"an array is in npy format {version}, (1, 0) is expected")
    shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    return shape, dtype, stream.tell()
