"""The scenario that matters here: the runtime itself on recordings in their own time, from capture to publishing.

A window's latency is `t_publish - t_end`, as each message says.
"""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import asdict

from ..clock import to_ns
from ..errors import FoalError
from ..messages import Prediction, Stats
from .contenders import Contender
from .document import Series
from .energy import Energy
from .program import Program
from .statistics import needed

SILENCE_S = 30.0
"""Without a message for so long, the program is given up."""
WHOLE = 0.95
"""Share of the window's length from which on a window is counted: before, there is less to encode."""


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


def watch(arguments: Sequence[str], window_s: float, wanted: int, ends_s: float, energy: Energy, seen: Watched) -> None:
    """One run of the program, until enough is seen, the recording or the time is over."""
    whole_ns, begin = to_ns(WHOLE * window_s), None
    dropped: dict[str, int] = {}
    with Program(arguments) as program:
        while not (program.has_ended() or len(seen.latencies_ms) >= wanted or time.monotonic() > ends_s):
            message = program.messages.receive(SILENCE_S if begin is None else 2.0)
            if isinstance(message, Stats):
                dropped = message.dropped
            elif message is None and begin is None and not program.has_ended():
                raise FoalError(f"foal-edge {' '.join(arguments)} published nothing in {SILENCE_S:g} s")
            if not isinstance(message, Prediction):
                continue
            if message.mono_end - message.mono_start < whole_ns:
                seen.warm_up_ms.append(message.latency_ms.total)
                continue
            begin = begin or (time.monotonic(), program.cpu_s(), energy.read_j())
            seen.count(message)
            now = time.monotonic(), program.cpu_s(), energy.read_j()
        if begin is not None:
            seen.seconds += now[0] - begin[0]
            seen.cpu_s += now[1] - begin[1]
            if begin[2] is not None and now[2] is not None:
                seen.energy_j = (seen.energy_j or 0.0) + now[2] - begin[2]
        seen.peak_mb = max(filter(None, (seen.peak_mb, program.peak_mb())), default=None)
        seen.counts.update({**dropped, "missed": program.messages.missed.total()})


def live(
    contender: Contender, recording: Path, streams: int, hop_s: float, percentile: float, seconds: float, energy: Energy
) -> Series:
    """So many streams, all beginning together; the recording from its beginning again where it is too short."""
    assert contender.arguments is not None, "only the runtime runs live"
    arguments = [*contender.arguments, "--hop", f"{hop_s:g}"]
    for number in range(streams):
        arguments += "--stream", f"name=s{number},file={recording}"
    seen, wanted = Watched(), needed(percentile)
    ends_s = time.monotonic() + seconds
    while len(seen.latencies_ms) < wanted and time.monotonic() < ends_s:
        watch(arguments, contender.bundle.manifest.sound.window_s, wanted, ends_s, energy, seen)
    found = len(seen.latencies_ms)
    return Series(
        scenario="live",
        what="capture to publish",
        contender=contender.name,
        size=streams,
        samples_ms=seen.latencies_ms,
        warm_up_ms=seen.warm_up_ms,
        stopped=f"{found} of the {wanted} samples that p{percentile:g} needs" if found < wanted else None,
        cpu_s=seen.cpu_s,
        peak_mb=seen.peak_mb,
        energy_j=seen.energy_j,
        counts={**seen.counts, "windows": found, "seconds": round(seen.seconds)},
        stages_ms=seen.stages_ms,
    )
