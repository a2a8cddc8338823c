"""What a device makes of a bundle: each graph's golden vectors through the backend, and how long that takes."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from . import golden
from .backends.base import Array, Backend, Graph
from .bundle import Bundle, GraphName, Precision

TIMED_RUNS = 20


@dataclass(frozen=True)
class Finding:
    """One graph on this device."""

    graph: GraphName
    precision: Precision
    difference: float
    """The largest, absolute, from the golden outputs."""
    tolerance: float
    median_ms: float
    """Of a batch of one, over 20 runs after the first."""

    @property
    def is_sound(self) -> bool:
        """Whether the difference, which may be no number, is within the tolerance."""
        return self.difference <= self.tolerance


def examine(bundle: Bundle, backend: Backend) -> Iterator[Finding]:
    """A finding a graph, in the order of the data flow."""
    vectors = golden.load(bundle)
    for name, entry in bundle.manifest.graphs.by_name().items():
        graph, arrays = golden.graph_of(backend, name), vectors[name]
        difference = max(golden.difference(graph, entry, arrays).values())
        first = {tensor.name: arrays[tensor.name][:1] for tensor in entry.inputs}
        yield Finding(name, entry.precision, difference, entry.tolerance, median_ms(graph, first))


def median_ms(graph: Graph, inputs: Mapping[str, Array]) -> float:
    """The median time of a run, the first left out."""
    graph(inputs)
    times = []
    for _ in range(TIMED_RUNS):
        started = time.perf_counter()
        graph(inputs)
        times.append(time.perf_counter() - started)
    return float(np.median(times)) * 1e3
