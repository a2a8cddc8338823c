"""The host's memory in a device's place, with which the code for GPUs runs on ONNX Runtime's own CPU provider."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from edge.backends.ort_gpu.session import Provider
from edge.backends.tensorrt.cuda import Buffer
from edge.bundle.manifest import Tensor

CPU = Provider("CPUExecutionProvider", "cpu", strict_entries={})


class HostBuffer(Buffer):
    """Two pieces of memory on the host, one of them in the place of the device's, filled with rubbish first."""

    def __init__(self, tensor: Tensor, largest: int) -> None:
        self.host = np.zeros((largest, *map(int, tensor.shape[1:])), tensor.dtype)
        self.there = np.ones_like(self.host)
        self.device = self.there.ctypes.data

    def to_device(self, rows: int, stream: Any) -> None:
        stream.done.append(("to device", rows))
        self.there[:rows] = self.host[:rows]

    def to_host(self, rows: int, stream: Any) -> None:
        stream.done.append(("to host", rows))
        self.host[:rows] = self.there[:rows]


class MadeStream:
    def __init__(self) -> None:
        self.handle = 0
        self.done: list[tuple[str, int]] = []

    def synchronize(self) -> None:
        self.done.append(("waited", 0))


class MadeStopwatch:
    elapsed_ms: float | None = None

    def start(self, _stream: MadeStream) -> None:
        self.elapsed_ms = None

    def stop(self, _stream: MadeStream) -> None:
        self.elapsed_ms = 1.5


class HostMemory:
    def __init__(self) -> None:
        self.stream: Any = MadeStream()
        self.buffers: list[HostBuffer] = []

    def make_buffer(self, tensor: Tensor, largest: int) -> HostBuffer:
        self.buffers.append(HostBuffer(tensor, largest))
        return self.buffers[-1]

    def make_stopwatch(self) -> Any:
        return MadeStopwatch()

    @contextmanager
    def watched(self) -> Iterator[list[tuple[str, int]]]:
        """What is done on the stream from here on."""
        self.stream.done.clear()
        yield self.stream.done
