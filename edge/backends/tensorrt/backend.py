"""Backend of TensorRT: a bundle's three graphs on this machine's NVIDIA GPU."""

import logging
from collections import deque
from pathlib import Path
from typing import Any

from ...bundle.load import Bundle
from ...bundle.manifest import GraphName
from ...errors import EngineError
from . import cache
from .builder import KERNELS_SUFFIX, EngineBuilder, targets_for
from .compile import ERRORS_QUOTED, garbage_collection_off, make_logger
from .cuda import Stream
from .graph import SharedResources, TensorRTGraph, check_tensors
from .platform import TensorRTVariant, find_gpu, find_tensorrt

log = logging.getLogger(__name__)


def probe(bundle: Bundle) -> str:
    """Return which TensorRT and GPU are here; EngineError where one is missing, or the bundle is for CPUs."""
    if bundle.manifest.is_quantized:
        raise EngineError("int8 is for CPUs")
    return f"{find_tensorrt().name} and {find_gpu().name} are here"


def open_backend(bundle: Bundle, _threads: int, engine_builder: EngineBuilder) -> "TensorRTBackend":
    """Load the bundle's engines, which are built where they are missing or do not fit.

    EngineError where TensorRT or a GPU is missing or fails, or the bundle is for CPUs.
    """
    if bundle.manifest.is_quantized:
        raise EngineError(
            f"{bundle.manifest.name} is in int8, which is for CPUs; take --backend onnxruntime, or a bundle in fp16"
        )
    return TensorRTBackend(bundle, engine_builder)


class TensorRTBackend:
    """A bundle's three graphs on this machine's GPU; engines that are missing or do not fit are built first."""

    def __init__(self, bundle: Bundle, engine_builder: EngineBuilder) -> None:
        variant, device = find_tensorrt(), find_gpu()
        self.name = f"{variant.name}-{variant.version} {device.architecture}"
        self.about = f"{device.name}, driver {device.driver}"
        """Description of the GPU, for people."""
        self._bundle, self._engine_builder, self._targets = bundle, engine_builder, targets_for(variant, device)
        self._shared = SharedResources(variant, Stream(), deque(maxlen=ERRORS_QUOTED))
        self._logger = make_logger(variant.module, self._shared.errors)
        self._loader = make_loader(variant, self._logger)
        self._kernel_caches: list[KernelCache] = []
        self.image_encoder = self._open("image_encoder")
        self.audio_encoder = self._open("audio_encoder")
        self.fusion = self._open("fusion")

    def _open(self, graph: GraphName) -> TensorRTGraph:
        """Return one graph, ready to run."""
        entry = self._bundle.manifest.graphs.by_name()[graph]
        engine = self._load(self._engine_builder.provide(self._bundle, graph, self._targets))
        if engine is None:
            reason = "TensorRT does not load the one that is kept"
            content = self._engine_builder.build(self._bundle, graph, self._targets[0], reason, again=True)
            engine = self._load(content)
        if engine is None:
            raise self._shared.make_error(f"loads no engine for {graph}", "take --backend onnxruntime")
        self._shared.errors.clear()  # of engines that were built again
        check_tensors(self._shared.variant.module, engine, graph, entry)
        return TensorRTGraph(self._shared, engine, entry, self._make_settings(engine, graph))

    def _load(self, content: bytes) -> Any:
        """Return the engine; None where TensorRT refuses it."""
        with garbage_collection_off():
            return self._loader.deserialize_cuda_engine(content)

    def _make_settings(self, engine: Any, graph: GraphName) -> Any:
        """Return the settings of an engine's contexts for TensorRT-RTX; None for TensorRT."""
        if not self._shared.variant.is_rtx:
            return None
        file = cache.paths(self._bundle, self._targets[0].key(self._bundle, graph), graph)[0]
        kernels = KernelCache(self._shared.variant.module, engine, file.with_suffix(KERNELS_SUFFIX))
        self._kernel_caches.append(kernels)
        return kernels.settings

    def save_compiled(self) -> None:
        """Write the kernels that TensorRT-RTX has made for this device so far, for the next start."""
        for kernels in self._kernel_caches:
            kernels.save()


class KernelCache:
    """Kernels that TensorRT-RTX makes on the device when an engine first runs, kept for the next start."""

    def __init__(self, trt: Any, engine: Any, file: Path) -> None:
        self._file = file
        self.settings = engine.create_runtime_config()
        """Settings for the engine's `create_execution_context`."""
        self.settings.cuda_graph_strategy = trt.CudaGraphStrategy.WHOLE_GRAPH_CAPTURE
        # Lazily made kernels arrive in the middle of a stream, and change its latency
        strategies = trt.DynamicShapesKernelSpecializationStrategy
        self.settings.dynamic_shapes_kernel_specialization_strategy = strategies.EAGER
        self._runtime_cache = self.settings.create_runtime_cache()
        kept = cache.read_if_kept(file)
        if kept and not self._runtime_cache.deserialize(kept):
            log.info("%s does not fit this device or driver; its kernels are made again", file)
        self.settings.set_runtime_cache(self._runtime_cache)

    def save(self) -> None:
        """Write the kernels that have been made so far; warn where they cannot be written."""
        kernels = bytes(self._runtime_cache.serialize())
        if kernels == cache.read_if_kept(self._file):
            return
        try:
            cache.replace(self._file, kernels)
        except EngineError as error:
            log.warning("%s. The next start makes these kernels again", error)


def make_loader(variant: TensorRTVariant, logger: Any) -> Any:
    """Return the object that loads engines; EngineError where TensorRT has none for this driver."""
    try:
        return variant.module.Runtime(logger)
    except TypeError as error:  # pybind11's word for a constructor that gives nothing
        raise EngineError(f"{variant.name} {variant.version} does not run with this driver; update either") from error
