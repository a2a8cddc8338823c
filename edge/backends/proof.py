"""Proof of a backend: each graph on its golden inputs, compared with its golden outputs, and timed."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..bundle import golden
from ..bundle.load import Bundle
from ..bundle.manifest import GraphEntry, GraphName, Precision
from ..errors import FoalError
from .base import Array, Backend, Graph, get_graph

TIMED_RUNS = 20


@dataclass(frozen=True)
class Proof:
    """Distance of one graph from its golden outputs, on this device."""

    graph: GraphName
    difference: float
    """Largest absolute difference; infinite where an output is not finite or not what the manifest says."""
    tolerance: float
    problem: str = ""
    """Reason why the outputs cannot be compared; empty where they can."""

    @property
    def is_within_tolerance(self) -> bool:
        """True if the difference, which may be NaN, is within the tolerance."""
        return self.difference <= self.tolerance

    def __str__(self) -> str:
        """Return what is wrong with a graph that is not within its tolerance."""
        differs = (
            f"differs by {self.difference:.2g} from its golden outputs, more than its tolerance {self.tolerance:.2g}"
        )
        return f"{self.graph} {self.problem or differs}"


@dataclass(frozen=True)
class Finding:
    """Proof of one graph, and its time."""

    proof: Proof
    precision: Precision
    median_ms: float
    """Median time of a batch of one, over 20 runs after the first; NaN where the graph cannot be run."""


def prove(bundle: Bundle, backend: Backend) -> list[Proof]:
    """Return a proof of each graph, in the order of the data flow; BundleError where the golden vectors are damaged."""
    vectors = golden.load(bundle)
    entries = bundle.manifest.graphs.by_name()
    return [prove_graph(name, get_graph(backend, name), entry, vectors[name]) for name, entry in entries.items()]


def prove_graph(name: GraphName, graph: Graph, entry: GraphEntry, arrays: Mapping[str, Array]) -> Proof:
    """Return the proof of one graph; `arrays` are its golden arrays, as `golden.load` returns them."""
    try:
        return Proof(name, max(differences(graph, entry, arrays).values()), entry.tolerance)
    except (FoalError, MemoryError):
        raise
    except Exception as error:  # the engines' errors share no base class
        return Proof(name, math.inf, entry.tolerance, f"cannot be compared with its golden outputs: {error}")


def describe_failures(bundle: Bundle, backend: Backend, proofs: Sequence[Proof]) -> str | None:
    """Return one line that names the graphs which are not within their tolerance; None where all are."""
    failures = [str(proof) for proof in proofs if not proof.is_within_tolerance]
    return f"{bundle.manifest.name} on {backend.name}: {', '.join(failures)}" if failures else None


def differences(graph: Graph, entry: GraphEntry, arrays: Mapping[str, Array]) -> dict[str, float]:
    """Return the largest absolute difference of each output from the golden one; infinite where it is not finite.

    A batch larger than the graph takes is split. ValueError where an output is missing or has another form.
    """
    largest = dict.fromkeys((tensor.name for tensor in entry.outputs), 0.0)
    rows = len(arrays[entry.inputs[0].name])
    for start in range(0, rows, entry.batch.largest):
        part = slice(start, start + entry.batch.largest)
        outputs = graph({tensor.name: arrays[tensor.name][part] for tensor in entry.inputs})
        for name in largest:
            largest[name] = max(largest[name], distance(name, outputs, arrays[name][part]))
    return largest


def distance(name: str, outputs: Mapping[str, Array], expected: Array) -> float:
    """Return the largest absolute difference between an output and its golden rows; booleans count as 0 and 1."""
    found = outputs.get(name)
    if found is None or found.dtype != expected.dtype or found.shape != expected.shape:
        described = "is missing" if found is None else f"is {found.dtype} {list(found.shape)}"
        raise ValueError(f"the output {name} {described}, {expected.dtype} {list(expected.shape)} is expected")
    largest = np.abs(found.astype(np.float64) - expected.astype(np.float64)).max()
    return float(largest) if np.isfinite(largest) else math.inf


def examine(bundle: Bundle, backend: Backend, proofs: Sequence[Proof]) -> Iterator[Finding]:
    """Time each graph that has a proof, in the order of the data flow."""
    vectors, entries = golden.load(bundle), bundle.manifest.graphs.by_name()
    for proof in proofs:
        entry = entries[proof.graph]
        first_row = {tensor.name: vectors[proof.graph][tensor.name][:1] for tensor in entry.inputs}
        ms = math.nan if proof.problem else median_ms(get_graph(backend, proof.graph), first_row)
        yield Finding(proof, entry.precision, ms)


def median_ms(graph: Graph, inputs: Mapping[str, Array]) -> float:
    """Return the median time of `TIMED_RUNS` runs after a first one, in milliseconds."""
    graph(inputs)
    times_s = []
    for _ in range(TIMED_RUNS):
        started_s = time.perf_counter()
        graph(inputs)
        times_s.append(time.perf_counter() - started_s)
    return float(np.median(times_s)) * 1e3
