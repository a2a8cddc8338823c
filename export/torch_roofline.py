"""Peak throughput of a GPU, measured with torch."""

from collections.abc import Callable
from itertools import pairwise

import torch

from edge.bench.report import Roofline
from edge.errors import UsageError

SIDE = 4096
"""Side of the square matrices."""
COPIED_BYTES = 10**9
REPEATS = 20


def measure(device: str) -> Roofline:
    """Measure the fastest product `[4096, 4096]` in float32 without TF32, and the fastest copy of 1 GB in GPU memory.

    UsageError unless `device` is `cuda` and there is a GPU: a CPU's roofline is measured without torch.
    """
    if device != "cuda" or not torch.cuda.is_available():
        found = "a GPU" if torch.cuda.is_available() else "no GPU"
        raise UsageError(f"device {device}: a GPU's roofline is measured here, torch finds {found}; give cuda with one")
    torch.backends.cuda.matmul.allow_tf32 = False
    left, right = torch.randn(2, SIDE, SIDE, device=device)
    product = torch.empty_like(left)
    gemm_ms = fastest_ms(lambda: torch.matmul(left, right, out=product))
    source = torch.ones(COPIED_BYTES, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    copy_ms = fastest_ms(lambda: target.copy_(source))
    return Roofline(gemm_gflops=2 * SIDE**3 / gemm_ms / 1e6, copy_gbps=2 * COPIED_BYTES / copy_ms / 1e6)


def fastest_ms(work: Callable[[], object]) -> float:
    """Return the shortest of several runs on the GPU, in milliseconds by its own clock, after a warm-up run."""
    work()
    events = [torch.cuda.Event(enable_timing=True) for _ in range(REPEATS + 1)]
    events[0].record()
    for event in events[1:]:
        work()
        event.record()
    torch.cuda.synchronize()
    return min(before.elapsed_time(after) for before, after in pairwise(events))
