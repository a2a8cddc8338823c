"""CUDA's runtime through cuda-python: calls that raise their errors, streams, a timer, and the memory of tensors."""

import ctypes
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...bundle.manifest import Tensor
from ...errors import EngineError

REMEDY = "pip install cuda-python, on JetPack 6 'cuda-python<13'; or take --backend onnxruntime"


def runtime() -> Any:
    """Return the module `cuda.bindings.runtime`; EngineError where cuda-python is missing."""
    try:
        from cuda.bindings import runtime as module
    except ImportError as error:
        raise EngineError(f"cuda-python 12.6 or later is not installed ({error})", REMEDY) from error
    return module


def call(function: Callable[..., tuple[Any, ...]], *arguments: Any) -> Any:
    """Return what a function returns beside its status; EngineError quotes CUDA where the status is no success."""
    try:
        status, *values = function(*arguments)
        if int(status):
            _, message = runtime().cudaGetErrorString(status)
            raise EngineError(f"{function.__name__}: {message.decode()} (CUDA error {int(status)})")
    except RuntimeError as error:  # how cuda-python 12.6 says that there is no driver
        raise EngineError(f"{function.__name__}: {error}") from error
    return values[0] if values else None


class Stream:
    """A CUDA stream, destroyed with its last holder."""

    def __init__(self) -> None:
        self._runtime = runtime()
        self.handle = call(self._runtime.cudaStreamCreateWithFlags, self._runtime.cudaStreamNonBlocking)
        weakref.finalize(self, self._runtime.cudaStreamDestroy, self.handle).atexit = False

    def synchronize(self) -> None:
        """Wait for all work that was enqueued."""
        call(self._runtime.cudaStreamSynchronize, self.handle)


class Stopwatch:
    """A timer of work on a stream, apart from the host that prepares and waits: two CUDA events."""

    def __init__(self) -> None:
        self._runtime = runtime()
        self._before, self._after = self._make_event(), self._make_event()
        self._has_stopped = False

    def start(self, stream: Stream) -> None:
        """Measure from here on: what the stream is given next counts."""
        self._has_stopped = False
        call(self._runtime.cudaEventRecord, self._before, stream.handle)

    def stop(self, stream: Stream) -> None:
        """Measure up to here: what the stream is given next no longer counts."""
        call(self._runtime.cudaEventRecord, self._after, stream.handle)
        self._has_stopped = True

    @property
    def elapsed_ms(self) -> float | None:
        """Time between start and stop, in milliseconds, once the stream is synchronised; None before the stop."""
        if not self._has_stopped:
            return None
        return float(call(self._runtime.cudaEventElapsedTime, self._before, self._after))

    def _make_event(self) -> Any:
        event = call(self._runtime.cudaEventCreate)
        weakref.finalize(self, self._runtime.cudaEventDestroy, event).atexit = False
        return event


def allocate(owner: object, size: int) -> int:
    """Return the address of `size` bytes of device memory, which are freed with their owner."""
    module = runtime()
    address = int(call(module.cudaMalloc, size))
    weakref.finalize(owner, module.cudaFree, address).atexit = False
    return address


def allocate_pinned(shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
    """Return zeros in page-locked memory, which is freed with the last view of it."""
    module = runtime()
    size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
    address = int(call(module.cudaMallocHost, size))
    memory = (ctypes.c_byte * size).from_address(address)
    weakref.finalize(memory, module.cudaFreeHost, address).atexit = False
    array: NDArray[Any] = np.frombuffer(memoryview(memory), dtype).reshape(shape)
    array.fill(0)  # an engine that is tried before it is fed must not see rubbish for lengths
    return array


class Buffer:
    """Memory of one input or output of an engine, pinned on the host and on the device, for the largest batch."""

    def __init__(self, tensor: Tensor, largest: int) -> None:
        self.host = allocate_pinned((largest, *map(int, tensor.shape[1:])), tensor.dtype)
        """Rows on the host, `[largest, ...]`."""
        self.device = allocate(self, self.host.nbytes)
        """Address on the device."""
        self._row_bytes = self.host.nbytes // largest
        self._runtime = runtime()

    def fill(self, name: str, rows: NDArray[Any] | None, count: int) -> None:
        """Copy `count` rows into the host's memory; EngineError names the tensor where their type or shape is wrong."""
        expected = (self.host.dtype, (count, *self.host.shape[1:]))
        if rows is None or (rows.dtype, rows.shape) != expected:
            found = "missing" if rows is None else f"{rows.dtype} {list(rows.shape)}"
            raise EngineError(f"the input {name} is {found}, {expected[0]} {list(expected[1])} is expected")
        self.host[:count] = rows

    def to_device(self, rows: int, stream: Stream) -> None:
        """Begin to copy the first rows to the device, without waiting."""
        self._copy(self.device, self.host.ctypes.data, rows, "cudaMemcpyHostToDevice", stream)

    def to_host(self, rows: int, stream: Stream) -> None:
        """Begin to copy the first rows back to the host, without waiting."""
        self._copy(self.host.ctypes.data, self.device, rows, "cudaMemcpyDeviceToHost", stream)

    def _copy(self, target: int, source: int, rows: int, direction: str, stream: Stream) -> None:
        kind = getattr(self._runtime.cudaMemcpyKind, direction)
        call(self._runtime.cudaMemcpyAsync, target, source, rows * self._row_bytes, kind, stream.handle)
