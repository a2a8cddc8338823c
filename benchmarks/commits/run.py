"""Comparison of two revisions from beginning to end."""

import shlex
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from edge.bench import machine, recording
from edge.bench.noise import NoiseMonitor

from .report import Report
from .revisions import Revision, install_revision
from .watch import WARM_S, Run, watch_run

SPARE_S = 5.0
"""Seconds by which the demo's recording is longer than a run: the time that the streams need to begin."""


@dataclass(frozen=True)
class Options:
    """Options of a comparison."""

    file: Path | None
    """Recording; None for the demo's."""
    stream_counts: Sequence[int]
    rounds: int
    seconds: float
    """Steady state that is measured in each run."""


def compare_revisions(
    root: Path, before: Revision, after: Revision, options: Options, progress: Callable[[str], None]
) -> Report:
    """Install two revisions into a folder that is removed again, and run them in turn."""
    with tempfile.TemporaryDirectory() as scratch:
        pythons = {}
        for side, revision in (("before", before), ("after", after)):
            progress(f"installing {revision.title}")
            pythons[side] = install_revision(root, revision, Path(scratch) / side)
        path = options.file.absolute() if options.file else Path(scratch) / "demo.mp4"
        if options.file is None:
            seconds = WARM_S + options.seconds + SPARE_S
            progress(f"writing a recording of {seconds:g} s")
            recording.write(path, seconds)
        found_machine, noise = machine.describe(), NoiseMonitor()
        date = datetime.now(timezone.utc).isoformat(timespec="seconds")
        runs = run_in_turn(pythons, path, options, noise, progress)
        return Report(
            date=date,
            command=shlex.join(["python", "-m", "benchmarks", *sys.argv[1:]]),
            recording=str(options.file or "the demo's face and voice"),
            machine=found_machine,
            noise=noise.summarize(),
            stream_counts=list(options.stream_counts),
            seconds=options.seconds,
            before=before,
            after=after,
            runs_before=runs["before"],
            runs_after=runs["after"],
        )


def run_in_turn(
    pythons: Mapping[str, Path],
    path: Path,
    options: Options,
    noise: NoiseMonitor,
    progress: Callable[[str], None],
) -> dict[str, list[list[Run]]]:
    """Run every side in every round, the other one first in every second round; return the runs of each side."""
    found: dict[str, list[list[Run]]] = {side: [[] for _ in range(options.rounds)] for side in pythons}
    for number in range(options.rounds):
        for streams in options.stream_counts:
            sides = list(pythons)
            for side in reversed(sides) if number % 2 else sides:
                noise.probe()
                run = watch_run(pythons[side], path, streams, options.seconds)
                found[side][number].append(run)
                progress(f"round {number + 1} of {options.rounds}, {side}: {describe(run)}")
    return found


def describe(run: Run) -> str:
    """Return the figures of a run, for people."""
    costs = f"{run.cpu_ms:.1f} ms CPU per stream and s, p99 {run.p99_ms:.1f} ms, {run.peak_mb:.0f} MB"
    return f"{run.streams} streams, {costs}, {run.dropped} dropped, first prediction after {run.start_s:.2f} s"
