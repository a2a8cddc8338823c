"""Timing: several ways of one thing in turn, until the samples support what is to be said or the time is up."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .energy import Energy
from .statistics import needed

Run = Callable[[], float | None]
"""Does the thing once; gives the milliseconds of it that a device was busy, where there is one."""

WARM_UP_RUNS = 5
WARM_UP_S = 2.0
"""After which warming up ends even before its last run."""
LOOK_S, CALM, MOST_LOOKS = 0.01, 0.1, 50
"""Between two contenders: every so often, until so small a share of a core is used, at most so many times."""


@dataclass
class Taken:
    """What was found of one of them."""

    samples_ms: list[float] = field(default_factory=list)
    warm_up_ms: list[float] = field(default_factory=list)
    device_ms: list[float] = field(default_factory=list)
    cpu_s: float = 0.0
    energy_j: float | None = None
    stopped: str | None = None

    def take(self, run: Run, energy: Energy) -> None:
        """Run once, and count it."""
        joules, cpu_s, started = energy.read_j(), time.process_time(), time.perf_counter()
        device_ms = run()
        self.samples_ms.append((time.perf_counter() - started) * 1e3)
        self.cpu_s += time.process_time() - cpu_s
        spent = energy.read_j()
        if joules is not None and spent is not None:
            self.energy_j = (self.energy_j or 0.0) + spent - joules
        if device_ms is not None:
            self.device_ms.append(device_ms)


@dataclass(frozen=True)
class Sampling:
    """How long to measure, and by what the energy is told."""

    seconds: float
    """Of one series, at most."""
    energy: Energy
    settle: Callable[[], None]
    """Called between series: looks how steady the machine is."""

    def in_turn(self, runs: Mapping[str, Run], percentile: float) -> dict[str, Taken]:
        """Each once a round, in an order drawn anew, so that a machine that slows down slows all of them."""
        self.settle()
        taken = {name: Taken() for name in runs}
        for name, run in runs.items():
            taken[name].warm_up_ms += warm_up(run)
        wanted, order = needed(percentile), list(runs)
        draw = random.Random(0)
        ends = time.perf_counter() + self.seconds * len(runs)
        for count in range(wanted):
            if time.perf_counter() > ends:
                for each in taken.values():
                    each.stopped = f"{count} of the {wanted} samples that p{percentile:g} needs in {self.seconds:g} s"
                break
            draw.shuffle(order)
            for name in order:
                if len(order) > 1:
                    calm_down()
                taken[name].take(runs[name], self.energy)
        return taken


def calm_down() -> None:
    """Wait while threads spin on after a run, as ONNX Runtime's own do for 0.1 s: they would slow the next one."""
    before_s = time.process_time()
    for _ in range(MOST_LOOKS):
        time.sleep(LOOK_S)
        now_s = time.process_time()
        if now_s - before_s < CALM * LOOK_S:
            return
        before_s = now_s


def warm_up(run: Run) -> list[float]:
    """The milliseconds of the first runs."""
    took: list[float] = []
    while len(took) < WARM_UP_RUNS and sum(took) < WARM_UP_S * 1e3:
        started = time.perf_counter()
        run()
        took.append((time.perf_counter() - started) * 1e3)
    return took
