"""What a machine does at best: the two roofs of the roofline model (Williams, Waterman & Patterson, CACM 2009).

The product's rate is the better of two libraries': numpy's BLAS may be held back by a variable such as
OPENBLAS_CORETYPE, ONNX Runtime's by none.
"""

import os
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from .matmul_probe import open_product
from .report import Roof

SIDE = 1536
"""Rows and columns of the matrices: 28 MB in all, 7 GFLOP a product."""
COPIED_BYTES = 1 << 28
"""From one array to another as large, together larger than caches."""
SMALLEST_COPIED_BYTES = 1 << 24
RUNS = 12
"""Of which the best counts; the first makes threads and memory ready."""


def measure(threads: int) -> Roof:
    """Of so many cores (0: all that the process may use); one to a few seconds."""
    return Roof(gemm_gflops=gemm_gflops(threads), copy_gbps=copy_gbps(threads, copied_bytes(Path("/proc/meminfo"))))


def gemm_gflops(threads: int, side: int = SIDE) -> float:
    """10^9 operations a second of the float32 product of two `[side, side]`, a multiplication and an addition each.

    numpy's library takes all cores, so that it counts only where all are asked for.
    """
    draw = np.random.default_rng(0)
    left, right = draw.random((side, side), np.float32), draw.random((side, side), np.float32)
    multiply = open_product(threads)
    fastest_s = best_s(lambda: multiply(left, right))
    if not 0 < threads < usable_cores():
        product = np.empty_like(left)
        fastest_s = min(fastest_s, best_s(lambda: np.matmul(left, right, out=product)))
    return 2 * side**3 / fastest_s / 1e9


def copy_gbps(threads: int, size: int) -> float:
    """10^9 bytes a second, read and written, of copying so many bytes in as many threads; numpy lets them run at once.

    What a cache reads before it is written to is not counted.
    """
    count = threads or usable_cores()
    source = np.ones(size, np.uint8)
    target = np.empty_like(source)
    with ThreadPoolExecutor(count) as pool:
        pieces = np.array_split(target, count), np.array_split(source, count)
        fastest_s = best_s(lambda: list(pool.map(np.copyto, *pieces)))
    return 2 * size / fastest_s / 1e9


def copied_bytes(meminfo: Path) -> int:
    """How much to copy: less where that and its copy would take more than a quarter of the memory that is free."""
    try:
        found = re.search(r"^MemAvailable:\s*(\d+) kB$", meminfo.read_text(), re.MULTILINE)
    except OSError:
        found = None
    most = int(found[1]) * 1024 // 8 if found else COPIED_BYTES
    return max(SMALLEST_COPIED_BYTES, min(COPIED_BYTES, most))


def best_s(work: Callable[[], object]) -> float:
    """The shortest time of several runs."""
    taken_s = []
    for _ in range(RUNS):
        started = time.perf_counter()
        work()
        taken_s.append(time.perf_counter() - started)
    return min(taken_s)


def usable_cores() -> int:
    """That this process may run on."""
    return len(os.sched_getaffinity(0))
