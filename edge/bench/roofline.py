"""Peak throughput of a machine: the two limits of the roofline model (Williams, Waterman & Patterson, CACM 2009).

The compute limit is the better of two libraries' matrix products: numpy's BLAS may be held back by a variable such as
OPENBLAS_CORETYPE, ONNX Runtime by none. ONNX Runtime multiplies with a model of one node, written here in the bytes of
protobuf: field numbers are those of onnx.proto, varints and lengths those of
https://protobuf.dev/programming-guides/encoding.
"""

import os
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from ..backends.base import Array
from ..backends.onnxruntime import open_session, session_options
from .report import Roofline

SIDE = 1536
"""Rows and columns of the matrices: 28 MB in all, 7 GFLOP per product."""
COPIED_BYTES = 1 << 28
"""Bytes to copy; source and target together are larger than caches."""
MIN_COPIED_BYTES = 1 << 24
RUNS = 12
"""Number of runs of which the fastest counts; the first one warms up threads and memory."""
FLOAT32 = 1
"""TensorProto.DataType.FLOAT."""
IR_VERSION, OPSET = 8, 13
"""Versions that every supported ONNX Runtime reads."""


def measure(threads: int) -> Roofline:
    """Measure the roofline of this many cores (0: all that the process may use), in one to a few seconds."""
    return Roofline(gemm_gflops=gemm_gflops(threads), copy_gbps=copy_gbps(threads, copied_bytes(Path("/proc/meminfo"))))


def gemm_gflops(threads: int, side: int = SIDE) -> float:
    """Measure GFLOP/s of the float32 product of two `[side, side]`; a multiplication and an addition are two FLOPs.

    numpy's library takes all cores, so it counts only where all are asked for.
    """
    draw = np.random.default_rng(0)
    left, right = draw.random((side, side), np.float32), draw.random((side, side), np.float32)
    multiply = open_matmul(threads)
    fastest_s = shortest_s(lambda: multiply(left, right))
    if not 0 < threads < usable_cores():
        product = np.empty_like(left)
        fastest_s = min(fastest_s, shortest_s(lambda: np.matmul(left, right, out=product)))
    return 2 * side**3 / fastest_s / 1e9


def copy_gbps(threads: int, size: int) -> float:
    """Measure GB/s, read and written, of copying `size` bytes in this many threads; numpy releases the GIL meanwhile.

    A cache line that is read before it is written to counts as written only.
    """
    count = threads or usable_cores()
    source = np.ones(size, np.uint8)
    target = np.empty_like(source)
    with ThreadPoolExecutor(count) as pool:
        pieces = np.array_split(target, count), np.array_split(source, count)
        fastest_s = shortest_s(lambda: list(pool.map(np.copyto, *pieces)))
    return 2 * size / fastest_s / 1e9


def copied_bytes(meminfo: Path) -> int:
    """Return how many bytes to copy: so few that source and target fit into a quarter of the available memory."""
    try:
        found = re.search(r"^MemAvailable:\s*(\d+) kB$", meminfo.read_text(), re.MULTILINE)
    except OSError:
        found = None
    most = int(found[1]) * 1024 // 8 if found else COPIED_BYTES
    return max(MIN_COPIED_BYTES, min(COPIED_BYTES, most))


def shortest_s(run: Callable[[], object]) -> float:
    """Return the shortest time of several runs."""
    taken_s = []
    for _ in range(RUNS):
        started = time.perf_counter()
        run()
        taken_s.append(time.perf_counter() - started)
    return min(taken_s)


def usable_cores() -> int:
    """Return the number of cores that this process may run on."""
    return len(os.sched_getaffinity(0))


def open_matmul(threads: int) -> Callable[[Array, Array], Array]:
    """Return a product of float32 `[rows, inner]` and `[inner, columns]` on this many cores (0: all).

    The session is set up as that of the backend.
    """
    session = open_session(matmul_model(), session_options(threads))

    def multiply(left: Array, right: Array) -> Array:
        product: Array = session.run(None, {"left": left, "right": right})[0]
        return product

    return multiply


def matmul_model() -> bytes:
    """Return `product = MatMul(left, right)` as an ONNX model."""
    node = field(1, "left") + field(1, "right") + field(2, "product") + field(4, "MatMul")
    inputs = field(11, matrix("left", "rows", "inner")) + field(11, matrix("right", "inner", "columns"))
    graph = field(1, node) + field(2, "product") + inputs + field(12, matrix("product", "rows", "columns"))
    return field(1, IR_VERSION) + field(7, graph) + field(8, field(1, "") + field(2, OPSET))


def matrix(name: str, *dimensions: str) -> bytes:
    """Return a ValueInfoProto of float32 whose dimensions have names."""
    shape = b"".join(field(1, field(2, dimension)) for dimension in dimensions)
    return field(1, name) + field(2, field(1, field(1, FLOAT32) + field(2, shape)))


def field(number: int, value: int | str | bytes) -> bytes:
    """Return one field of a message: a varint, or bytes behind their length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    content = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(value: int) -> bytes:
    """Encode an integer in seven bits per byte, the lowest first; the eighth bit says that more follow."""
    low, rest = value & 127, value >> 7
    return bytes([low | 128]) + varint(rest) if rest else bytes([low])
