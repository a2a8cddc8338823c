"""What each graph of a bundle is given on real windows: the runtime's own inputs, one window at a time."""

from collections.abc import Iterable, Mapping

from edge.backends.base import Array, Backend, Graph
from edge.bundle.manifest import Manifest
from edge.live.recognizer import Recognizer

from .compare import probabilities
from .windows import Window

Inputs = list[Mapping[str, Array]]
"""Of one graph, a run each."""


class RecordingGraph:
    """A graph that remembers what it is given."""

    device_ms = None
    """It is not timed."""

    def __init__(self, graph: Graph) -> None:
        self._graph, self.inputs = graph, Inputs()

    def __call__(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Named inputs -> named outputs."""
        self.inputs.append({name: array.copy() for name, array in inputs.items()})
        return self._graph(inputs)


class RecordingBackend:
    """A backend whose graphs remember what they are given."""

    name = about = "recorded"

    def __init__(self, backend: Backend) -> None:
        self.image_encoder = RecordingGraph(backend.image_encoder)
        self.audio_encoder = RecordingGraph(backend.audio_encoder)
        self.fusion = RecordingGraph(backend.fusion)


def record_inputs(manifest: Manifest, backend: Backend, windows: Iterable[Window]) -> dict[str, Inputs]:
    """Each graph's inputs on the windows."""
    recorded = RecordingBackend(backend)
    recognizer = Recognizer(manifest, recorded)
    for window in windows:
        probabilities(recognizer, window)
    return {name: getattr(recorded, name).inputs for name in manifest.graphs.by_name()}
