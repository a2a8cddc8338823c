"""Annotation of one recording: every window of it, as `--file --fast` predicts them."""

import logging
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from ..clock import SECOND_NS
from ..errors import FoalError, SourceError, UsageError
from ..live.inbox import LoopInput
from ..live.loop import run_fast
from ..live.pipeline import build_pipeline
from ..session.config import Config, StreamConfig
from ..session.inputs import make_inputs
from ..session.model import Model
from ..session.predicting import check_predicted
from ..sources.contents import STILL, Contents, examine
from ..sources.track_selection import BEST, TrackNumbers
from ..wire.addresses import OFF
from .rows import Row, RowCollector
from .tables import flatten

if TYPE_CHECKING:
    import pandas

PROGRESS_S = 0.2
"""Seconds between two reports of progress."""
OnProgress = Callable[[float, float | None], None]
"""Function that gets the time reached in a recording and its duration, in seconds; None where that is not known."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Annotation:
    """Rows of one recording."""

    recording: Path
    contents: Contents
    """Contents of the recording."""
    rows: list[Row]
    """Predictions, one a window, or one a person in it."""
    tracks: TrackNumbers = BEST
    """Tracks that were asked for."""
    size_bytes: int = 0
    """Size of the recording when it was begun: one that is still written has grown since."""

    def to_pandas(self) -> "pandas.DataFrame":
        """Return a table with the columns of the CSV file; UsageError where pandas is not installed."""
        try:
            import pandas
        except ImportError as error:
            raise UsageError(f"a table of pandas needs it ({error}): pip install pandas") from error
        return pandas.DataFrame([flatten(row) for row in self.rows])


def annotate(
    recording: Path,
    model: Model,
    config: Config,
    on_progress: OnProgress,
) -> Annotation:
    """Predict every window of a recording as quickly as possible.

    The first stream of `config` says which tracks and modalities are wanted; what of them the recording lacks is
    logged. SourceError where the recording cannot be read, is a still image or gives no window.
    """
    tracks = TrackNumbers(config.streams[0].audio_track, config.streams[0].video_track)
    contents = examine(recording, tracks)
    if contents.is_still:
        raise SourceError(f"{recording} {STILL}")
    size_bytes = recording.stat().st_size
    config = replace(config, fast=True, streams=(stream_of(recording, contents, config.streams[0]),))
    inputs = make_inputs(config.streams, model.bundle.manifest)
    recordings = [each.recording for each in inputs if each.recording is not None]
    frame_rate_hz = contents.frame_rate_hz if config.streams[0].wants_video else None
    collector = RowCollector(frame_rate_hz, by_person=True)
    run_spec = model.run_spec(config, uuid.uuid4().hex, begin_ns=0)
    pipeline = build_pipeline(run_spec, model.recognizer, collector.add)
    with closing(pipeline.loop):
        dropped = [each.dropped for each in inputs]
        progress = Progress(on_progress, contents.duration_s)
        run_fast(pipeline.loop, recordings, run_spec.hop_ns, threading.Event(), progress, dropped)
    pipeline.failures.raise_any()
    if not collector.rows:
        check_predicted(config, str(recording), pipeline.streams[0].reporter.all_dropped, fail)
    return Annotation(recording, contents, collector.rows, tracks, size_bytes)


def stream_of(recording: Path, contents: Contents, wanted: StreamConfig) -> StreamConfig:
    """Return the stream of a recording, without what it lacks, which is logged; SourceError where nothing is left."""
    has = {"audio": contents.audio, "video": contents.video}
    wants = {"audio": wanted.wants_audio, "video": wanted.wants_video}
    used = [kind for kind in has if has[kind] and wants[kind]]
    if not used:
        only = "video" if contents.video else "audio"
        raise SourceError(f"{recording} has {only} alone, which is left out; annotate it without --no-{only}")
    for kind in has:
        if wants[kind] and not has[kind]:
            log.warning("%s has no %s: it is annotated by its %s alone", recording, kind, used[0])
    return replace(
        wanted,
        file=str(recording),
        camera=wanted.camera if "video" in used else OFF,
        mic=wanted.mic if "audio" in used else OFF,
    )


def fail(error: FoalError) -> None:
    """Raise an error."""
    raise error


class Progress:
    """Observer of the loop's inputs that reports the time reached, now and then."""

    def __init__(self, report: OnProgress, duration_s: float | None) -> None:
        self._report, self._duration_s, self._due_s = report, duration_s, 0.0

    def __call__(self, loop_input: LoopInput) -> None:
        """Report the time of an input where a report is due."""
        now_s = time.monotonic()
        if now_s >= self._due_s:
            self._due_s = now_s + PROGRESS_S
            self._report(loop_input.now_ns / SECOND_NS, self._duration_s)
