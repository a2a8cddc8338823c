"""Run of the field test: every trial in turn, each row shown and stored when it is made."""

from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path

import msgspec

from edge.errors import UsageError

from ..log import console, progress
from . import company, faces, pairs, people, silence, speakers, voices
from .drawing import draw
from .judge import Judge
from .recordings import Recordings
from .results import Results, resume, write
from .rows import Trial
from .table import markdown, summary, terminal_tables

TABLE, DRAWING = "table.md", "field.png"
NOISE_WINDOWS = 12
"""Windows for each kind of made noise and level, where as many recordings as usual are asked for."""
USUAL, QUICK = 300, 24
"""Recordings for each row, in full and for a quick look."""


def plan(judge: Judge, recordings: Recordings, most: int, seed: int) -> Iterator[Trial]:
    """Yield every trial in the order of the table."""
    yield from voices.plan(judge, recordings, seed)
    yield from silence.plan(judge, recordings, max(1, NOISE_WINDOWS * most // USUAL), seed)
    yield from faces.plan(judge, recordings, seed)
    yield from pairs.plan(judge, recordings, seed)
    yield from company.plan(judge, recordings, seed)
    yield from speakers.plan(recordings, judge.detector, max(1, speakers.USUAL_FILMS * most // USUAL), seed)
    yield from people.plan(recordings, judge.detector, max(1, people.USUAL_FILMS * most // USUAL), seed)


def run(judge: Judge, recordings: Recordings, most: int, started: Results, only: Sequence[str], folder: Path) -> None:
    """Run the trials whose names fit, those done before excepted; print, store and draw the table."""
    seed = int(started.settings["seed"])
    everything = list(plan(judge, recordings, most, seed))
    chosen = [trial for trial in everything if fits(trial, only)]
    if not chosen:
        names = ", ".join(f"{trial.section}/{trial.name}" for trial in everything)
        raise UsageError(f"--only {', '.join(only)} fits none of the trials: {names}")
    results = resume(folder, started)
    waiting = [trial for trial in chosen if name_of(trial) not in results.tests]
    if len(waiting) < len(chosen):
        console.print(f"{len(chosen) - len(waiting)} of {len(chosen)} trials found in {folder}")
    for trial in progress(waiting, "field test", shown=console.is_terminal):
        rows = trial.run()
        results.tests[name_of(trial)] = rows
        write(folder, results)
        for row in rows:
            console.print(summary(row), highlight=False)
    order = [name_of(trial) for trial in everything]
    ordered = {name: results.tests[name] for name in order if name in results.tests}
    results = msgspec.structs.replace(results, tests=ordered)
    write(folder, results)
    for part in terminal_tables(results):
        console.print(part)
    (folder / TABLE).write_text(markdown(results), encoding="utf-8")
    written = [folder / TABLE, *([folder / DRAWING] if draw(folder / DRAWING, results) else [])]
    console.print(f"written: {', '.join(map(str, written))}")


def name_of(trial: Trial) -> str:
    """Return the name of a trial, unique in the run."""
    return f"{trial.section}/{trial.name}"


def fits(trial: Trial, only: Sequence[str]) -> bool:
    """Return whether a trial's name holds one of the patterns, or there are none."""
    return not only or any(fnmatch(name_of(trial).lower(), f"*{pattern.lower()}*") for pattern in only)
