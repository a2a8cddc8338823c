"""A made GPU: CUDA's runtime on host memory, as far as `edge.backends.tensorrt` uses it.

Strict where the real one is undefined: work waits in its stream until that is synchronised, fresh memory holds
rubbish, and an address outside of what is allocated is CUDA error 700. Its clock counts work alone.
"""

import ctypes
import enum
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

Operation = Callable[[], None]
ALIGNED = 256
RUBBISH = 0xAB
COPY_MS = 0.25
"""What each copy takes."""
DESCRIBED = SimpleNamespace(name=b"Made GPU 3000\0\0", major=8, minor=6, multiProcessorCount=16)
CUDA = 13000
WORDS = {
    1: b"invalid argument",
    2: b"out of memory",
    400: b"invalid resource handle",
    600: b"device not ready",
    700: b"an illegal memory access was encountered",
    900: b"operation not permitted when stream is capturing",
    901: b"operation failed due to a previous error during capture",
}


class Status(enum.IntEnum):
    SUCCESS = 0
    INVALID = 1
    NO_MEMORY = 2
    INVALID_HANDLE = 400
    NOT_READY = 600
    ILLEGAL_ADDRESS = 700
    CAPTURING = 900
    CAPTURE_INVALIDATED = 901


class IllegalAddress(Exception):
    """Work that touched memory which is not there."""


@dataclass(eq=False)
class Stream:
    number: int
    waiting: list[Operation] = field(default_factory=list)
    recorded: list[Operation] | None = None
    """What is captured; None while nothing is."""
    spoilt: bool = False

    def __int__(self) -> int:
        return self.number

    def enqueue(self, operation: Operation) -> None:
        (self.waiting if self.recorded is None else self.recorded).append(operation)


@dataclass(eq=False)
class Event:
    at_ms: float | None = None
    """When it was reached; None where it was recorded by no stream, or into a graph."""
    awaited: bool = False


