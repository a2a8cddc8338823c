"""What a start costs: from a process's beginning to its first prediction, with kept engines and without."""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from ..backends.onnxruntime import OrtBackend
from ..backends.tensorrt import cache
from ..errors import FoalError
from ..sources.track_selection import BEST, Numbers
from ..wire.messages import Prediction
from .candidates import Contender
from .program import Program
from .report import Series

STARTS = 10
PATIENCE_S = 900.0
"""Engines of large models take minutes to build."""


def cold_starts(contender: Contender, recording: Path, hop_s: float, numbers: Numbers = BEST) -> Iterator[Series]:
    """The first prediction is due one hop after the recording has begun, which is part of the time."""
    assert contender.arguments is not None, "only the runtime starts"
    arguments = [*contender.arguments, "--hop", f"{hop_s:g}", "--file", str(recording), *numbers.arguments]
    folder = contender.bundle.folder
    kept = Series(
        scenario="cold start",
        what="process start to first prediction",
        contender=contender.name,
        samples_ms=start_again(arguments, lambda: nullcontext(folder)),
    )
    yield kept
    if not isinstance(contender.recognizer.backend, OrtBackend):
        samples_ms = start_again(arguments, lambda: without_engines(folder))
        yield Series(
            scenario="cold start", what="the same, engines built first", contender=contender.name, samples_ms=samples_ms
        )


def start_again(arguments: Sequence[str], bundle: Callable[[], AbstractContextManager[Path]]) -> list[float]:
    """Milliseconds of each start, on a bundle that is made ready before it."""
    took_ms = []
    for _ in range(STARTS):
        with bundle() as folder:
            started = time.perf_counter()
            with Program([*arguments, "--bundle", str(folder)]) as program:
                await_prediction(program)
                took_ms.append((time.perf_counter() - started) * 1e3)
    return took_ms


def await_prediction(program: Program) -> None:
    """FoalError where none comes."""
    ends_s = time.monotonic() + PATIENCE_S
    while not isinstance(program.messages.receive(1.0), Prediction):
        if program.has_ended() or time.monotonic() > ends_s:
            raise FoalError("foal-edge ended without a prediction while its start was measured")


@contextmanager
def without_engines(folder: Path) -> Iterator[Path]:
    """A copy of a bundle that has none."""
    with tempfile.TemporaryDirectory() as scratch:
        yield Path(shutil.copytree(folder, Path(scratch) / "bundle", ignore=shutil.ignore_patterns(cache.FOLDER)))
