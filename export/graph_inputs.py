"""Inputs of each graph of a bundle on real windows, recorded from the runtime, one window at a time."""

from collections.abc import Iterable, Mapping

from edge.backends.base import Array, Backend, Graph
from edge.bundle.manifest import Manifest
from edge.live.recognizer import Recognizer

from .compare import probabilities
from .windows import Window

Inputs = list[Mapping[str, Array]]
"""Inputs of one graph, one entry a run."""


class RecordingGraph:
    """Graph that records its inputs."""

    device_ms = None
    """Device time, which is not measured here."""

    def __init__(self, graph: Graph) -> None:
        self._graph, self.inputs = graph, Inputs()

    def __call__(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Record the named inputs and return the named outputs."""
        self.inputs.append({name: array.copy() for name, array in inputs.items()})
        return self._graph(inputs)


class RecordingBackend:
    """Backend whose graphs record their inputs."""

    name = about = "recorded"

    def __init__(self, backend: Backend) -> None:
        self.image_encoder = RecordingGraph(backend.image_encoder)
        self.audio_encoder = RecordingGraph(backend.audio_encoder)
        self.fusion = RecordingGraph(backend.fusion)


def record_inputs(manifest: Manifest, backend: Backend, windows: Iterable[Window]) -> dict[str, Inputs]:
    """Return the inputs of each graph on the windows, by the graph's name."""
    recorded = RecordingBackend(backend)
    recognizer = Recognizer(manifest, recorded)
    for window in windows:
        probabilities(recognizer, window)
    return {name: getattr(recorded, name).inputs for name in manifest.graphs.by_name()}
