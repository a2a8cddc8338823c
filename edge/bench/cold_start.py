"""Cold start: from the start of a process to its first prediction, with cached engines and without."""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from ..backends.registry import get_published_entry
from ..backends.tensorrt import cache
from ..errors import FoalError
from ..sources.track_selection import BEST, TrackNumbers
from ..wire.messages import Prediction
from .candidates import Candidate
from .program import Program
from .report import Series

STARTS = 10
TIMEOUT_S = 900.0
"""Longest wait for a prediction: engines of large models take minutes to build."""


def cold_starts(candidate: Candidate, recording: Path, hop_s: float, numbers: TrackNumbers = BEST) -> Iterator[Series]:
    """Yield the cold starts of a candidate; each includes the one hop after which the first prediction is due."""
    assert candidate.arguments is not None, "only the runtime starts"
    arguments = [*candidate.arguments, "--hop", f"{hop_s:g}", "--file", str(recording), *numbers.arguments]
    folder = candidate.bundle.folder
    yield Series(
        scenario="cold start",
        operation="process start to first prediction",
        candidate=candidate.name,
        samples_ms=time_starts(arguments, lambda: nullcontext(folder)),
    )
    if get_published_entry(candidate.recognizer.backend.name).builds_engines:
        yield Series(
            scenario="cold start",
            operation="the same, engines built first",
            candidate=candidate.name,
            samples_ms=time_starts(arguments, lambda: copy_without_engines(folder)),
        )


def time_starts(arguments: Sequence[str], bundle: Callable[[], AbstractContextManager[Path]]) -> list[float]:
    """Return the milliseconds of each start, on a bundle that is prepared before it."""
    took_ms = []
    for _ in range(STARTS):
        with bundle() as folder:
            started = time.perf_counter()
            with Program([*arguments, "--bundle", str(folder)]) as program:
                await_prediction(program)
                took_ms.append((time.perf_counter() - started) * 1e3)
    return took_ms


def await_prediction(program: Program) -> None:
    """Wait for the first prediction; FoalError where none comes."""
    ends_s = time.monotonic() + TIMEOUT_S
    while not isinstance(program.messages.receive(1.0), Prediction):
        if program.has_ended() or time.monotonic() > ends_s:
            raise FoalError("foal-edge ended without a prediction while its start was measured")


@contextmanager
def copy_without_engines(folder: Path) -> Iterator[Path]:
    """Copy a bundle, without its engines, into a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory() as scratch:
        yield Path(shutil.copytree(folder, Path(scratch) / "bundle", ignore=shutil.ignore_patterns(cache.FOLDER)))
