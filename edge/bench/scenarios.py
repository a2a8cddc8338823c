"""Scenarios of MLPerf inference (Reddi et al., ISCA 2020, section III-C), with a live window as the query.

The frames of a window that are new since the window before go through the image encoder, its audio through the audio
encoder, and both through the fusion. *Single stream*: the next query as soon as the last is answered, p90. *Multi
stream*: N windows in one query, p99. *Server*: windows arrive at random (Poisson), p99 from arrival to answer.
*Offline*: all windows are there, windows per second.
"""

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from .candidates import Candidate
from .report import Scenario, Series
from .sampling import Measurement, Run, Sampling, warm_up
from .statistics import samples_needed
from .workload import LiveWindow

OFFLINE_WINDOWS = 32
SERVER_LOADS = (0.25, 0.5, 0.75)
"""Shares of the offline throughput at which windows arrive."""

Windows = Mapping[str, Sequence[LiveWindow]]
"""Windows of each candidate, by its name."""


def make_series(
    scenario: Scenario,
    operation: str,
    candidate: str,
    found: Measurement,
    size: int = 1,
    arrivals_per_s: float | None = None,
) -> Series:
    """Build the report's series of a measurement."""
    return Series(
        scenario=scenario,
        operation=operation,
        candidate=candidate,
        size=size,
        arrivals_per_s=arrivals_per_s,
        samples_ms=found.samples_ms,
        warm_up_ms=found.warm_up_ms,
        device_ms=found.device_ms,
        stop_reason=found.stop_reason,
        cpu_s=found.cpu_s,
        energy_j=found.energy_j,
    )


def answer(candidate: Candidate, windows: Sequence[LiveWindow]) -> None:
    """Answer one query."""
    recognizer = candidate.recognizer
    recognizer.embed([crop for window in windows for crop in window.new_crops])
    recognizer.recognize(windows)


def queries(candidate: Candidate, windows: Sequence[LiveWindow], size: int) -> Run:
    """Return a function that answers a query of `size` windows, the next ones at each call."""
    repeated = itertools.cycle(windows)

    def run() -> None:
        answer(candidate, list(itertools.islice(repeated, size)))

    return run


def closed_loop(
    scenario: Scenario, candidates: Sequence[Candidate], windows: Windows, size: int, sampling: Sampling
) -> Iterator[Series]:
    """Measure single stream, multi stream or offline: a query as soon as the last is answered."""
    percentile = {"single stream": 90.0, "multi stream": 99.0}.get(scenario, 50.0)
    runs = {each.name: queries(each, windows[each.name], size) for each in candidates}
    for name, found in sampling.interleaved(runs, percentile).items():
        yield make_series(scenario, "a window" if size == 1 else f"{size} windows", name, found, size)


def server(
    candidate: Candidate, windows: Sequence[LiveWindow], offline: Series, sampling: Sampling
) -> Iterator[Series]:
    """Measure windows that arrive at random, at shares of the throughput of `offline`."""
    windows_per_s = OFFLINE_WINDOWS / (float(np.median(offline.samples_ms)) / 1e3)
    for load in SERVER_LOADS:
        sampling.probe_noise()
        rate = load * windows_per_s
        found = serve(candidate, windows, rate, sampling.seconds)
        yield make_series("server", f"a window, at {load:.0%} load", candidate.name, found, arrivals_per_s=rate)


def serve(candidate: Candidate, windows: Sequence[LiveWindow], arrivals_per_s: float, seconds: float) -> Measurement:
    """Measure one rate of arrivals; all windows that wait are answered as one query."""
    wanted = samples_needed(99)
    count = max(1, min(wanted, int(seconds * arrivals_per_s)))
    found = Measurement(warm_up_ms=warm_up(queries(candidate, windows, 1)))
    arrivals_s = np.cumsum(np.random.default_rng(0).exponential(1 / arrivals_per_s, count))
    cpu_s, begin_s, answered = time.process_time(), time.perf_counter(), 0
    repeated = itertools.cycle(windows)
    while answered < count:
        now_s = time.perf_counter() - begin_s
        waiting = int(np.searchsorted(arrivals_s, now_s)) - answered
        if waiting == 0:
            time.sleep(arrivals_s[answered] - now_s)
            continue
        answer(candidate, list(itertools.islice(repeated, waiting)))
        done_s = time.perf_counter() - begin_s
        found.samples_ms += [float(done_s - arrived_s) * 1e3 for arrived_s in arrivals_s[answered : answered + waiting]]
        answered += waiting
    found.cpu_s = time.process_time() - cpu_s
    if count < wanted:
        found.stop_reason = f"{count} of the {wanted} samples that p99 needs in {seconds:g} s"
    return found


def after_idle(
    candidates: Sequence[Candidate], windows: Windows, idle_s: float, sampling: Sampling
) -> Iterator[Series]:
    """Measure the first window after a pause, one pause for each candidate."""
    for each in candidates:
        run, found = queries(each, windows[each.name], 1), Measurement()
        found.warm_up_ms = warm_up(run)
        time.sleep(idle_s)
        found.sample(run, sampling.energy)
        yield make_series("after idle", f"the first window after {idle_s:g} s", each.name, found)
