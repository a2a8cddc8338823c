"""Protocols of a backend: a bundle's three graphs on one inference engine."""

from collections.abc import Mapping
from typing import Protocol

from ..bundle.calibration import Array as Array
from ..bundle.manifest import GraphName


class Graph(Protocol):
    """One graph, ready to run."""

    def __call__(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Return the outputs by name; the first dimension is the batch, no larger than the manifest allows.

        The outputs may be views that hold until the graph runs again.
        """
        ...

    @property
    def device_ms(self) -> float | None:
        """Time of the last call on the device, from the first copy to the last, in milliseconds.

        None where the host computes, before the first call, and after one that failed.
        """
        ...


class Backend(Protocol):
    """The three graphs of one bundle on one inference engine."""

    @property
    def name(self) -> str:
        """Name as published, e.g. `onnxruntime-cpu`."""
        ...

    @property
    def about(self) -> str:
        """Description of the processor or GPU that computes, for people."""
        ...

    @property
    def image_encoder(self) -> Graph:
        """Graph from frames to embeddings."""
        ...

    @property
    def audio_encoder(self) -> Graph:
        """Graph from waveforms to tokens."""
        ...

    @property
    def fusion(self) -> Graph:
        """Graph from the tokens of both to logits and embeddings."""
        ...


class RegisteredBackend(Backend, Protocol):
    """A backend that the registry opens."""

    def save_compiled(self) -> None:
        """Write to disk what was compiled for this device while the graphs ran, for the next start."""
        ...


def get_graph(backend: Backend, name: GraphName) -> Graph:
    """Return one graph of a backend by its name in the manifest."""
    graph: Graph = getattr(backend, name)
    return graph
