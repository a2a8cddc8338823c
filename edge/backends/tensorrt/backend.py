"""TensorRT on an NVIDIA GPU: pinned buffers, one stream, one synchronisation a call, CUDA graphs; all made beforehand.

A batch is run in the next of a few sizes, the rows past it being whatever they were. Each size has an execution
context of its own, since a captured CUDA graph is bound to a context's shapes; all share one scratch memory.
TensorRT-RTX captures by itself.
"""

import logging
import weakref
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...bundle.load import Bundle
from ...bundle.manifest import Batch, GraphEntry, GraphName
from ...errors import EngineError
from ..base import Array
from . import cache, cuda, device
from . import engines as provide
from . import variant as variant
from .build import REMARKS_QUOTED, make_logger, quoted, uncollected
from .engines import EngineBuilder
from .inspect import check_tensors
from .kernels import Kernels
from .memory import Buffer, Stream, allocate
from .stopwatch import Stopwatch
from .variant import TensorRTVariant

REMEDY = "foal-edge engines build BUNDLE --again makes it anew"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Gpu:
    """What a backend's graphs share."""

    kind: TensorRTVariant
    stream: Stream
    complaints: deque[str]
    """TensorRT's latest."""

    def error(self, what: str, remedy: str) -> EngineError:
        """An error that quotes TensorRT."""
        return EngineError(f"{self.kind.name} {self.kind.version} {what}: {quoted(self.complaints)}", remedy)


@dataclass(frozen=True)
class Execution:
    """How batches of one size are run."""

    rows: int
    context: Any
    captured: Any
    """An executable CUDA graph of the whole call; None where there is none."""


