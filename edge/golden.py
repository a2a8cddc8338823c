"""Golden vectors: inputs and expected outputs of each graph, by which a device proves its own engines."""

import io
import math
import reprlib
import zipfile
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from .backends.base import Array, Backend, Graph
from .bundle import Bundle
from .errors import BundleError, EngineError
from .manifest import AGAIN, GraphEntry, GraphName, Tensor

LARGEST_BATCH = 64
LARGEST_BYTES = 1 << 28
"""Of one array."""
LONGEST_HEADER = 4096
"""Of an array in the file, in bytes; numpy writes 128."""
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
            return {name: read_graph(archive, name, entry) for name, entry in graphs.items()}
    except Exception as error:  # what zipfile, zlib and numpy raise at damage shares no base class
        raise BundleError(f"{path} is damaged: {error}; {AGAIN}") from error


def prove(bundle: Bundle, backend: Backend) -> None:
    """EngineError where a graph computes something else than its golden outputs."""
    vectors = load(bundle)
    for name, entry in bundle.manifest.graphs.by_name().items():
        worst = max(difference(graph_of(backend, name), entry, vectors[name]).values())
        if not worst <= entry.tolerance:
            raise EngineError(
                f"{name} on {backend.name} differs from its golden outputs by {worst:.2g}, more than its tolerance "
                f"{entry.tolerance:.2g}; foal-edge doctor tells more, --backend onnxruntime goes without it"
            )


def graph_of(backend: Backend, name: GraphName) -> Graph:
    """One graph of a backend."""
    graph: Graph = getattr(backend, name)
    return graph


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


def difference(graph: Graph, entry: GraphEntry, arrays: Mapping[str, Array]) -> dict[str, float]:
    """Largest absolute difference of each output from the golden one; infinite where it is not a number.

    `arrays` are the graph's own of `load`; a batch larger than the graph takes is split.
    """
    worst = dict.fromkeys((tensor.name for tensor in entry.outputs), 0.0)
    rows = len(arrays[entry.inputs[0].name])
    for start in range(0, rows, entry.batch.largest):
        part = slice(start, start + entry.batch.largest)
        outputs = graph({tensor.name: arrays[tensor.name][part] for tensor in entry.inputs})
        for name in worst:
            worst[name] = max(worst[name], distance(name, outputs, arrays[name][part]))
    return worst


def distance(name: str, outputs: Mapping[str, Array], golden: Array) -> float:
    """Largest absolute difference between an output and its golden rows; booleans count as 0 and 1."""
    found = outputs.get(name)
    if found is None or found.dtype != golden.dtype or found.shape != golden.shape:
        has = "is missing" if found is None else f"is {found.dtype} {list(found.shape)}"
        raise EngineError(
            f"the output {name} {has}, {golden.dtype} {list(golden.shape)} is expected; build the engine again"
        )
    apart = np.abs(found.astype(np.float64) - golden.astype(np.float64)).max()
    return float(apart) if np.isfinite(apart) else math.inf