class Memory:
    """Blocks by address."""

    def __init__(self) -> None:
        self.blocks: dict[int, Any] = {}

    def allocate(self, size: int) -> int:
        block = (ctypes.c_ubyte * (size + ALIGNED))()
        address = -(-ctypes.addressof(block) // ALIGNED) * ALIGNED
        ctypes.memset(address, RUBBISH, size)
        self.blocks[address] = (block, size)
        return address

    def holds(self, address: int, size: int) -> bool:
        return any(start <= address and address + size <= start + held for start, (_, held) in self.blocks.items())


class Cuda:
    """Stands for the module `cuda.bindings.runtime`; `calls` counts, `failing` gives a call another status."""

    cudaMemcpyKind = enum.IntEnum("cudaMemcpyKind", {"cudaMemcpyHostToDevice": 1, "cudaMemcpyDeviceToHost": 2})
    cudaStreamCaptureMode = enum.IntEnum("cudaStreamCaptureMode", {"cudaStreamCaptureModeThreadLocal": 1})
    cudaStreamNonBlocking = 1

    def __init__(self) -> None:
        self.device, self.host = Memory(), Memory()
        self.streams: dict[int, Stream] = {}
        self.events: list[Event] = []
        self.now_ms = 0.0
        self.graphs: list[Any] = []
        """Those captured and those made executable that are not destroyed."""
        self.calls: Counter[str] = Counter()
        self.failing: dict[str, Status] = {}
        self.last = Status.SUCCESS
        """What went wrong last; kept until it is asked for, whatever succeeds meanwhile."""
        self.capturable = True
        """Whether engines can be captured."""

    def cudaGetErrorString(self, status: Status) -> tuple[int, bytes]:
        return 0, WORDS[status]

    def cudaGetDeviceCount(self) -> tuple[Any, ...]:
        return self._done("cudaGetDeviceCount", 1)

    def cudaGetDeviceProperties(self, number: int) -> tuple[Any, ...]:
        return self._done("cudaGetDeviceProperties", DESCRIBED)

    def cudaDriverGetVersion(self) -> tuple[Any, ...]:
        return self._done("cudaDriverGetVersion", CUDA)

    def cudaGetLastError(self) -> tuple[Any, ...]:
        self.calls["cudaGetLastError"] += 1
        status, self.last = self.last, Status.SUCCESS
        return (status,)

    def cudaMalloc(self, size: int) -> tuple[Any, ...]:
        return self._allocate("cudaMalloc", self.device, size)

    def cudaMallocHost(self, size: int) -> tuple[Any, ...]:
        return self._allocate("cudaMallocHost", self.host, size)

    def cudaFree(self, address: int) -> tuple[Any, ...]:
        return self._done("cudaFree", problem=None if self.device.blocks.pop(address, None) else Status.INVALID)

    def cudaFreeHost(self, address: int) -> tuple[Any, ...]:
        return self._done("cudaFreeHost", problem=None if self.host.blocks.pop(address, None) else Status.INVALID)

    def cudaStreamCreateWithFlags(self, flags: int) -> tuple[Any, ...]:
        stream = Stream(1000 + len(self.streams))
        self.streams[stream.number] = stream
        return self._done("cudaStreamCreateWithFlags", stream)

    def cudaStreamDestroy(self, stream: Stream) -> tuple[Any, ...]:
        return self._done("cudaStreamDestroy", problem=None if self.streams.pop(int(stream), None) else Status.INVALID)

    def cudaMemcpyAsync(self, to: int, source: int, size: int, kind: int, stream: Stream) -> tuple[Any, ...]:
        ways = {1: (self.device, self.host), 2: (self.host, self.device)}
        target, origin = ways[kind]

        def copy() -> None:
            if not (target.holds(to, size) and origin.holds(source, size)):
                raise IllegalAddress
            ctypes.memmove(to, source, size)
            self.now_ms += COPY_MS

        stream.enqueue(copy)
        return self._done("cudaMemcpyAsync")

    def cudaStreamSynchronize(self, stream: Stream) -> tuple[Any, ...]:
        if stream.recorded is not None:
            stream.spoilt = True
            return self._done("cudaStreamSynchronize", problem=Status.CAPTURING)
        waiting, stream.waiting = stream.waiting, []
        try:
            for operation in waiting:
                operation()
        except IllegalAddress:
            return self._done("cudaStreamSynchronize", problem=Status.ILLEGAL_ADDRESS)
        return self._done("cudaStreamSynchronize")

    def cudaEventCreate(self) -> tuple[Any, ...]:
        if "cudaEventCreate" not in self.failing:
            self.events.append(Event())
        return self._done("cudaEventCreate", self.events[-1] if self.events else None)

    def cudaEventDestroy(self, event: Event) -> tuple[Any, ...]:
        known = event in self.events
        self.events = [other for other in self.events if other is not event]
        return self._done("cudaEventDestroy", problem=None if known else Status.INVALID_HANDLE)

    def cudaEventRecord(self, event: Event, stream: Stream) -> tuple[Any, ...]:
        event.at_ms, event.awaited = None, stream.recorded is None

        def reach() -> None:
            if event.awaited:
                event.at_ms, event.awaited = self.now_ms, False

        stream.enqueue(reach)
        return self._done("cudaEventRecord")

    def cudaEventElapsedTime(self, start: Event, end: Event) -> tuple[Any, ...]:
        if start.awaited or end.awaited:
            return self._done("cudaEventElapsedTime", None, problem=Status.NOT_READY)
        if start.at_ms is None or end.at_ms is None:
            return self._done("cudaEventElapsedTime", None, problem=Status.INVALID_HANDLE)
        return self._done("cudaEventElapsedTime", end.at_ms - start.at_ms)

    def cudaStreamBeginCapture(self, stream: Stream, mode: int) -> tuple[Any, ...]:
        if "cudaStreamBeginCapture" not in self.failing:
            stream.recorded, stream.spoilt = [], False
        return self._done("cudaStreamBeginCapture")

    def cudaStreamEndCapture(self, stream: Stream) -> tuple[Any, ...]:
        recorded, stream.recorded = stream.recorded, None
        if stream.spoilt or "cudaStreamEndCapture" in self.failing:
            return self._done("cudaStreamEndCapture", None, problem=Status.CAPTURE_INVALIDATED)
        self.graphs.append(recorded)
        return self._done("cudaStreamEndCapture", recorded)

    def cudaGraphInstantiate(self, graph: list[Operation], flags: int) -> tuple[Any, ...]:
        executable = (*graph,)
        if "cudaGraphInstantiate" not in self.failing:
            self.graphs.append(executable)
        return self._done("cudaGraphInstantiate", executable)

    def cudaGraphLaunch(self, executable: tuple[Operation, ...], stream: Stream) -> tuple[Any, ...]:
        for operation in executable:
            stream.enqueue(operation)
        return self._done("cudaGraphLaunch")

    def cudaGraphDestroy(self, graph: list[Operation]) -> tuple[Any, ...]:
        return self._destroy("cudaGraphDestroy", graph)

    def cudaGraphExecDestroy(self, executable: tuple[Operation, ...]) -> tuple[Any, ...]:
        return self._destroy("cudaGraphExecDestroy", executable)

    def _destroy(self, name: str, graph: Any) -> tuple[Any, ...]:
        kept = [other for other in self.graphs if other is not graph]
        known, self.graphs = len(kept) < len(self.graphs), kept
        return self._done(name, problem=None if known else Status.INVALID)

    def _allocate(self, name: str, memory: Memory, size: int) -> tuple[Any, ...]:
        if any(stream.recorded is not None for stream in self.streams.values()):
            return self._done(name, None, problem=Status.CAPTURING)
        return self._done(name, None if name in self.failing else memory.allocate(size))

    def _done(self, name: str, *values: Any, problem: Status | None = None) -> tuple[Any, ...]:
        self.calls[name] += 1
        status = self.failing.get(name, problem or Status.SUCCESS)
        self.last = status or self.last
        return (status, *values)
