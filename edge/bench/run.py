"""A benchmark from beginning to end: what is measured, in which order."""

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
from ..preprocess.framing import Framing, make_framing
from ..sources.media import MediaFile
from ..sources.track_selection import Numbers
from . import cold_start as start
from . import machine, recording, scenarios, stages
from . import naive_baseline as again
from .candidates import Contender
from .energy import Energy
from .live import live
from .noise import Steadiness
from .report import Document, Naive, Roof, Series
from .sampling import Sampling
from .workload import cut_windows, first_media, images

Part = Literal["stages", "scenarios", "naive", "idle", "start", "live"]
DEMO_S = 75


@dataclass(frozen=True)
class Plan:
    """What the user asked for."""

    parts: Sequence[Part]
    streams: Sequence[int]
    """How many, in one live run each."""
    hop_s: float
    seconds: float
    """Of one series, at most."""
    idle_s: float
    file: Path | None
    """A recording with sound and picture; None for the demo's."""
    numbers: Numbers
    """Of its tracks."""


def measure(
    plan: Plan, contenders: Sequence[Contender], roof_of: Callable[[], Roof], tell: Callable[[str], None]
) -> Document:
    """All of it; `tell` gets a line as each part begins."""
    with tempfile.TemporaryDirectory() as scratch, closing(Energy.find()) as energy:
        path = plan.file or Path(scratch) / "demo.mp4"
        if plan.file is None:
            tell(f"writing a recording of {DEMO_S} s")
            recording.write(path, DEMO_S)
        about, steadiness = machine.describe(), Steadiness()
        tell("the machine's limits")
        found = roof_of()
        bench = Bench(plan, contenders, path, Sampling(plan.seconds, energy, steadiness.look), tell)
        series = list(bench.series())
        manifest = contenders[0].bundle.manifest
        return Document(
            date=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            command=shlex.join(["foal-edge", *sys.argv[1:]]),
            recording=str(
                plan.file or f"the demo, {recording.WIDTH} x {recording.HEIGHT}, {recording.RATE_HZ} a second"
            ),
            hop_s=plan.hop_s,
            window_s=manifest.audio.window_s,
            picture_hz=manifest.video.rate_hz,
            energy=energy.about,
            machine=about,
            noise=steadiness.report(),
            roof=found,
            contenders=[each.about for each in contenders],
            series=series,
            naive=bench.naive,
            failed=bench.failed,
        )


class Bench:
    """The parts, one after the other."""

    def __init__(
        self,
        plan: Plan,
        contenders: Sequence[Contender],
        path: Path,
        sampling: Sampling,
        tell: Callable[[str], None],
    ) -> None:
        self._plan, self._contenders, self._path, self._sampling, self._tell = plan, contenders, path, sampling, tell
        self.naive: list[Naive] = []
        self.failed: list[str] = []
        """Parts that broke, and why; what was measured before and after them is kept."""
        manifest = contenders[0].bundle.manifest
        self._recording = MediaFile(path, manifest.audio, manifest.video, plan.numbers)
        self._media = first_media(self._recording)
        self._windows = {
            each.name: cut_windows(self._media, each.recognizer, framing_of(each), plan.hop_s) for each in contenders
        }

    def series(self) -> Iterator[Series]:
        """Every series that is asked for."""
        for part in self._plan.parts:
            with self._losing(part):
                yield from getattr(self, f"_{part}")()

    @contextmanager
    def _losing(self, what: str) -> Iterator[None]:
        """What fails inside is told and lost, not what was measured beside it."""
        try:
            yield
        except Exception as error:
            self.failed.append(f"{what}: {error if isinstance(error, FoalError) else repr(error)}")
            self._tell(f"FAILED {self.failed[-1]}")

    def _running(self) -> list[Contender]:
        """Those that the runtime itself can be."""
        return [each for each in self._contenders if each.arguments is not None]

    def _stages(self) -> Iterator[Series]:
        first = self._contenders[0]
        self._tell("stages: decoding, framing, the three graphs in batches, publishing")
        yield from stages.decode(self._recording, self._sampling)
        yield from stages.frame(framing_of(first), images(self._media), self._sampling)
        yield from stages.graphs(self._contenders, self._sampling)
        yield from stages.publish(first.bundle.manifest.labels, self._sampling)

    def _scenarios(self) -> Iterator[Series]:
        most = max(self._plan.streams)
        for scenario, size in (("single stream", 1), ("multi stream", most), ("offline", scenarios.OFFLINE_WINDOWS)):
            self._tell(scenario)
            found = list(scenarios.closed(scenario, self._contenders, self._windows, size, self._sampling))  # type: ignore[arg-type]
            yield from found
        for each in self._running():
            self._tell(f"server, {each.name}")
            with self._losing(f"server, {each.name}"):
                yield from scenarios.server(each, self._windows[each.name], found[0], self._sampling)

    def _naive(self) -> Iterator[Series]:
        for each in self._running():
            self._tell(f"the naive loop, {each.name}")
            self.naive.append(again.compare(each, self._windows[each.name], self._sampling))
        yield from ()

    def _idle(self) -> Iterator[Series]:
        self._tell(f"after {self._plan.idle_s:g} s of nothing, each")
        yield from scenarios.after_idle(self._contenders, self._windows, self._plan.idle_s, self._sampling)

    def _start(self) -> Iterator[Series]:
        for each in self._running():
            self._tell(f"cold start, {each.name}")
            with self._losing(f"cold start, {each.name}"):
                yield from start.cold_starts(each, self._path, self._plan.hop_s, self._plan.numbers)

    def _live(self) -> Iterator[Series]:
        for streams in self._plan.streams:
            for each in self._running():
                self._sampling.settle()
                what = f"live, {streams} streams, {each.name}"
                self._tell(what)
                with self._losing(what):
                    yield live(each, self._path, streams, self._plan.hop_s, self._sampling, self._plan.numbers)


def framing_of(contender: Contender) -> Framing:
    """A framing as the bundle wants it."""
    video = contender.bundle.manifest.video
    return make_framing(video.framing, video.height, video.width)
