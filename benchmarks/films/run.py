"""Annotation of one film by each candidate, in turn, for several rounds: the CPU time of all its processes."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from edge.bench import recording
from edge.bench.table_format import number
from edge.errors import FoalError
from edge.sources.contents import examine
from edge.wire.page import table

from ..environments import install, make_python
from ..peers.models import LITERT, WEIGHTS
from ..peers.run import ONE_THREAD, turns

WORKER = Path(__file__).with_name("fer_worker.py")
FER = next(package for package in WEIGHTS if package.startswith("fer=="))
NEEDED = ("pillow==12.0.0", "requests==2.32.5", "setuptools==80.9.0")
"""Packages that fer imports for a film."""
DEMO_S = 30.0
"""Length of the film that is made where none is given."""


@dataclass
class Candidate:
    """Program that annotates a film."""

    name: str
    about: str
    """Part of the film that it takes, for people."""
    command: Callable[[Path, Path], list[str]]
    """Function from the film and an empty folder to a command line."""
    cpu_s: list[float] = field(default_factory=list)
    """CPU seconds of each round."""


def candidates(python: Path) -> list[Candidate]:
    """Return the candidates; `python` is that of an environment with fer."""
    own = (sys.executable, "-m", "edge", "annotate")
    options = ("--jobs", "1", "--threads", "1", "--backend", "onnxruntime", "--quiet")
    fer = (str(python), str(WORKER))
    return [
        Candidate(
            "foal-edge annotate",
            "audio, 5 frames a second",
            lambda film, out: [*own, str(film), "-o", str(out), *options],
        ),
        Candidate(
            "foal-edge annotate --no-audio",
            "5 frames a second",
            lambda film, out: [*own, str(film), "-o", str(out), "--no-audio", *options],
        ),
        Candidate(FER, "every frame, its default", lambda film, out: [*fer, str(film), "0", str(out / "fer.csv")]),
        Candidate(FER, "5 frames a second", lambda film, out: [*fer, str(film), "5", str(out / "fer.csv")]),
    ]


def compare(film: Path | None, rounds: int, progress: Callable[[str], None]) -> tuple[list[Candidate], float]:
    """Measure every candidate in every round; return them with the film's length in seconds."""
    with tempfile.TemporaryDirectory() as scratch:
        progress("installing fer")
        python = make_python(Path(scratch) / "python")
        install(python, *LITERT, *NEEDED)
        install(python, FER, dependencies=False)
        if film is None:
            film = Path(scratch) / "demo.mp4"
            recording.write(film, DEMO_S)
        duration_s = examine(film).duration_s
        if duration_s is None:
            raise FoalError(f"{film} does not say how long it is; give a film that does")
        found = candidates(python)
        for turn, each in turns(found, rounds):
            progress(f"round {turn + 1} of {rounds}: {each.name} ({each.about})")
            with tempfile.TemporaryDirectory(dir=scratch) as out:
                each.cpu_s.append(measure(each.command(film, Path(out))))
        return found, duration_s


def measure(command: Sequence[str]) -> float:
    """Run a command on one thread; return the CPU seconds of it and of what it has started."""
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, env=os.environ | ONE_THREAD)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise FoalError(f"{' '.join(command)} ended with status {process.returncode}: {said.read()[-2000:]}")
    return usage.ru_utime + usage.ru_stime


def markdown(found: Sequence[Candidate], duration_s: float) -> str:
    """Return the table in Markdown, one row a candidate."""
    first = median(found[0].cpu_s)
    rows = [
        [
            each.name,
            each.about,
            number(median(each.cpu_s)),
            number(duration_s / median(each.cpu_s)),
            number(median(each.cpu_s) / first),
        ]
        for each in found
    ]
    heads = ["", "takes", "CPU s", "times as fast as it plays, on one core", "CPU time beside the first"]
    return table(heads, rows) + "\n"
