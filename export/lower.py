"""From an fp32 bundle to one of a lower precision, fitted to windows trained on and compared on others."""

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal, NamedTuple, TypedDict

import msgspec
import onnx
import onnx_ir
from rich.console import Console
from rich.progress import track

from edge.backends.onnxruntime import OrtBackend
from edge.backends.proof import prove
from edge.bundle import load as bundles
from edge.bundle.load import Bundle
from edge.bundle.manifest import File, GraphEntry, Graphs, Manifest
from edge.errors import FoalError
from edge.live.recognizer import Recognizer

from . import half, int8
from .compare import check, compare, describe
from .graphs import save, weights_of
from .ranges import ranges
from .recorded import Inputs, record
from .rounded import rounded
from .saturated import saturated
from .windows import Window, Windows

FITTED_ON = 64
"""Windows that show how large numbers get."""
LARGEST_DIFFERENCE = 30.0
"""Of an output from torch's; a manifest has no room for more, nor for a not-a-number."""
PLAYED: dict[str, Callable[[onnx_ir.Model], object]] = {"fp16": rounded, "int8": saturated}
"""How a graph is brought to what it computes elsewhere: on a GPU, on the worst CPU."""
MARGIN = 3
"""How much further from torch another engine may be than ONNX Runtime is."""


class Lower(NamedTuple):
    """What is wanted below fp32."""

    precision: Literal["fp16", "int8"]
    fitting: Windows
    """Of what was trained on."""
    validation: Windows


class Files(TypedDict):
    """What a graph is made of, as the manifest has it."""

    file: File
    weights: File | None


def lower(fp32: Bundle, folder: Path, wanted: Lower, tell: Callable[[str], None]) -> Manifest:
    """Write golden vectors and graphs, and return their manifest; FoalError where they are too far from fp32.

    What is made on the way lies beside the fp32 graphs.
    """
    reference = OrtBackend(fp32)
    given = record(fp32.manifest, reference, shown(wanted.fitting, "looking at ranges"))
    shutil.copyfile(fp32.path(fp32.manifest.golden), folder / fp32.manifest.golden.path)
    entries = {
        name: convert(fp32.path(entry.file), folder, entry, wanted.precision, given.pop(name))
        for name, entry in fp32.manifest.graphs.by_name().items()
    }
    lowered = Bundle(folder, msgspec.structs.replace(fp32.manifest, graphs=Graphs(**entries)))
    backend = OrtBackend(played(lowered, fp32.folder, PLAYED[wanted.precision]))
    for proof in prove(lowered, backend):
        name, worst = proof.graph, proof.difference
        entry = entries[name]
        size, kept = megabytes(lowered.path(entry.file)), len(entry.kept_fp32)
        tell(
            f"{name} in {wanted.precision}: {size:.2f} MB, {kept} operators kept in fp32, "
            f"largest difference from torch {worst:.1e}"
        )
        if not worst <= LARGEST_DIFFERENCE:
            raise FoalError(
                f"{name} in {wanted.precision} differs from torch by {worst:.2g} on the golden vectors, at most "
                f"{LARGEST_DIFFERENCE:g} is allowed; export another precision"
            )
        entries[name] = msgspec.structs.replace(entry, tolerance=max(entry.tolerance, MARGIN * worst))
    both = Recognizer(fp32.manifest, reference), Recognizer(lowered.manifest, backend)
    found = compare(*both, shown(wanted.validation, "comparing with fp32"))
    tell(f"{wanted.precision}: {describe(found)}")
    check(found, wanted.precision)
    return msgspec.structs.replace(lowered.manifest, graphs=Graphs(**entries), compared=found)


def convert(
    source: Path, folder: Path, entry: GraphEntry, precision: Literal["fp16", "int8"], given: Inputs
) -> GraphEntry:
    """Write one graph in another precision, and say so."""
    made = folder / source.name
    if precision == "fp16":
        model = onnx_ir.load(source)
        kept = half.halve(model, half.unfit(model.graph, ranges(source, given)))
    else:
        quantised = source.with_name(f"{source.stem}.int8.onnx")
        kept = int8.quantise(source, quantised, given)
        model = onnx_ir.load(quantised)
    save(model, made)
    onnx.checker.check_model(str(made), full_check=True)
    return msgspec.structs.replace(entry, **files(made), precision=precision, kept_fp32=kept)


def played(lowered: Bundle, folder: Path, play: Callable[[onnx_ir.Model], object]) -> Bundle:
    """A bundle that computes here what another does elsewhere, its graphs in a folder of one's own."""
    entries = {}
    for name, entry in lowered.manifest.graphs.by_name().items():
        path = folder / f"{name}.played.onnx"
        model = onnx_ir.load(lowered.path(entry.file))
        play(model)
        save(model, path)
        entries[name] = msgspec.structs.replace(entry, **files(path))
    return Bundle(folder, msgspec.structs.replace(lowered.manifest, graphs=Graphs(**entries)))


def files(path: Path) -> Files:
    """A graph's file and, where they lie apart, its weights."""
    weights = weights_of(path)
    return Files(
        file=File(path.name, bundles.sha256(path)),
        weights=File(weights.name, bundles.sha256(weights)) if weights.exists() else None,
    )


def megabytes(path: Path) -> float:
    """Of a graph with its weights."""
    return sum(part.stat().st_size for part in (path, weights_of(path)) if part.exists()) / 1e6


def shown(windows: Windows, what: str) -> Iterable[Window]:
    """The windows under a bar."""
    return track(windows, what, total=len(windows), console=Console(stderr=True))
