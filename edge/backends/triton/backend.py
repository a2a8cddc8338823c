"""Backend of a Triton Inference Server: all three graphs of a bundle are computed there."""

from collections.abc import Mapping

from ...bundle.manifest import GraphName
from ..base import Array
from .server import Server


class ServedGraph:
    """One graph on the server, wherever that is found."""

    device_ms = None
    """Time on a device: None, as the server does not tell."""

    def __init__(self, server: Server, graph: GraphName) -> None:
        self._server, self._graph = server, graph

    def __call__(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Return the outputs by name; UnansweredError where the server gives none in time."""
        return self._server.run(self._graph, inputs)


class TritonBackend:
    """A bundle's three graphs on a server."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.image_encoder = ServedGraph(server, "image_encoder")
        self.audio_encoder = ServedGraph(server, "audio_encoder")
        self.fusion = ServedGraph(server, "fusion")

    @property
    def name(self) -> str:
        """Name with the version of the server, e.g. `triton-2.51.0`."""
        return self._server.name

    @property
    def about(self) -> str:
        """Server, its version, its address and the version of the models, for people."""
        return self._server.about

    def save_compiled(self) -> None:
        """Do nothing: nothing is compiled here."""
