"""Backend that computes on this machine what a server does not answer: only where the user asks for it."""

import logging
from collections.abc import Mapping

from ..bundle.manifest import GraphName
from ..errors import UnansweredError
from ..system.logs import RateLimitedLog
from .base import Array, RegisteredBackend, get_graph

log = logging.getLogger(__name__)


class FallbackGraph:
    """One graph on the server, and on this machine as long as the server does not answer."""

    def __init__(self, backend: "FallbackBackend", graph: GraphName) -> None:
        self._backend = backend
        self._served, self._local = get_graph(backend.served, graph), get_graph(backend.local, graph)

    def __call__(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Return the outputs by name, of whichever computes."""
        try:
            outputs = self._served(inputs)
        except UnansweredError as error:
            self._backend.note(error)
            return self._local(inputs)
        self._backend.note(None)
        return outputs

    @property
    def device_ms(self) -> float | None:
        """Time of the last call on a device of this machine; None where the server computes."""
        return self._local.device_ms if self._backend.is_local else None


class FallbackBackend:
    """A bundle's three graphs on a server, with the backend of this machine that stands in for it."""

    def __init__(self, served: RegisteredBackend, local: RegisteredBackend) -> None:
        self.served, self.local = served, local
        self.is_local = False
        """True if the graph that ran last ran on this machine."""
        self._tell = RateLimitedLog(log)
        self.image_encoder = FallbackGraph(self, "image_encoder")
        self.audio_encoder = FallbackGraph(self, "audio_encoder")
        self.fusion = FallbackGraph(self, "fusion")

    @property
    def name(self) -> str:
        """Name of whichever computed last."""
        return self.local.name if self.is_local else self.served.name

    @property
    def about(self) -> str:
        """Description of both, for people."""
        return f"{self.served.about}; while it does not answer {self.local.name} on {self.local.about}"

    def save_compiled(self) -> None:
        """Write to disk what the backend of this machine has compiled."""
        self.local.save_compiled()

    def note(self, problem: UnansweredError | None) -> None:
        """Take note of who computes: this machine because of a problem, or the server; a change is logged."""
        if self.is_local is (problem is not None):
            return
        self.is_local = problem is not None
        if problem:
            text = "%s computes here from now on, as --fallback local says: %s"
            self._tell(logging.WARNING, text, self.local.name, problem.what)
        else:
            self._tell(logging.WARNING, "%s computes again", self.served.name)
