"""One graph in a session whose inputs and outputs are bound to memory of the device once, for a few sizes of batches.

A batch is run in the next of the sizes, the rows past it being whatever they were. Each size has a binding and, where
the session captures CUDA graphs, a graph of its own, which ONNX Runtime tells apart by a number. It keeps them by the
thread that ran them first: the thread that loads a backend is the one that runs it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ...bundle.manifest import GraphEntry, Tensor
from ...errors import EngineError
from ..base import Array
from ..batches import batch_sizes
from ..onnxruntime import VERSION, ort  # type: ignore[attr-defined]  # which keeps ort to itself
from ..tensorrt.cuda import Buffer, Stopwatch, Stream

NO_GRAPH = -1
"""Number that tells ONNX Runtime to capture no CUDA graph."""


class Memory(Protocol):
    """Memory of a device, with its stream of work."""

    @property
    def stream(self) -> Stream:
        """Stream on which copies and graphs follow each other."""
        ...

    def make_buffer(self, tensor: Tensor, largest: int) -> Buffer:
        """Return memory for the largest batch of a tensor, on the host and on the device."""
        ...

    def make_stopwatch(self) -> Stopwatch:
        """Return a timer of work on the stream."""
        ...


class CudaMemory:
    """Memory of an NVIDIA GPU."""

    def __init__(self) -> None:
        self.stream = Stream()

    def make_buffer(self, tensor: Tensor, largest: int) -> Buffer:
        """Return pinned memory and device memory for the largest batch of a tensor."""
        return Buffer(tensor, largest)

    def make_stopwatch(self) -> Stopwatch:
        """Return a timer by two CUDA events."""
        return Stopwatch()


@dataclass(frozen=True)
class BoundBatch:
    """Binding of a graph's tensors for batches of one size."""

    rows: int
    binding: Any
    run_options: Any


class BoundGraph:
    """One graph in a session of its own, with its buffers."""

    def __init__(
        self, session: ort.InferenceSession, entry: GraphEntry, device: str, memory: Memory, *, captures: bool
    ) -> None:
        """Bind the buffers and run each size once: convolutions choose their kernels, CUDA graphs are captured.

        `device` is the kind of device as ONNX Runtime names it, `captures` whether the session captures CUDA graphs.
        """
        self._session, self._name, self._device, self._memory = session, entry.file.path, device, memory
        self._inputs = {tensor.name: memory.make_buffer(tensor, entry.batch.largest) for tensor in entry.inputs}
        self._outputs = {tensor.name: memory.make_buffer(tensor, entry.batch.largest) for tensor in entry.outputs}
        self._stopwatch = memory.make_stopwatch()
        sizes = batch_sizes(entry.batch)
        self._batches = [self._bind(rows, i if captures else NO_GRAPH) for i, rows in enumerate(sizes)]
        for batch in self._batches:
            self._run(batch)

    def __call__(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Return the outputs by name, as views that hold until the next call."""
        rows = max((len(array) for array in inputs.values()), default=0)
        batch = next((batch for batch in self._batches if rows <= batch.rows), None)
        if batch is None or not rows:
            raise EngineError(f"a batch of {rows} rows, where the graph takes 1 to {self._batches[-1].rows}")
        for name, buffer in self._inputs.items():
            buffer.fill(name, inputs.get(name), rows)
        self._run(batch)
        return {name: buffer.host[:rows] for name, buffer in self._outputs.items()}

    @property
    def device_ms(self) -> float | None:
        """Time of the last call on the stream, from the first copy to the last, in milliseconds; None without one."""
        return self._stopwatch.elapsed_ms

    def _bind(self, rows: int, graph_number: int) -> BoundBatch:
        binding, run_options = self._session.io_binding(), ort.RunOptions()
        for bind, buffers in ((binding.bind_input, self._inputs), (binding.bind_output, self._outputs)):
            for name, buffer in buffers.items():
                shape = [rows, *buffer.host.shape[1:]]
                bind(name, self._device, 0, buffer.host.dtype.type, shape, buffer.device)
        run_options.add_run_config_entry("gpu_graph_id", str(graph_number))
        # the copies of the outputs follow on the same stream, which is waited for after them
        run_options.add_run_config_entry("disable_synchronize_execution_providers", "1")
        return BoundBatch(rows, binding, run_options)

    def _run(self, batch: BoundBatch) -> None:
        """Copy the inputs to the device, run the graph, copy the outputs back, and wait once."""
        stream = self._memory.stream
        self._stopwatch.start(stream)
        for buffer in self._inputs.values():
            buffer.to_device(batch.rows, stream)
        try:
            self._session.run_with_iobinding(batch.binding, batch.run_options)
        except Exception as error:  # onnxruntime's errors share no base class
            raise EngineError(
                f"{self._name} failed in ONNX Runtime {VERSION} on {batch.rows} rows: {str(error).strip()}",
                "is the GPU's memory full? run `foal-edge doctor`, or take --backend onnxruntime",
            ) from error
        for buffer in self._outputs.values():
            buffer.to_host(batch.rows, stream)
        self._stopwatch.stop(stream)
        stream.synchronize()
