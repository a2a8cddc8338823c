"""Golden vectors: inputs and expected outputs of each graph, and what probability each label has by them."""

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
from .manifest import AGAIN, GraphEntry, GraphName, Manifest, Tensor

LARGEST_BATCH = 64
LARGEST_BYTES = 1 << 28
"""Of one array."""
LONGEST_HEADER = 4096
"""Of an array in the file, in bytes; numpy writes 128."""
DIGITS = 6
"""Of a golden probability, behind the point."""
ALIKE = 1e-5
"""What golden probabilities may differ by: they are reckoned anew from the same logits, on any processor alike."""
COMPRESSIONS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
"""What numpy writes; others take as much memory as their data claim."""


def load(bundle: Bundle) -> dict[GraphName, dict[str, Array]]:
    """The golden arrays of each graph, `[batch, ...]` by the names of its tensors.

    What the file claims is compared with the manifest before anything is allocated, and nothing is unpickled.
    """
    path = bundle.path(bundle.manifest.golden)
    graphs = bundle.manifest.graphs.by_name()
    wanted = Counter(member(name, tensor) for name, entry in graphs.items() for tensor in entry.inputs + entry.outputs)
    try:
        with zipfile.ZipFile(path) as archive:
            found = Counter(archive.namelist())
            if found != wanted:
                lacking, surplus = (reprlib.repr(sorted(names)) for names in (wanted - found, found - wanted))
                raise BundleError(f"it lacks the manifest's {lacking}, and has {surplus} beyond them or twice")
            vectors = {name: read_graph(archive, name, entry) for name, entry in graphs.items()}
    except Exception as error:  # what zipfile, zlib and numpy raise at damage shares no base class
        raise BundleError(f"{path} is damaged: {error}; {AGAIN}") from error
    check_labels(bundle, vectors["fusion"]["logits"])
    return vectors


def probabilities(manifest: Manifest, logits: Array) -> dict[str, Array]:
    """What each label has by the manifest's order and temperature, `[batch]`."""
    probs = softmax(logits.astype(np.float64) / manifest.temperature)
    return dict(zip(manifest.labels, probs.T, strict=True))


def check_labels(bundle: Bundle, logits: Array) -> None:
    """BundleError where the labels, their order or the temperature are not what the golden probabilities came from."""
    expected, path = bundle.manifest.golden_probabilities, bundle.folder / MANIFEST
    if expected is None:
        return
    found = probabilities(bundle.manifest, logits)
    if set(expected) != set(found):
        raise BundleError(
            f"{path} is damaged: it has golden probabilities of {reprlib.repr(list(expected))}, those of its labels "
            f"{reprlib.repr(list(found))} are expected; {AGAIN}"
        )
    for label, probs in found.items():
        written = np.array(expected[label])
        if written.shape != probs.shape or not (np.abs(written - probs) <= ALIKE).all():
            raise BundleError(
                f"{path} is damaged: its labels, in their order, and its temperature give {label!r} the golden "
                f"probabilities {shown(probs)}, {shown(written)} are expected; {AGAIN}"
            )


def shown(numbers: Array) -> str:
    """The first few, rounded."""
    return reprlib.repr([round(float(number), DIGITS) for number in numbers])


def member(name: GraphName, tensor: Tensor) -> str:
    """An array's name in the file."""
    return f"{name}/{tensor.name}.npy"


def read_graph(archive: zipfile.ZipFile, name: GraphName, entry: GraphEntry) -> dict[str, Array]:
    """The arrays of one graph, all with the batch of the first."""
    arrays: dict[str, Array] = {}
    for tensor in entry.inputs + entry.outputs:
        info = archive.getinfo(member(name, tensor))
        batch = len(next(iter(arrays.values()))) if arrays else None
        check_header(archive, info, tensor, batch)
        with archive.open(info) as stream:
            array: Array = np.lib.format.read_array(stream, allow_pickle=False)
        if not np.isfinite(array).all():
            raise BundleError(f"{info.filename} has NaN or infinite values, finite ones are expected")
        arrays[tensor.name] = array
    return arrays


def check_header(archive: zipfile.ZipFile, info: zipfile.ZipInfo, tensor: Tensor, batch: int | None) -> None:
    """BundleError unless the array is what the manifest says; a batch of None stands for any."""
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
    """Shape, type and the header's own length."""
    stream = io.BytesIO(head)
    version = np.lib.format.read_magic(stream)
    if version != (1, 0):
        raise BundleError(f"an array is in npy format {version}, (1, 0) is expected")
    shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    return shape, dtype, stream.tell()
