"""Rounds of two revisions, made without running anything."""

from benchmarks.commits.measures import Round
from benchmarks.commits.watch import Run


def made_run(streams: int = 1, **changes: float) -> Run:
    fields = {"start_s": 1.0, "cpu_ms": 50.0, "latencies_ms": [10.0] * 100, "dropped": 0, "peak_mb": 200.0}
    return Run(streams=streams, **{**fields, "peak_mb": 180.0 + 20 * streams, **changes})


def made_rounds(count: int = 8, factor: float = 1.0, dropped: int = 0) -> list[Round]:
    """Rounds of 1 and 4 streams, each one percent slower than the one before; CPU time times `factor`."""
    return [
        {n: made_run(n, cpu_ms=50.0 * factor * (1 + number / 100), dropped=dropped) for n in (1, 4)}
        for number in range(count)
    ]
