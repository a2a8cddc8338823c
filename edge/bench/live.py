"""The scenario that matters here: the runtime itself on recordings in their own time, from capture to publishing.

A window's latency is `t_publish - t_end`, as each message says.
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
from ..sources.track_selection import BEST, Numbers
from ..wire.drop_reasons import OVERLOAD
from ..wire.messages import Prediction, Stats
from .candidates import Contender
from .energy import Energy
from .program import Program
from .report import Series
from .sampling import Sampling
from .statistics import needed

LOOK_S = 1.0
"""How often it is looked whether the program has ended."""
SILENCE_S = 30.0
"""Without a message for so long, the program is given up."""
WHOLE = 0.95
"""Share of the window's length from which on a window is counted: before, there is less to encode."""


class Usage(NamedTuple):
    """What the program had used by some moment."""

    time_s: float
    cpu_s: float
    energy_j: float | None

    @classmethod
    def read(cls, program: Program, energy: Energy) -> "Usage":
        """By now."""
        return cls(time.monotonic(), program.cpu_s(), energy.read_j())


@dataclass
class Watched:
    """What was seen of one or more runs of the program."""

    latencies_ms: list[float] = field(default_factory=list)
    warm_up_ms: list[float] = field(default_factory=list)
    stages_ms: dict[str, list[float]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    cpu_s: float = 0.0
    seconds: float = 0.0
    energy_j: float | None = None
    peak_mb: float | None = None

    def count(self, prediction: Prediction) -> None:
        """Take in a window that is whole."""
        stages = asdict(prediction.latency_ms)
        self.latencies_ms.append(stages["total"])
        for name, took_ms in stages.items():
            self.stages_ms.setdefault(name, []).append(took_ms)

    def spend(self, before: Usage, after: Usage) -> None:
        """Add what the program used between two moments."""
        self.seconds += after.time_s - before.time_s
        self.cpu_s += after.cpu_s - before.cpu_s
        if before.energy_j is not None and after.energy_j is not None:
            self.energy_j = (self.energy_j or 0.0) + after.energy_j - before.energy_j

    def is_enough(self, wanted: int, seconds: float) -> bool:
        """Whether the samples suffice, or the time is over."""
        return len(self.latencies_ms) >= wanted or self.seconds >= seconds


def watch(arguments: Sequence[str], window_s: float, wanted: int, sampling: Sampling, seen: Watched) -> None:
    """One run of the program, until enough is seen, the recording or the time is over."""
    whole_ns, dropped, usage = to_ns(WHOLE * window_s), dict[str, int](), None
    with Program(arguments) as program:
        audio_s = time.monotonic()
        try:
            while not (program.has_ended() or seen.is_enough(wanted, sampling.seconds)):
                message = program.messages.receive(LOOK_S)
                audio_s = audio_s if message is None else time.monotonic()
                if isinstance(message, Stats):
                    dropped = message.dropped
                elif isinstance(message, Prediction) and message.mono_end - message.mono_start < whole_ns:
                    seen.warm_up_ms.append(message.latency_ms.total)
                elif isinstance(message, Prediction):
                    usage = usage or Usage.read(program, sampling.energy)
                    seen.count(message)
                    seen.spend(usage, usage := Usage.read(program, sampling.energy))
                elif usage is None and time.monotonic() - audio_s >= SILENCE_S:
                    raise FoalError(f"foal-edge {' '.join(arguments)} published nothing in {SILENCE_S:g} s")
        finally:  # what was seen of one that broke counts too
            seen.peak_mb = max(filter(None, (seen.peak_mb, program.peak_mb())), default=None)
            seen.counts.update({**dropped, "missed": program.messages.missed.total()})


def live(
    contender: Contender, recording: Path, streams: int, hop_s: float, sampling: Sampling, numbers: Numbers = BEST
) -> Series:
    """So many streams, all beginning together; the recording from its beginning again where it is too short."""
    assert contender.arguments is not None, "only the runtime runs live"
    arguments = [*contender.arguments, "--hop", f"{hop_s:g}", *numbers.arguments]
    for number in range(streams):
        arguments += "--stream", f"name=s{number},file={recording}"
    problem: str | None = None
    seen, wanted, window_s = Watched(), needed(99), contender.bundle.manifest.audio.window_s
    while not seen.is_enough(wanted, sampling.seconds):
        before = len(seen.latencies_ms)
        try:
            watch(arguments, window_s, wanted, sampling, seen)
        except FoalError as error:
            if not seen.latencies_ms:
                raise
            problem = str(error)
            break
        if len(seen.latencies_ms) == before:
            late = {reason: seen.counts[reason] for reason in OVERLOAD if seen.counts[reason]}
            if late:
                raise FoalError(f"no whole window came in time, this machine being too slow for it: {late}")
            raise SourceError(f"{recording} gives no window of {window_s:g} s; give --file a longer recording")
    found = len(seen.latencies_ms)
    early = f"{found} of the {wanted} samples that p99 needs" if found < wanted else None
    return Series(
        scenario="live",
        what="capture to publish",
        contender=contender.name,
        size=streams,
        samples_ms=seen.latencies_ms,
        warm_up_ms=seen.warm_up_ms,
        stopped="; ".join(filter(None, (early, problem))) or None,
        cpu_s=seen.cpu_s,
        peak_mb=seen.peak_mb,
        energy_j=seen.energy_j,
        lasted_s=seen.seconds,
        counts={**seen.counts, "windows": found},
        stages_ms=seen.stages_ms,
    )
