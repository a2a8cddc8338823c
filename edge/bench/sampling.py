"""Sampling: candidates timed in interleaved runs, until the samples support a percentile or the time is up."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .energy import Energy
from .statistics import samples_needed

Run = Callable[[], float | None]
"""Function that does the operation once and returns its milliseconds on the GPU, where there is one."""

WARM_UP_RUNS = 5
WARM_UP_S = 2.0
"""Time after which the warm-up ends even before its last run."""
IDLE_POLL_S, IDLE_LOAD, MAX_IDLE_POLLS = 0.01, 0.1, 50
"""Wait between two candidates: poll interval, share of a core below which the process is idle, and most polls."""


@dataclass
class Measurement:
    """Samples of one operation, and the resources that they took."""

    samples_ms: list[float] = field(default_factory=list)
    warm_up_ms: list[float] = field(default_factory=list)
    device_ms: list[float] = field(default_factory=list)
    cpu_s: float = 0.0
    energy_j: float | None = None
    stop_reason: str | None = None

    def sample(self, run: Run, energy: Energy) -> None:
        """Run the operation once, and add its sample."""
        before_j, cpu_s, started = energy.read_j(), time.process_time(), time.perf_counter()
        device_ms = run()
        self.samples_ms.append((time.perf_counter() - started) * 1e3)
        self.cpu_s += time.process_time() - cpu_s
        after_j = energy.read_j()
        if before_j is not None and after_j is not None:
            self.energy_j = (self.energy_j or 0.0) + after_j - before_j
        if device_ms is not None:
            self.device_ms.append(device_ms)


@dataclass(frozen=True)
class Sampling:
    """Time limit of a series, and the meters."""

    seconds: float
    """Longest duration of one series."""
    energy: Energy
    probe_noise: Callable[[], None]
    """Function, called between series, that times a probe of the machine's noise."""

    def interleaved(self, runs: Mapping[str, Run], percentile: float) -> dict[str, Measurement]:
        """Run each once per round, in a newly drawn order, so that a machine that slows down slows all of them."""
        self.probe_noise()
        found = {name: Measurement(warm_up_ms=warm_up(run)) for name, run in runs.items()}
        wanted, order = samples_needed(percentile), list(runs)
        draw = random.Random(0)
        ends = time.perf_counter() + self.seconds * len(runs)
        for count in range(wanted):
            if time.perf_counter() > ends:
                reason = f"{count} of the {wanted} samples that p{percentile:g} needs in {self.seconds:g} s"
                for each in found.values():
                    each.stop_reason = reason
                break
            draw.shuffle(order)
            for name in order:
                if len(order) > 1:
                    wait_until_idle()
                found[name].sample(runs[name], self.energy)
        return found


def wait_until_idle() -> None:
    """Wait while threads spin after a run, as those of ONNX Runtime do for 0.1 s: they would slow the next one."""
    before_s = time.process_time()
    for _ in range(MAX_IDLE_POLLS):
        time.sleep(IDLE_POLL_S)
        now_s = time.process_time()
        if now_s - before_s < IDLE_LOAD * IDLE_POLL_S:
            return
        before_s = now_s


def warm_up(run: Run) -> list[float]:
    """Run the operation some times, and return the milliseconds of each run."""
    took: list[float] = []
    while len(took) < WARM_UP_RUNS and sum(took) < WARM_UP_S * 1e3:
        started = time.perf_counter()
        run()
        took.append((time.perf_counter() - started) * 1e3)
    return took
