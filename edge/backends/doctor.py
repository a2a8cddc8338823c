"""What a device makes of a bundle: how far each graph is from its golden vectors, and how long it takes."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..bundle import golden
from ..bundle.load import Bundle
from ..bundle.manifest import Precision
from .base import Array, Backend, Graph
from .proof import Proof, graph_of

TIMED_RUNS = 20


@dataclass(frozen=True)
class Finding:
    """One graph on this device."""

    proof: Proof
    precision: Precision
    median_ms: float
    """Of a batch of one, over 20 runs after the first; not a number where it cannot be run."""


def examine(bundle: Bundle, backend: Backend, proofs: Sequence[Proof]) -> Iterator[Finding]:
    """A finding a graph, in the order of the data flow."""
    vectors, entries = golden.load(bundle), bundle.manifest.graphs.by_name()
    for proof in proofs:
        entry = entries[proof.graph]
        first = {tensor.name: vectors[proof.graph][tensor.name][:1] for tensor in entry.inputs}
        ms = math.nan if proof.problem else median_ms(graph_of(backend, proof.graph), first)
        yield Finding(proof, entry.precision, ms)


def median_ms(graph: Graph, inputs: Mapping[str, Array]) -> float:
    """The median time of a run, the first left out."""
    graph(inputs)
    times = []
    for _ in range(TIMED_RUNS):
        started = time.perf_counter()
        graph(inputs)
        times.append(time.perf_counter() - started)
    return float(np.median(times)) * 1e3
