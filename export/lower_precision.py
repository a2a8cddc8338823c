"""Conversion of an fp32 bundle to a lower precision: calibrated on training windows, compared on validation windows."""

import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, TypedDict, get_args

import msgspec
import onnx
import onnx_ir
from rich.console import Console
from rich.progress import track

from edge.backends.onnxruntime import OrtBackend
from edge.backends.proof import prove
from edge.bundle import load as bundles
from edge.bundle.load import Bundle
from edge.bundle.manifest import File, GraphEntry, GraphName, Graphs, Manifest
from edge.errors import FoalError
from edge.live.recognizer import Recognizer

from .compare import check, compare, describe
from .fp16_rounding import emulate_fp16
from .graph_inputs import Inputs, record_inputs
from .graphs import save, weights_path
from .int8_saturation import emulate_int8
from .tensor_ranges import tensor_ranges
from .to_fp16 import nodes_kept_fp32, to_fp16
from .to_int8 import quantise
from .windows import Window, Windows

CALIBRATION_WINDOWS = 64
"""Number of training windows that the ranges of the tensors are measured on."""
LARGEST_DIFFERENCE = 30.0
"""Largest difference of an output from torch's; a manifest holds neither a larger tolerance nor a not-a-number."""
EMULATORS: dict[str, Callable[[onnx_ir.Model], object]] = {"fp16": emulate_fp16, "int8": emulate_int8}
"""Function by precision that makes a graph compute as on its target: fp16 on a GPU, int8 on a CPU without VNNI."""
MARGIN = 3
"""Factor by which another engine may differ more from torch than ONNX Runtime does."""


class PrecisionTarget(NamedTuple):
    """Precision below fp32, and the windows to calibrate and to compare on."""

    precision: Literal["fp16", "int8"]
    calibration: Windows
    """Windows of the training fold."""
    validation: Windows
    """Windows of the validation fold."""
    graphs: Sequence[GraphName] = get_args(GraphName)
    """Graphs to convert; the others stay in fp32."""


class GraphFiles(TypedDict):
    """Files of a graph, as in the manifest."""

    file: File
    weights: File | None


def lower_precision(fp32: Bundle, folder: Path, target: PrecisionTarget, tell: Callable[[str], None]) -> Manifest:
    """Write golden vectors and graphs into the folder and return their manifest.

    The bundle is named after its precision. FoalError if the graphs are too far from fp32. Intermediate files are
    written beside the fp32 graphs.
    """
    reference = OrtBackend(fp32)
    given = record_inputs(fp32.manifest, reference, with_progress(target.calibration, "looking at ranges"))
    shutil.copyfile(fp32.path(fp32.manifest.golden), folder / fp32.manifest.golden.path)
    entries = {}
    for graph, entry in fp32.manifest.graphs.by_name().items():
        if graph in target.graphs:
            entries[graph] = convert_graph(fp32.path(entry.file), folder, entry, target.precision, given.pop(graph))
        else:
            entries[graph] = entry
            for file in entry.files:
                shutil.copyfile(fp32.path(file), folder / file.path)
    name = f"{fp32.manifest.name}-{target.precision}"
    lowered = Bundle(folder, msgspec.structs.replace(fp32.manifest, name=name, graphs=Graphs(**entries)))
    backend = OrtBackend(emulated(lowered, fp32.folder, EMULATORS[target.precision]))
    for proof in prove(lowered, backend):
        graph, worst = proof.graph, proof.difference
        entry = entries[graph]
        size, kept = size_mb(lowered.path(entry.file)), len(entry.kept_fp32)
        tell(
            f"{graph} in {entry.precision}: {size:.2f} MB, {kept} operators kept in fp32, "
            f"largest difference from torch {worst:.1e}"
        )
        if not worst <= LARGEST_DIFFERENCE:
            raise FoalError(
                f"{graph} in {entry.precision} differs from torch by {worst:.2g} on the golden vectors, at most "
                f"{LARGEST_DIFFERENCE:g} is allowed; export another precision"
            )
        entries[graph] = msgspec.structs.replace(entry, tolerance=max(entry.tolerance, MARGIN * worst))
    both = Recognizer(fp32.manifest, reference), Recognizer(lowered.manifest, backend)
    found = compare(*both, with_progress(target.validation, "comparing with fp32"))
    tell(f"{target.precision}: {describe(found)}")
    check(found, target.precision)
    return msgspec.structs.replace(lowered.manifest, graphs=Graphs(**entries), compared=found)


def convert_graph(
    source: Path, folder: Path, entry: GraphEntry, precision: Literal["fp16", "int8"], given: Inputs
) -> GraphEntry:
    """Write one graph in another precision and return its entry in the manifest."""
    made = folder / source.name
    if precision == "fp16":
        model = onnx_ir.load(source)
        kept = to_fp16(model, nodes_kept_fp32(model.graph, tensor_ranges(source, given)))
    else:
        quantised = source.with_name(f"{source.stem}.int8.onnx")
        kept = quantise(source, quantised, given)
        model = onnx_ir.load(quantised)
    save(model, made)
    onnx.checker.check_model(str(made), full_check=True)
    return msgspec.structs.replace(entry, **graph_files(made), precision=precision, kept_fp32=kept)


def emulated(lowered: Bundle, folder: Path, emulate: Callable[[onnx_ir.Model], object]) -> Bundle:
    """Return a bundle whose graphs, written into the folder, compute here what `lowered` computes on its target."""
    entries = {}
    for name, entry in lowered.manifest.graphs.by_name().items():
        path = folder / f"{name}.emulated.onnx"
        model = onnx_ir.load(lowered.path(entry.file))
        if entry.precision != "fp32":
            emulate(model)
        save(model, path)
        entries[name] = msgspec.structs.replace(entry, **graph_files(path))
    return Bundle(folder, msgspec.structs.replace(lowered.manifest, graphs=Graphs(**entries)))


def graph_files(path: Path) -> GraphFiles:
    """Return a graph's file and its separate weights file, if there is one, with their hashes."""
    weights = weights_path(path)
    return GraphFiles(
        file=File(path.name, bundles.sha256(path)),
        weights=File(weights.name, bundles.sha256(weights)) if weights.exists() else None,
    )


def size_mb(path: Path) -> float:
    """Return the size of a graph and its weights, in MB."""
    return sum(part.stat().st_size for part in (path, weights_path(path)) if part.exists()) / 1e6


def with_progress(windows: Windows, what: str) -> Iterable[Window]:
    """Return the windows under a progress bar with the label `what`."""
    return track(windows, what, total=len(windows), console=Console(stderr=True))
