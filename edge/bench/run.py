"""Benchmark from beginning to end: the parts that are measured, in their order."""

import shlex
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Literal

from ..errors import FoalError
from ..preprocess.detector_choice import choose
from ..preprocess.framing import Framing, make_framing
from ..session.config import Config
from ..sources.media import MediaFile
from ..sources.track_selection import TrackNumbers
from . import machine, recording, scenarios, stages
from .candidates import Candidate
from .cold_start import cold_starts
from .energy import Energy
from .live import measure_live
from .naive_baseline import compare_with_naive
from .noise import NoiseMonitor
from .report import NaiveComparison, Report, Roofline, Series
from .sampling import Sampling
from .workload import cut_windows, images, read_first_minute

Part = Literal["stages", "scenarios", "naive", "idle", "start", "live"]
DEMO_S = 75


@dataclass(frozen=True)
class BenchOptions:
    """Options of a benchmark, as the user gives them."""

    parts: Sequence[Part]
    stream_counts: Sequence[int]
    """TrackNumbers of streams, one live run each."""
    hop_s: float
    seconds: float
    """Longest duration of one series."""
    idle_s: float
    file: Path | None
    """Recording with audio and video; None for the demo's."""
    numbers: TrackNumbers
    """TrackNumbers of the recording's tracks."""


def measure(
    options: BenchOptions,
    candidates: Sequence[Candidate],
    measure_roofline: Callable[[], Roofline],
    progress: Callable[[str], None],
) -> Report:
    """Measure all parts; `progress` gets a line when each of them begins."""
    with tempfile.TemporaryDirectory() as scratch, closing(Energy.find()) as energy:
        path = options.file or Path(scratch) / "demo.mp4"
        if options.file is None:
            progress(f"writing a recording of {DEMO_S} s")
            recording.write(path, DEMO_S)
        found_machine, noise = machine.describe(), NoiseMonitor()
        bench = Bench(options, candidates, path, Sampling(options.seconds, energy, noise.probe), progress)
        progress("the machine's roofline")
        roofline = measure_roofline()
        series = list(bench.series())
        manifest = candidates[0].bundle.manifest
        demo = f"the demo, {recording.WIDTH} x {recording.HEIGHT}, {recording.FRAME_RATE_HZ} a second"
        return Report(
            date=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            command=shlex.join(["foal-edge", *sys.argv[1:]]),
            recording=str(options.file or demo),
            hop_s=options.hop_s,
            window_s=manifest.audio.window_s,
            frame_rate_hz=manifest.video.rate_hz,
            energy_source=energy.about,
            machine=found_machine,
            noise=noise.summarize(),
            roofline=roofline,
            candidates=[each.info for each in candidates],
            series=series,
            naive=bench.naive,
            failed=bench.failed,
        )


class Bench:
    """Parts of a benchmark, measured one after the other."""

    def __init__(
        self,
        options: BenchOptions,
        candidates: Sequence[Candidate],
        path: Path,
        sampling: Sampling,
        progress: Callable[[str], None],
    ) -> None:
        self._options, self._candidates, self._path = options, candidates, path
        self._sampling, self._progress = sampling, progress
        self.naive: list[NaiveComparison] = []
        self.failed: list[str] = []
        """Parts that failed, and why; the measurements before and after them are kept."""
        manifest = candidates[0].bundle.manifest
        self._recording = MediaFile(path, manifest.audio, manifest.video, options.numbers, in_real_time=True)
        self._media = read_first_minute(self._recording)
        self._windows = {
            each.name: cut_windows(self._media, each.recognizer, framing_of(each), options.hop_s) for each in candidates
        }

    def series(self) -> Iterator[Series]:
        """Yield every series that is asked for."""
        for part in self._options.parts:
            with self._failure_noted(part):
                yield from getattr(self, f"_{part}")()

    @contextmanager
    def _failure_noted(self, part: str) -> Iterator[None]:
        """Note a failure inside and go on, so that the other parts are measured and kept."""
        try:
            yield
        except Exception as error:
            self.failed.append(f"{part}: {error if isinstance(error, FoalError) else repr(error)}")
            self._progress(f"FAILED {self.failed[-1]}")

    def _runnable(self) -> list[Candidate]:
        """Return the candidates that the runtime itself can run."""
        return [each for each in self._candidates if each.arguments is not None]

    def _stages(self) -> Iterator[Series]:
        first = self._candidates[0]
        self._progress("stages: decoding, framing, the three graphs in batches, publishing")
        yield from stages.decode(self._recording, self._sampling)
        yield from stages.frame(framing_of(first), images(self._media), self._sampling)
        yield from stages.graphs(self._candidates, self._sampling)
        yield from stages.publish(first.bundle.manifest.labels, self._sampling)

    def _scenarios(self) -> Iterator[Series]:
        most = max(self._options.stream_counts)
        for scenario, size in (("single stream", 1), ("multi stream", most), ("offline", scenarios.OFFLINE_WINDOWS)):
            self._progress(scenario)
            found = list(scenarios.closed_loop(scenario, self._candidates, self._windows, size, self._sampling))  # type: ignore[arg-type]
            yield from found
        for each in self._runnable():
            self._progress(f"server, {each.name}")
            with self._failure_noted(f"server, {each.name}"):
                yield from scenarios.server(each, self._windows[each.name], found[0], self._sampling)

    def _naive(self) -> Iterator[Series]:
        for each in self._runnable():
            self._progress(f"the naive loop, {each.name}")
            self.naive.append(compare_with_naive(each, self._windows[each.name], self._sampling))
        yield from ()

    def _idle(self) -> Iterator[Series]:
        self._progress(f"after {self._options.idle_s:g} s without work, each candidate")
        yield from scenarios.after_idle(self._candidates, self._windows, self._options.idle_s, self._sampling)

    def _start(self) -> Iterator[Series]:
        for each in self._runnable():
            self._progress(f"cold start, {each.name}")
            with self._failure_noted(f"cold start, {each.name}"):
                yield from cold_starts(each, self._path, self._options.hop_s, self._options.numbers)

    def _live(self) -> Iterator[Series]:
        hop_s, numbers = self._options.hop_s, self._options.numbers
        for streams in self._options.stream_counts:
            for each in self._runnable():
                self._sampling.probe_noise()
                part = f"live, {streams} streams, {each.name}"
                self._progress(part)
                with self._failure_noted(part):
                    yield measure_live(each, self._path, streams, hop_s, self._sampling, numbers)


def framing_of(candidate: Candidate) -> Framing:
    """Return the framing that a candidate's bundle asks for, with the detector that a run takes."""
    video = candidate.bundle.manifest.video
    return make_framing(video.framing, video.height, video.width, choose(Config().detector).name)
