"""The proof of a backend: each graph on its golden inputs, compared with its golden outputs."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..bundle import golden
from ..bundle.load import Bundle
from ..bundle.manifest import GraphEntry, GraphName
from ..errors import FoalError
from .base import Array, Backend, Graph


@dataclass(frozen=True)
class Proof:
    """How far one graph is from its golden outputs, on this device."""

    graph: GraphName
    difference: float
    """The largest, absolute; infinite where an output is no number or not what the manifest says."""
    tolerance: float
    problem: str = ""
    """Why no difference can be told; empty where one can."""

    @property
    def is_within_tolerance(self) -> bool:
        """Whether the difference, which may be no number, is within the tolerance."""
        return self.difference <= self.tolerance

    def __str__(self) -> str:
        """What is wrong, where something is."""
        differs = (
            f"differs by {self.difference:.2g} from its golden outputs, more than its tolerance {self.tolerance:.2g}"
        )
        return f"{self.graph} {self.problem or differs}"


def prove(bundle: Bundle, backend: Backend) -> list[Proof]:
    """A proof a graph, in the order of the data flow; BundleError where the golden vectors themselves are no good."""
    vectors = golden.load(bundle)
    entries = bundle.manifest.graphs.by_name()
    return [prove_graph(name, graph_of(backend, name), entry, vectors[name]) for name, entry in entries.items()]


def prove_graph(name: GraphName, graph: Graph, entry: GraphEntry, arrays: Mapping[str, Array]) -> Proof:
    """One graph's; `arrays` are its own of `golden.load`."""
    try:
        return Proof(name, max(differences(graph, entry, arrays).values()), entry.tolerance)
    except (FoalError, MemoryError):
        raise
    except Exception as error:  # the engines' errors share no base class
        return Proof(name, math.inf, entry.tolerance, f"cannot be compared with its golden outputs: {error}")


def complaint(bundle: Bundle, backend: Backend, proofs: Sequence[Proof]) -> str | None:
    """What is wrong with a bundle on a backend, in a line; None where nothing is."""
    wrong = [str(proof) for proof in proofs if not proof.is_within_tolerance]
    return f"{bundle.manifest.name} on {backend.name}: {', '.join(wrong)}" if wrong else None


def graph_of(backend: Backend, name: GraphName) -> Graph:
    """One graph of a backend."""
    graph: Graph = getattr(backend, name)
    return graph


def differences(graph: Graph, entry: GraphEntry, arrays: Mapping[str, Array]) -> dict[str, float]:
    """Largest absolute difference of each output from the golden one; infinite where it is not a number.

    A batch larger than the graph takes is split. ValueError where an output is missing or has another form.
    """
    worst = dict.fromkeys((tensor.name for tensor in entry.outputs), 0.0)
    rows = len(arrays[entry.inputs[0].name])
    for start in range(0, rows, entry.batch.largest):
        part = slice(start, start + entry.batch.largest)
        outputs = graph({tensor.name: arrays[tensor.name][part] for tensor in entry.inputs})
        for name in worst:
            worst[name] = max(worst[name], distance(name, outputs, arrays[name][part]))
    return worst


def distance(name: str, outputs: Mapping[str, Array], expected: Array) -> float:
    """Largest absolute difference between an output and its golden rows; booleans count as 0 and 1."""
    found = outputs.get(name)
    if found is None or found.dtype != expected.dtype or found.shape != expected.shape:
        has = "is missing" if found is None else f"is {found.dtype} {list(found.shape)}"
        raise ValueError(f"the output {name} {has}, {expected.dtype} {list(expected.shape)} is expected")
    apart = np.abs(found.astype(np.float64) - expected.astype(np.float64)).max()
    return float(apart) if np.isfinite(apart) else math.inf
