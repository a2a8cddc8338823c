"""The scenarios of MLPerf inference (Reddi et al., ISCA 2020, section III-C), where a query is a live window.

Of each window the frames that are new since the one before go through the image encoder, its sound through the audio
encoder, and both through the fusion. *Single stream*: the next query as the last is answered, p90. *Multi stream*: N
windows in one query, p99. *Server*: windows arrive by chance (Poisson), p99 from arrival to answer. *Offline*: all
windows are there, windows a second.
"""

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from .candidates import Contender
from .report import Scenario, Series
from .sampling import Run, Sampling, Taken, warm_up
from .statistics import needed
from .workload import LiveWindow

OFFLINE_WINDOWS = 32
SERVER_LOADS = (0.25, 0.5, 0.75)
"""Shares of the offline rate at which windows arrive."""

Windows = Mapping[str, Sequence[LiveWindow]]
"""Each contender's."""


def series(
    scenario: Scenario, what: str, contender: str, taken: Taken, size: int = 1, rate: float | None = None
) -> Series:
    """What was taken, for the document."""
    return Series(
        scenario=scenario,
        what=what,
        contender=contender,
        size=size,
        rate=rate,
        samples_ms=taken.samples_ms,
        warm_up_ms=taken.warm_up_ms,
        device_ms=taken.device_ms,
        stopped=taken.stopped,
        cpu_s=taken.cpu_s,
        energy_j=taken.energy_j,
    )


def answer(contender: Contender, windows: Sequence[LiveWindow]) -> None:
    """One query."""
    recognizer = contender.recognizer
    recognizer.embed([crop for window in windows for crop in window.crops])
    recognizer.recognize(windows)


def queries(contender: Contender, windows: Sequence[LiveWindow], size: int) -> Run:
    """A query of `size` windows, other ones each time."""
    turning = itertools.cycle(windows)

    def run() -> None:
        answer(contender, list(itertools.islice(turning, size)))

    return run


def closed(
    scenario: Scenario, contenders: Sequence[Contender], windows: Windows, size: int, sampling: Sampling
) -> Iterator[Series]:
    """Single stream, multi stream or offline: a query as soon as the last is answered."""
    percentile = {"single stream": 90.0, "multi stream": 99.0}.get(scenario, 50.0)
    runs = {each.name: queries(each, windows[each.name], size) for each in contenders}
    for name, taken in sampling.in_turn(runs, percentile).items():
        yield series(scenario, "a window" if size == 1 else f"{size} windows", name, taken, size)


def server(
    contender: Contender, windows: Sequence[LiveWindow], offline: Series, sampling: Sampling
) -> Iterator[Series]:
    """Windows that arrive by chance, at shares of the rate of `offline`."""
    fastest = OFFLINE_WINDOWS / (float(np.median(offline.samples_ms)) / 1e3)
    for load in SERVER_LOADS:
        sampling.settle()
        rate = load * fastest
        taken = serve(contender, windows, rate, sampling.seconds)
        yield series("server", f"a window, at {load:.0%} load", contender.name, taken, rate=rate)


def serve(contender: Contender, windows: Sequence[LiveWindow], rate: float, seconds: float) -> Taken:
    """All that wait are answered as one query."""
    wanted = needed(99)
    count = max(1, min(wanted, int(seconds * rate)))
    taken = Taken(warm_up_ms=warm_up(queries(contender, windows, 1)))
    arrivals_s = np.cumsum(np.random.default_rng(0).exponential(1 / rate, count))
    cpu_s, begin_s, answered = time.process_time(), time.perf_counter(), 0
    turning = itertools.cycle(windows)
    while answered < count:
        now_s = time.perf_counter() - begin_s
        waiting = int(np.searchsorted(arrivals_s, now_s)) - answered
        if waiting == 0:
            time.sleep(arrivals_s[answered] - now_s)
            continue
        answer(contender, list(itertools.islice(turning, waiting)))
        done_s = time.perf_counter() - begin_s
        taken.samples_ms += [float(done_s - arrived_s) * 1e3 for arrived_s in arrivals_s[answered : answered + waiting]]
        answered += waiting
    taken.cpu_s = time.process_time() - cpu_s
    if count < wanted:
        taken.stopped = f"{count} of the {wanted} samples that p99 needs in {seconds:g} s"
    return taken


def after_idle(
    contenders: Sequence[Contender], windows: Windows, idle_s: float, sampling: Sampling
) -> Iterator[Series]:
    """The first window after nothing was done for a while; a while for each."""
    for each in contenders:
        run, taken = queries(each, windows[each.name], 1), Taken()
        taken.warm_up_ms = warm_up(run)
        time.sleep(idle_s)
        taken.take(run, sampling.energy)
        yield series("after idle", f"the first window after {idle_s:g} s", each.name, taken)
