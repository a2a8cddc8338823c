"""Runs of one person and of four, in turn: the CPU time of a second of film."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

from edge.bench.statistics import median_ratio
from edge.bench.table_format import number
from edge.wire.page import table

from ..commits.watch import WARM_S, Run, watch_run
from .film import write_four

SPARE_S = 8.0
"""Seconds by which the made film is longer than a run."""
CASES = (("one person, --people 1", 1, 1), ("four people, --people 1", 4, 1), ("four people, --people 4", 4, 4))
"""Name of each case, the number of people in its film, and of those followed."""


def compare(film: Path, rounds: int, seconds: float, progress: Callable[[str], None]) -> dict[str, list[Run]]:
    """Run each case in every round, on a film of one person and one of four of them; return the runs by case."""
    found: dict[str, list[Run]] = {name: [] for name, _, _ in CASES}
    with tempfile.TemporaryDirectory() as scratch:
        four = Path(scratch) / "four.mp4"
        progress("making the film of four people")
        write_four(film, four, WARM_S + seconds + SPARE_S)
        for turn in range(rounds):
            for name, shown, followed in CASES:
                progress(f"round {turn + 1} of {rounds}: {name}")
                path = film if shown == 1 else four
                found[name].append(watch_run(None, path.absolute(), 1, seconds, people=followed))
    return found


def markdown(found: dict[str, list[Run]]) -> str:
    """Return the table of medians, with ratios to the first case."""
    first = [run.cpu_ms for run in next(iter(found.values()))]
    rows = []
    for name, runs in found.items():
        cpu_ms = [run.cpu_ms for run in runs]
        ratio = median_ratio(cpu_ms, first, paired=True)
        interval = f" ({ratio.low:.2f} to {ratio.high:.2f})" if ratio.is_bounded and ratio.value != 1 else ""
        latency = median(run.p99_ms for run in runs)
        rows.append((name, number(median(cpu_ms)), f"{ratio.value:.2f}{interval}", number(latency)))
    return table(("", "CPU ms a second of film", "ratio", "p99 ms"), rows)
