"""Live scenario: the runtime in a process of its own, on recordings in real time, from capture to publishing.

The latency of a window is `t_publish - t_end`, as each message says.
"""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import asdict

from ..clock import to_ns
from ..errors import FoalError, SourceError
from ..sources.track_selection import BEST, TrackNumbers
from ..wire.drop_reasons import OVERLOAD
from ..wire.messages import Prediction, Stats
from .candidates import Candidate
from .energy import Energy
from .program import Program
from .report import Series
from .sampling import Sampling
from .statistics import samples_needed

POLL_S = 1.0
"""Interval at which the program is polled for its end."""
TIMEOUT_S = 30.0
"""Longest wait for a message, after which the program is given up."""
WHOLE = 0.95
"""Share of the window's length from which on a window counts: a shorter one has less to encode."""


class Usage(NamedTuple):
    """Resources that the program had used by some moment."""

    time_s: float
    cpu_s: float
    energy_j: float | None

    @classmethod
    def read(cls, program: Program, energy: Energy) -> "Usage":
        """Read the present usage."""
        return cls(time.monotonic(), program.cpu_s(), energy.read_j())


@dataclass
class LiveMeasurement:
    """Measurements of one or more runs of the program."""

    latencies_ms: list[float] = field(default_factory=list)
    warm_up_ms: list[float] = field(default_factory=list)
    stages_ms: dict[str, list[float]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    cpu_s: float = 0.0
    duration_s: float = 0.0
    energy_j: float | None = None
    peak_mb: float | None = None

    def count(self, prediction: Prediction) -> None:
        """Add a whole window."""
        stages = asdict(prediction.latency_ms)
        self.latencies_ms.append(stages["total"])
        for name, took_ms in stages.items():
            self.stages_ms.setdefault(name, []).append(took_ms)

    def add_usage(self, before: Usage, after: Usage) -> None:
        """Add what the program used between two moments."""
        self.duration_s += after.time_s - before.time_s
        self.cpu_s += after.cpu_s - before.cpu_s
        if before.energy_j is not None and after.energy_j is not None:
            self.energy_j = (self.energy_j or 0.0) + after.energy_j - before.energy_j

    def is_enough(self, wanted: int, seconds: float) -> bool:
        """Return whether the samples suffice, or the time is over."""
        return len(self.latencies_ms) >= wanted or self.duration_s >= seconds


def run_once(
    arguments: Sequence[str], window_s: float, wanted: int, sampling: Sampling, found: LiveMeasurement
) -> None:
    """Run the program once, until there are enough samples or the recording or the time is over."""
    whole_ns, dropped, usage = to_ns(WHOLE * window_s), dict[str, int](), None
    with Program(arguments) as program:
        last_message_s = time.monotonic()
        try:
            while not (program.has_ended() or found.is_enough(wanted, sampling.seconds)):
                message = program.messages.receive(POLL_S)
                last_message_s = last_message_s if message is None else time.monotonic()
                if isinstance(message, Stats):
                    dropped = message.dropped
                elif isinstance(message, Prediction) and message.mono_end - message.mono_start < whole_ns:
                    found.warm_up_ms.append(message.latency_ms.total)
                elif isinstance(message, Prediction):
                    usage = usage or Usage.read(program, sampling.energy)
                    found.count(message)
                    found.add_usage(usage, usage := Usage.read(program, sampling.energy))
                elif usage is None and time.monotonic() - last_message_s >= TIMEOUT_S:
                    raise FoalError(f"foal-edge {' '.join(arguments)} published nothing in {TIMEOUT_S:g} s")
        finally:  # the samples of a run that broke count too
            found.peak_mb = max(filter(None, (found.peak_mb, program.peak_mb())), default=None)
            found.counts.update({**dropped, "missed": program.messages.missed.total()})


def measure_live(
    candidate: Candidate, recording: Path, streams: int, hop_s: float, sampling: Sampling, numbers: TrackNumbers = BEST
) -> Series:
    """Measure this many streams that all begin together; a recording that is too short is played again."""
    assert candidate.arguments is not None, "only the runtime runs live"
    arguments = [*candidate.arguments, "--hop", f"{hop_s:g}", *numbers.arguments]
    for number in range(streams):
        arguments += "--stream", f"name=s{number},file={recording}"
    problem: str | None = None
    found, wanted, window_s = LiveMeasurement(), samples_needed(99), candidate.bundle.manifest.audio.window_s
    while not found.is_enough(wanted, sampling.seconds):
        before = len(found.latencies_ms)
        try:
            run_once(arguments, window_s, wanted, sampling, found)
        except FoalError as error:
            if not found.latencies_ms:
                raise
            problem = str(error)
            break
        if len(found.latencies_ms) == before:
            late = {reason: found.counts[reason] for reason in OVERLOAD if found.counts[reason]}
            if late:
                raise FoalError(f"no whole window came in time, this machine being too slow for it: {late}")
            raise SourceError(f"{recording} gives no window of {window_s:g} s; give --file a longer recording")
    windows = len(found.latencies_ms)
    early = f"{windows} of the {wanted} samples that p99 needs" if windows < wanted else None
    return Series(
        scenario="live",
        operation="capture to publish",
        candidate=candidate.name,
        size=streams,
        samples_ms=found.latencies_ms,
        warm_up_ms=found.warm_up_ms,
        stop_reason="; ".join(filter(None, (early, problem))) or None,
        cpu_s=found.cpu_s,
        peak_mb=found.peak_mb,
        energy_j=found.energy_j,
        duration_s=found.duration_s,
        counts={**found.counts, "windows": windows},
        stages_ms=found.stages_ms,
    )
