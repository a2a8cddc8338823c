"""One run of the runtime, watched from outside: by its messages and by what the kernel counts."""

import time
from pathlib import Path

import msgspec
import numpy as np

from edge.bench.program import Program
from edge.errors import FoalError, UsageError
from edge.wire.messages import Prediction, Stats

WARM_S = 8.0
"""Seconds from the first prediction until the run is steady: a window and what is computed for the first time."""
TIMEOUT_S = 60.0
"""Longest wait for a message."""
POLL_S = 1.0


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """Measurements of one run."""

    streams: int
    start_s: float
    """Seconds from the start of the process to its first prediction; one hop of the recording is in it."""
    cpu_ms: float
    """CPU milliseconds of the whole process for a second of one stream, in the steady state."""
    latencies_ms: list[float]
    """Milliseconds from capture to publishing of each window in the steady state."""
    dropped: int
    """Whatever was dropped, for any reason, since the start."""
    peak_mb: float
    """Largest resident memory."""

    @property
    def p99_ms(self) -> float:
        """Latency that a window in a hundred exceeds; of fewer than a hundred windows about the longest."""
        return float(np.percentile(self.latencies_ms, 99))


class Watch:
    """Program, its messages received as they come."""

    def __init__(self, program: Program, needed: str) -> None:
        self._program, self._needed, self.dropped = program, needed, 0

    def receive(self) -> Prediction:
        """Return the next prediction; UsageError where the recording ends, FoalError where none comes."""
        ends_s = time.monotonic() + TIMEOUT_S
        while time.monotonic() < ends_s:
            message = self._program.messages.receive(POLL_S)
            if isinstance(message, Prediction):
                return message
            if isinstance(message, Stats):
                self.dropped = sum(message.dropped.values())
            if message is None and self._program.has_ended():
                raise UsageError(self._needed)
        raise FoalError(f"foal-edge published no prediction in {TIMEOUT_S:g} s")

    def receive_until(self, ends_s: float) -> list[Prediction]:
        """Return the predictions up to a moment of the monotonic clock."""
        found = []
        while time.monotonic() < ends_s:
            found.append(self.receive())
        return found


def watch_run(python: Path | None, recording: Path, streams: int, seconds: float, *, people: int = 1) -> Run:
    """Run an environment's foal-edge, None for this one's, on a recording, as several streams; see `Run`.

    UsageError where the recording is too short for `seconds` of the steady state.
    """
    follow = f",people={people}" if people > 1 else ""  # which earlier commits do not know
    arguments = [text for number in range(streams) for text in ("--stream", f"name=s{number},file={recording}{follow}")]
    needed = f"{recording} ends too early: {WARM_S + seconds + 1:g} s are needed; give a longer one or fewer --seconds"
    started_s = time.monotonic()
    with Program(arguments, python) as program:
        watch = Watch(program, needed)
        watch.receive()
        first_s = time.monotonic()
        watch.receive_until(first_s + WARM_S)
        before_s, before_cpu_s = time.monotonic(), program.cpu_s()
        predictions = watch.receive_until(before_s + seconds)
        cpu_s, took_s, peak_mb = program.cpu_s() - before_cpu_s, time.monotonic() - before_s, program.peak_mb()
    if peak_mb is None:
        raise FoalError("the kernel does not tell the memory of a process (VmHWM in /proc/PID/status); Linux is needed")
    return Run(
        streams=streams,
        start_s=first_s - started_s,
        cpu_ms=cpu_s * 1e3 / took_s / streams,
        latencies_ms=[each.latency_ms.total for each in predictions],
        dropped=watch.dropped,
        peak_mb=peak_mb,
    )
