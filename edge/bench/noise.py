"""Noise of the machine while it is measured: the same small computation timed repeatedly, and CPU time taken by others.

CPU time is counted in the kernel's ticks, by proc_stat(5) and proc_pid_stat(5): that of the machine, and that of this
process and its descendants.
"""

import os
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .report import Noise
from .statistics import drift, spread

PROBE_SIZE = 1 << 14
"""Count of numbers that a probe sorts, by a merge sort that is the same everywhere: about 1 ms of a desktop's core."""
MAX_SPREAD = 0.15
MAX_DRIFT = 0.10
MAX_STEAL = 0.02
MAX_OTHERS = 0.05


class Ticks(NamedTuple):
    """CPU time of all cores so far."""

    available: int
    busy: int
    steal: int
    own: int


class NoiseMonitor:
    """Monitor of the noise since it was made. `root`: the folder of `proc`."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._proc = root / "proc"
        self._numbers = np.random.default_rng(0).random(PROBE_SIZE)
        self._before = read_ticks(self._proc)
        self.probe_ms: list[float] = []
        """Duration of each probe."""

    def probe(self) -> None:
        """Time the small computation once, in this thread."""
        started = time.perf_counter()
        np.sort(self._numbers, kind="stable")
        self.probe_ms.append((time.perf_counter() - started) * 1e3)

    def summarize(self) -> Noise:
        """Return the noise so far; the shares are 0, with a warning, where the kernel does not report them."""
        warnings = probe_warnings(self.probe_ms)
        now = read_ticks(self._proc)
        if now is None or self._before is None:
            warnings.append(f"{self._proc / 'stat'} cannot be read: the CPU time that others take is unknown")
            return Noise(probe_ms=self.probe_ms, steal_share=0.0, other_share=0.0, warnings=warnings)
        steal, others = shares(self._before, now)
        warnings += share_warnings(steal, others)
        return Noise(probe_ms=self.probe_ms, steal_share=steal, other_share=others, warnings=warnings)


def shares(before: Ticks, after: Ticks) -> tuple[float, float]:
    """Return the hypervisor's share of the CPU time between two readings, and that of other processes and kernel."""
    available, busy, steal, own = (late - early for early, late in zip(before, after, strict=True))
    if available <= 0:
        return 0.0, 0.0
    return max(0.0, steal / available), max(0.0, (busy - own) / available)


def probe_warnings(probe_ms: list[float]) -> list[str]:
    """Return warnings about the probes."""
    if not probe_ms:
        return []
    warnings = []
    if (found := spread(probe_ms)) > MAX_SPREAD:
        warnings.append(
            f"p90 of the probes was {found:.0%} above their median, at most {MAX_SPREAD:.0%} is expected; "
            "close other programs and set the CPU's governor to performance"
        )
    if abs(found := drift(probe_ms)) > MAX_DRIFT:
        warnings.append(
            f"the probes took {found:+.0%} in the last third, at most ±{MAX_DRIFT:.0%} is expected; "
            "let the machine reach its temperature, and fix its clocks"
        )
    return warnings


def share_warnings(steal: float, others: float) -> list[str]:
    """Return warnings about the CPU time that others took."""
    warnings = []
    if steal > MAX_STEAL:
        warnings.append(
            f"the hypervisor took {steal:.1%} of the CPU time, at most {MAX_STEAL:.0%} is expected; "
            "measure on a machine of its own"
        )
    if others > MAX_OTHERS:
        warnings.append(
            f"other processes took {others:.1%} of the CPU time, at most {MAX_OTHERS:.0%} is expected; "
            "close other programs"
        )
    return warnings


def read_ticks(proc: Path) -> Ticks | None:
    """Read the CPU time so far, None where the kernel does not report it."""
    try:
        first = (proc / "stat").read_text().partition("\n")[0].split()
    except OSError:
        return None
    user, nice, system, idle, wait, irq, softirq, steal = map(int, first[1:9])
    busy = user + nice + system + irq + softirq
    return Ticks(busy + idle + wait + steal, busy, steal, tree_ticks(proc, os.getpid()))


def tree_ticks(proc: Path, process: int) -> int:
    """Return the CPU time of a process and its descendants, with that of their children that have ended."""
    parents, used = {}, {}
    for path in proc.glob("[0-9]*/stat"):
        try:
            fields = path.read_text(errors="replace").rpartition(")")[2].split()
        except OSError:  # the process has ended meanwhile; its parent has its time
            continue
        parents[int(path.parent.name)] = int(fields[1])
        used[int(path.parent.name)] = sum(map(int, fields[11:15]))
    return sum(count for one, count in used.items() if descends(one, process, parents))


def descends(process: int, ancestor: int, parents: dict[int, int]) -> bool:
    """Return whether a process is the ancestor or descends from it."""
    while process != ancestor and process in parents:
        process = parents[process]
    return process == ancestor
