"""One engine with its buffers: pinned memory, one stream, one synchronisation a call, CUDA graphs; all made beforehand.

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

import numpy as np

from ...bundle.manifest import GraphEntry, GraphName, Tensor
from ...errors import EngineError
from ..base import Array
from ..batches import batch_sizes
from . import cuda
from .compile import quote_errors
from .cuda import Buffer, Stopwatch, Stream, allocate
from .platform import TensorRTVariant

REMEDY = "foal-edge engines build BUNDLE --again makes it again"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SharedResources:
    """TensorRT and CUDA stream that a backend's graphs share."""

    variant: TensorRTVariant
    stream: Stream
    errors: deque[str]
    """Latest messages of TensorRT."""

    def make_error(self, problem: str, remedy: str) -> EngineError:
        """Return an error that quotes TensorRT."""
        return EngineError(f"{self.variant.name} {self.variant.version} {problem}: {quote_errors(self.errors)}", remedy)


@dataclass(frozen=True)
class PreparedBatch:
    """Execution context for batches of one size."""

    rows: int
    context: Any
    cuda_graph: Any
    """Executable CUDA graph of the whole call; None where there is none."""


class TensorRTGraph:
    """One graph's engine with its buffers."""

    def __init__(self, shared: SharedResources, engine: Any, entry: GraphEntry, settings: Any) -> None:
        self._runtime, self._shared, self._engine, self._settings = cuda.runtime(), shared, engine, settings
        self._inputs = {tensor.name: Buffer(tensor, entry.batch.largest) for tensor in entry.inputs}
        self._outputs = {tensor.name: Buffer(tensor, entry.batch.largest) for tensor in entry.outputs}
        self._stopwatch = Stopwatch()
        self._scratch_size = max(1, int(engine.device_memory_size_v2))
        self._scratch = allocate(self, self._scratch_size)
        self._batches = [self._prepare(rows) for rows in batch_sizes(entry.batch)]

    def __call__(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Return the outputs by name, as views that hold until the next call."""
        rows = max((len(array) for array in inputs.values()), default=0)
        batch = next((batch for batch in self._batches if rows <= batch.rows), None)
        if batch is None or not rows:
            raise EngineError(f"a batch of {rows} rows, where the engine takes 1 to {self._batches[-1].rows}")
        for name, buffer in self._inputs.items():
            buffer.fill(name, inputs.get(name), rows)
        self._stopwatch.start(self._shared.stream)
        if batch.cuda_graph is None:
            self._enqueue(batch.context, batch.rows)
        else:
            cuda.call(self._runtime.cudaGraphLaunch, batch.cuda_graph, self._shared.stream.handle)
        self._stopwatch.stop(self._shared.stream)
        self._shared.stream.synchronize()
        return {name: buffer.host[:rows] for name, buffer in self._outputs.items()}

    @property
    def device_ms(self) -> float | None:
        """Time of the last call on the stream, from the first copy to the last, in milliseconds; None without one."""
        return self._stopwatch.elapsed_ms

    def _prepare(self, rows: int) -> PreparedBatch:
        """Make a context for batches of one size and run it once: TensorRT makes what it needs at the first run."""
        context = self._make_context()
        done = [context.set_tensor_address(name, tensor.device) for name, tensor in self._inputs.items()]
        done += [context.set_tensor_address(name, tensor.device) for name, tensor in self._outputs.items()]
        done += [context.set_input_shape(name, (rows, *tensor.host.shape[1:])) for name, tensor in self._inputs.items()]
        if not all(done):
            raise self._shared.make_error(f"refuses a batch of {rows} rows", REMEDY)
        self._enqueue(context, rows)
        self._shared.stream.synchronize()
        return PreparedBatch(rows, context, None if self._shared.variant.is_rtx else self._capture(context, rows))

    def _make_context(self) -> Any:
        strategy = self._shared.variant.module.ExecutionContextAllocationStrategy.USER_MANAGED
        if self._settings is not None:
            self._settings.set_execution_context_allocation_strategy(strategy)
        context = self._engine.create_execution_context(strategy if self._settings is None else self._settings)
        if context is None:
            raise self._shared.make_error("makes no execution context", "is the GPU's memory full?")
        if hasattr(context, "set_device_memory"):
            context.set_device_memory(self._scratch, self._scratch_size)
        else:  # TensorRT 10.3
            context.device_memory = self._scratch
        return context

    def _enqueue(self, context: Any, rows: int) -> None:
        """Enqueue the copies of the inputs, the engine and the copies of the outputs, without waiting."""
        for buffer in self._inputs.values():
            buffer.to_device(rows, self._shared.stream)
        if not context.execute_async_v3(int(self._shared.stream.handle)):
            raise self._shared.make_error("could not run the engine", REMEDY)
        for buffer in self._outputs.values():
            buffer.to_host(rows, self._shared.stream)

    def _capture(self, context: Any, rows: int) -> Any:
        """Return the whole call as an executable CUDA graph; warn and return None where it cannot be captured."""
        runtime = self._runtime
        mode = runtime.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        try:
            cuda.call(runtime.cudaStreamBeginCapture, self._shared.stream.handle, mode)
            try:
                self._enqueue(context, rows)
            finally:
                graph = cuda.call(runtime.cudaStreamEndCapture, self._shared.stream.handle)
                weakref.finalize(self, runtime.cudaGraphDestroy, graph).atexit = False
            executable = cuda.call(runtime.cudaGraphInstantiate, graph, 0)
        except EngineError as error:
            log.warning("batches of %d run without a CUDA graph: %s", rows, str(error))
            runtime.cudaGetLastError()  # else TensorRT would meet it at its next look
            return None
        weakref.finalize(self, runtime.cudaGraphExecDestroy, executable).atexit = False
        return executable


def check_tensors(trt: Any, engine: Any, graph: GraphName, entry: GraphEntry) -> None:
    """Raise EngineError unless the engine's tensors and largest batch are those of the manifest."""
    sides = {trt.TensorIOMode.INPUT: set[Any](), trt.TensorIOMode.OUTPUT: set[Any]()}
    for i in range(engine.num_io_tensors):
        name = engine.get_tensor_name(i)
        dtype = dtype_name(trt, engine.get_tensor_dtype(name))
        sides[engine.get_tensor_mode(name)].add((name, dtype, tuple(engine.get_tensor_shape(name))))
    for mode, tensors in ((trt.TensorIOMode.INPUT, entry.inputs), (trt.TensorIOMode.OUTPUT, entry.outputs)):
        expected = {(tensor.name, tensor.dtype, engine_shape(tensor)) for tensor in tensors}
        if sides[mode] != expected:
            raise EngineError(f"the engine of {graph} has {sides[mode]}, the manifest says {expected}")
    for tensor in entry.inputs:
        largest = next(iter(engine.get_tensor_profile_shape(tensor.name, 0)[-1]))
        if largest != entry.batch.largest:
            raise EngineError(f"the engine of {graph} takes {largest} rows, the manifest says {entry.batch.largest}")


def dtype_name(trt: Any, dtype: Any) -> str:
    """Return the manifest's name of a type; TensorRT's own for a type that numpy does not have."""
    try:
        return str(np.dtype(trt.nptype(dtype)).name)
    except TypeError:
        return str(dtype)


def engine_shape(tensor: Tensor) -> tuple[int, ...]:
    """Return a tensor's shape as TensorRT has it: -1 for a dimension that varies."""
    return tuple(size if isinstance(size, int) else -1 for size in tensor.shape)
