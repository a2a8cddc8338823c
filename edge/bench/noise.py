"""How steady the machine is while it is measured: the same small work again and again, and who else has the CPU.

CPU time is counted in the kernel's ticks, as proc_stat(5) and proc_pid_stat(5) have it: of the machine, and of this
process, its children and theirs.
"""

import os
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .report import Noise
from .statistics import drift, spread

NUMBERS = 1 << 14
"""That are sorted in one look: about a millisecond of a desktop's core, by a merge sort that is the same everywhere."""
LARGEST_SPREAD = 0.15
LARGEST_DRIFT = 0.10
LARGEST_STOLEN = 0.02
LARGEST_OTHERS = 0.05


class Ticks(NamedTuple):
    """CPU time so far, of all cores."""

    available: int
    busy: int
    stolen: int
    own: int


class Steadiness:
    """Watches from its making on. `root`: where `proc` lies."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._proc = root / "proc"
        self._numbers = np.random.default_rng(0).random(NUMBERS)
        self._before = ticks(self._proc)
        self.work_ms: list[float] = []
        """Each look's time."""

    def look(self) -> None:
        """Do the small work once, in this thread."""
        started = time.perf_counter()
        np.sort(self._numbers, kind="stable")
        self.work_ms.append((time.perf_counter() - started) * 1e3)

    def report(self) -> Noise:
        """Of the time since the making; the shares are 0 where the kernel does not tell, which a complaint says."""
        complaints = about_work(self.work_ms)
        now = ticks(self._proc)
        if now is None or self._before is None:
            complaints.append(f"{self._proc / 'stat'} cannot be read: what others take of the CPU is unknown")
            return Noise(work_ms=self.work_ms, stolen=0.0, others=0.0, complaints=complaints)
        stolen, others = shares(self._before, now)
        return Noise(
            work_ms=self.work_ms, stolen=stolen, others=others, complaints=complaints + about_shares(stolen, others)
        )


def shares(before: Ticks, after: Ticks) -> tuple[float, float]:
    """Of the CPU time between the two: what the hypervisor took, and what other processes and the kernel took."""
    available, busy, stolen, own = (late - early for early, late in zip(before, after, strict=True))
    if available <= 0:
        return 0.0, 0.0
    return max(0.0, stolen / available), max(0.0, (busy - own) / available)


def about_work(work_ms: list[float]) -> list[str]:
    """Complaints about the small work."""
    if not work_ms:
        return []
    complaints = []
    if (found := spread(work_ms)) > LARGEST_SPREAD:
        complaints.append(
            f"the same small work's p90 was {found:.0%} above its median, at most {LARGEST_SPREAD:.0%} is expected; "
            "close other programs and set the CPU's governor to performance"
        )
    if abs(found := drift(work_ms)) > LARGEST_DRIFT:
        complaints.append(
            f"the same small work took {found:+.0%} in the last third, at most ±{LARGEST_DRIFT:.0%} is expected; "
            "let the machine reach its temperature, and fix its clocks"
        )
    return complaints


def about_shares(stolen: float, others: float) -> list[str]:
    """Complaints about who else has the CPU."""
    complaints = []
    if stolen > LARGEST_STOLEN:
        complaints.append(
            f"the hypervisor took {stolen:.1%} of the CPU time, at most {LARGEST_STOLEN:.0%} is expected; "
            "measure on a machine of its own"
        )
    if others > LARGEST_OTHERS:
        complaints.append(
            f"other processes took {others:.1%} of the CPU time, at most {LARGEST_OTHERS:.0%} is expected; "
            "close other programs"
        )
    return complaints


def ticks(proc: Path) -> Ticks | None:
    """So far; None where the kernel does not tell."""
    try:
        first = (proc / "stat").read_text().partition("\n")[0].split()
    except OSError:
        return None
    user, nice, system, idle, wait, irq, softirq, stolen = map(int, first[1:9])
    busy = user + nice + system + irq + softirq
    return Ticks(busy + idle + wait + stolen, busy, stolen, own_ticks(proc, os.getpid()))


def own_ticks(proc: Path, process: int) -> int:
    """Of a process and those that descend from it: what they took, and what their ended children took."""
    parents, took = {}, {}
    for path in proc.glob("[0-9]*/stat"):
        try:
            fields = path.read_text(errors="replace").rpartition(")")[2].split()
        except OSError:  # ended meanwhile; its parent has its time
            continue
        parents[int(path.parent.name)] = int(fields[1])
        took[int(path.parent.name)] = sum(map(int, fields[11:15]))
    return sum(count for one, count in took.items() if descends(one, process, parents))


def descends(process: int, ancestor: int, parents: dict[int, int]) -> bool:
    """Whether a process is the ancestor or descends from it."""
    while process != ancestor and process in parents:
        process = parents[process]
    return process == ancestor
