"""Memory that a GPU works on: a tensor's rows, pinned on the host and on the device, for the largest batch."""

import ctypes
import weakref
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...bundle.manifest import Tensor
from ...errors import EngineError
from . import cuda


def allocate(owner: object, size: int) -> int:
    """The address of device memory that is freed with its owner."""
    runtime = cuda.runtime()
    address = int(cuda.call(runtime.cudaMalloc, size))
    weakref.finalize(owner, runtime.cudaFree, address).atexit = False
    return address


def pinned(shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
    """Zeros in page-locked memory, which is freed with the last view of it."""
    runtime = cuda.runtime()
    size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
    address = int(cuda.call(runtime.cudaMallocHost, size))
    memory = (ctypes.c_byte * size).from_address(address)
    weakref.finalize(memory, runtime.cudaFreeHost, address).atexit = False
    array: NDArray[Any] = np.frombuffer(memoryview(memory), dtype).reshape(shape)
    array.fill(0)  # an engine that is tried before it is fed must not see rubbish for lengths
    return array


class Stream:
    """A CUDA stream, destroyed with the last that holds it."""

    def __init__(self) -> None:
        self._runtime = cuda.runtime()
        self.handle = cuda.call(self._runtime.cudaStreamCreateWithFlags, self._runtime.cudaStreamNonBlocking)
        weakref.finalize(self, self._runtime.cudaStreamDestroy, self.handle).atexit = False

    def synchronize(self) -> None:
        """Wait for all that it was given."""
        cuda.call(self._runtime.cudaStreamSynchronize, self.handle)


class Buffer:
    """One input or output of an engine."""

    def __init__(self, tensor: Tensor, largest: int) -> None:
        self.host = pinned((largest, *map(int, tensor.shape[1:])), tensor.dtype)
        """`[largest, ...]`."""
        self.device = allocate(self, self.host.nbytes)
        """Its address on the device."""
        self._row_bytes = self.host.nbytes // largest
        self._runtime = cuda.runtime()

    def fill(self, name: str, rows: NDArray[Any] | None, count: int) -> None:
        """Put so many rows into place; EngineError names the tensor where they are none of its own."""
        expected = (self.host.dtype, (count, *self.host.shape[1:]))
        if rows is None or (rows.dtype, rows.shape) != expected:
            found = "missing" if rows is None else f"{rows.dtype} {list(rows.shape)}"
            raise EngineError(f"the input {name} is {found}, {expected[0]} {list(expected[1])} is expected")
        self.host[:count] = rows

    def to_device(self, rows: int, stream: Stream) -> None:
        """Begin to copy the first rows; nothing is waited for."""
        self._copy(self.device, self.host.ctypes.data, rows, "cudaMemcpyHostToDevice", stream)

    def to_host(self, rows: int, stream: Stream) -> None:
        """Begin to copy the first rows back; nothing is waited for."""
        self._copy(self.host.ctypes.data, self.device, rows, "cudaMemcpyDeviceToHost", stream)

    def _copy(self, to: int, source: int, rows: int, way: str, stream: Stream) -> None:
        kind = getattr(self._runtime.cudaMemcpyKind, way)
        cuda.call(self._runtime.cudaMemcpyAsync, to, source, rows * self._row_bytes, kind, stream.handle)