class TensorRTGraph:
    """One graph's engine with its buffers."""

    def __init__(self, gpu: Gpu, engine: Any, entry: GraphEntry, settings: Any) -> None:
        self._runtime, self._gpu, self._engine, self._settings = cuda.runtime(), gpu, engine, settings
        self._inputs = {tensor.name: Buffer(tensor, entry.batch.largest) for tensor in entry.inputs}
        self._outputs = {tensor.name: Buffer(tensor, entry.batch.largest) for tensor in entry.outputs}
        self._stopwatch = Stopwatch()
        self._scratch_size = max(1, int(engine.device_memory_size_v2))
        self._scratch = allocate(self, self._scratch_size)
        self._executions = [self._prepare(rows) for rows in batch_sizes(entry.batch)]

    def __call__(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Named inputs -> named outputs, which are views that hold until the next call."""
        rows = max((len(array) for array in inputs.values()), default=0)
        execution = next((each for each in self._executions if rows <= each.rows), None)
        if execution is None or not rows:
            raise EngineError(f"a batch of {rows} rows, where the engine takes 1 to {self._executions[-1].rows}")
        for name, buffer in self._inputs.items():
            buffer.fill(name, inputs.get(name), rows)
        self._stopwatch.start(self._gpu.stream)
        if execution.captured is None:
            self._enqueue(execution.context, execution.rows)
        else:
            cuda.call(self._runtime.cudaGraphLaunch, execution.captured, self._gpu.stream.handle)
        self._stopwatch.stop(self._gpu.stream)
        self._gpu.stream.synchronize()
        return {name: buffer.host[:rows] for name, buffer in self._outputs.items()}

    @property
    def device_ms(self) -> float | None:
        """Of the last call, on the stream from the first copy to the last; None where there is no such call."""
        return self._stopwatch.elapsed_ms

    def _prepare(self, rows: int) -> Execution:
        """A context for batches of one size, run once: TensorRT makes what it needs at the first run."""
        context = self._make_context()
        done = [context.set_tensor_address(name, tensor.device) for name, tensor in self._inputs.items()]
        done += [context.set_tensor_address(name, tensor.device) for name, tensor in self._outputs.items()]
        done += [context.set_input_shape(name, (rows, *tensor.host.shape[1:])) for name, tensor in self._inputs.items()]
        if not all(done):
            raise self._gpu.error(f"refuses a batch of {rows} rows", REMEDY)
        self._enqueue(context, rows)
        self._gpu.stream.synchronize()
        return Execution(rows, context, None if self._gpu.kind.is_rtx else self._capture(context, rows))

    def _make_context(self) -> Any:
        strategy = self._gpu.kind.module.ExecutionContextAllocationStrategy.USER_MANAGED
        if self._settings is not None:
            self._settings.set_execution_context_allocation_strategy(strategy)
        context = self._engine.create_execution_context(strategy if self._settings is None else self._settings)
        if context is None:
            raise self._gpu.error("makes no execution context", "is the GPU's memory full?")
        if hasattr(context, "set_device_memory"):
            context.set_device_memory(self._scratch, self._scratch_size)
        else:  # TensorRT 10.3
            context.device_memory = self._scratch
        return context

    def _enqueue(self, context: Any, rows: int) -> None:
        """Inputs to the device, the engine, outputs back; nothing is waited for."""
        for buffer in self._inputs.values():
            buffer.to_device(rows, self._gpu.stream)
        if not context.execute_async_v3(int(self._gpu.stream.handle)):
            raise self._gpu.error("could not run the engine", REMEDY)
        for buffer in self._outputs.values():
            buffer.to_host(rows, self._gpu.stream)

    def _capture(self, context: Any, rows: int) -> Any:
        """The whole call as an executable CUDA graph; None, with a word, where it cannot be captured."""
        runtime = self._runtime
        mode = runtime.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        try:
            cuda.call(runtime.cudaStreamBeginCapture, self._gpu.stream.handle, mode)
            try:
                self._enqueue(context, rows)
            finally:
                graph = cuda.call(runtime.cudaStreamEndCapture, self._gpu.stream.handle)
                weakref.finalize(self, runtime.cudaGraphDestroy, graph).atexit = False
            captured = cuda.call(runtime.cudaGraphInstantiate, graph, 0)
        except EngineError as error:
            log.warning("batches of %d run without a CUDA graph: %s", rows, str(error))
            runtime.cudaGetLastError()  # else TensorRT would meet it at its next look
            return None
        weakref.finalize(self, runtime.cudaGraphExecDestroy, captured).atexit = False
        return captured


def batch_sizes(batch: Batch) -> list[int]:
    """The powers of two below the largest batch, the usual batch, the largest; ascending."""
    powers = {1 << i for i in range((batch.largest - 1).bit_length())}
    return sorted(powers | {batch.usual, batch.largest})


class TensorRTBackend:
    """A bundle's three graphs on this machine's GPU; engines that are missing or do not fit are built first."""

    def __init__(self, bundle: Bundle, engine_builder: EngineBuilder) -> None:
        kind, found = variant.find(), device.find()
        self.name = f"{kind.name}-{kind.version} {found.architecture}"
        self.about = f"{found.name}, driver {found.driver}"
        """Of the GPU, for people."""
        self._bundle, self._engine_builder, self._targets = bundle, engine_builder, provide.here(kind, found)
        self._gpu = Gpu(kind, Stream(), deque(maxlen=REMARKS_QUOTED))
        self._logger = make_logger(kind.module, self._gpu.complaints)
        self._loader = make_loader(kind, self._logger)
        self._kernels: list[Kernels] = []
        self.image_encoder = self._open("image_encoder")
        self.audio_encoder = self._open("audio_encoder")
        self.fusion = self._open("fusion")

    def _open(self, graph: GraphName) -> TensorRTGraph:
        """One graph, ready to run."""
        entry = self._bundle.manifest.graphs.by_name()[graph]
        engine = self._load(self._engine_builder.provide(self._bundle, graph, self._targets))
        if engine is None:
            reason = "TensorRT does not load the one that is kept"
            content = self._engine_builder.build(self._bundle, graph, self._targets[0], reason, again=True)
            engine = self._load(content)
        if engine is None:
            raise self._gpu.error(f"loads no engine for {graph}", "take --backend onnxruntime")
        self._gpu.complaints.clear()  # of engines that were built anew
        check_tensors(self._gpu.kind.module, engine, graph, entry)
        return TensorRTGraph(self._gpu, engine, entry, self._make_settings(engine, graph))

    def _load(self, content: bytes) -> Any:
        """The engine; None where TensorRT refuses it."""
        with uncollected():
            return self._loader.deserialize_cuda_engine(content)

    def _make_settings(self, engine: Any, graph: GraphName) -> Any:
        """Those of TensorRT-RTX; None elsewhere."""
        if not self._gpu.kind.is_rtx:
            return None
        own = cache.paths(self._bundle, self._targets[0].key(self._bundle, graph), graph)[0]
        self._kernels.append(Kernels(self._gpu.kind.module, engine, own.with_suffix(provide.KERNELS_SUFFIX)))
        return self._kernels[-1].settings

    def keep_kernels(self) -> None:
        """Write down what TensorRT-RTX has made for this device so far."""
        for kernels in self._kernels:
            kernels.keep()


def make_loader(kind: TensorRTVariant, logger: Any) -> Any:
    """What loads engines; EngineError where there is none for this driver."""
    try:
        return kind.module.Runtime(logger)
    except TypeError as error:  # pybind11's word for a constructor that gives nothing
        raise EngineError(f"{kind.name} {kind.version} does not run with this driver; update either") from error
