"""A bundle's three graphs on one of ONNX Runtime's providers for GPUs."""

import logging
from collections.abc import Callable

from ...bundle.load import Bundle
from ...bundle.manifest import GraphEntry, GraphName
from ...errors import EngineError
from .graph import BoundGraph, CudaMemory, Memory
from .session import Provider, open_capturing, open_strict

ProviderFor = Callable[[GraphName, GraphEntry], Provider]
"""Function from a graph to the provider, with its options, that runs it."""

log = logging.getLogger(__name__)


class BoundBackend:
    """A bundle's three graphs on a provider, bound to the memory of its device."""

    def __init__(self, bundle: Bundle, name: str, about: str, provider_for: ProviderFor, memory: Memory) -> None:
        """Load the graphs and run each once in every size of a batch; EngineError where one does not run there."""
        self.name, self.about = name, about
        self._bundle, self._provider_for, self._memory = bundle, provider_for, memory
        self.image_encoder = self._open("image_encoder")
        self.audio_encoder = self._open("audio_encoder")
        self.fusion = self._open("fusion")

    def save_compiled(self) -> None:
        """Do nothing: what a provider compiles it keeps by itself."""

    def _open(self, graph: GraphName) -> BoundGraph:
        """Return one graph, ready to run, with CUDA graphs where they can be captured."""
        entry = self._bundle.manifest.graphs.by_name()[graph]
        path, provider = self._bundle.path(entry.file), self._provider_for(graph, entry)
        if provider.graph_options:
            try:
                session = open_capturing(path, entry, provider)
                return BoundGraph(session, entry, provider.device, self._memory, captures=True)
            except EngineError as error:
                log.warning("%s runs without CUDA graphs: %s", graph, error.what)
        session = open_strict(path, entry, provider)
        return BoundGraph(session, entry, provider.device, self._memory, captures=False)


def open_on_gpu(bundle: Bundle, name: str, about: str, make_provider_for: Callable[[int], ProviderFor]) -> BoundBackend:
    """Load the bundle's graphs on a GPU; `make_provider_for` gets the address of the stream that its work is put on."""
    memory = CudaMemory()
    return BoundBackend(bundle, name, about, make_provider_for(int(memory.stream.handle)), memory)


def check_precision(bundle: Bundle) -> None:
    """Raise EngineError for a bundle in int8."""
    if bundle.manifest.is_quantized:
        raise EngineError("int8 is for CPUs", "take --backend onnxruntime, or a bundle in fp16")
