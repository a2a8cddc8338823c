"""One stream of the loop with its reporter: an error of its own ends the stream, and no other."""

import logging
import math
from collections.abc import Callable, Sequence

import numpy as np

from ..clock import SECOND_NS
from ..errors import FoalError
from ..preprocess.images import Image
from ..preprocess.media import Embedding, Media
from ..preprocess.windowing import Due
from ..system.resources import exhaustion
from ..wire.drop_reasons import (
    FRAMES_OVERLOAD,
    FRAMES_UNANSWERED,
    WINDOWS_EMPTY,
    WINDOWS_LATE,
    WINDOWS_NOT_FINITE,
    WINDOWS_STALE,
    WINDOWS_UNANSWERED,
)
from .inbox import LoopInput, Moment
from .recognizer import Recognition
from .reporter import Reporter
from .stream import Stream
from .window import Window

CLOCK_JUMP_NS = 60 * SECOND_NS
"""Age from which on an empty window shows that the stream's times have jumped: all windows of that age are skipped."""
READ_LATE_NS = SECOND_NS // 5
"""Distance of the frames of a recording: what has not been read so long after the newest media is still to come."""

log = logging.getLogger(__name__)


class Failures:
    """Errors that have ended streams of a run, in the order in which they came."""

    def __init__(self, streams: int) -> None:
        self._streams = streams
        self._errors: dict[str, Exception] = {}

    def add(self, name: str, error: Exception) -> None:
        """Keep the error that has ended a stream; log it at once where other streams go on."""
        self._errors[name] = error
        if not isinstance(error, FoalError):
            log.error("stream %s has ended by an error of foal-edge itself", name, exc_info=error)
        elif self._streams > 1:
            log.warning("stream %s has ended: %s", name, error)

    def __contains__(self, name: str) -> bool:
        return name in self._errors

    def raise_any(self) -> None:
        """Raise the single error, or one that lists all of them with the exit status of the first."""
        if not self._errors:
            return
        first, *others = self._errors.values()
        if not others:
            raise first
        together = FoalError("\n".join(f"{name}: {error!s}" for name, error in self._errors.items()))
        together.exit_status = getattr(first, "exit_status", FoalError.exit_status)
        raise together from first


class Guard:
    """Context that gives what is raised inside to `fail`, except errors that concern all: model, publisher, memory.

    It holds no state, so that threads may share it; the loop enters one for each item of each stream.
    """

    __slots__ = ("_fail",)

    def __init__(self, fail: Callable[[Exception], None]) -> None:
        self._fail = fail

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> bool:
        """Return whether the error was one of the stream's own, which `fail` has got."""
        if not isinstance(error, Exception) or isinstance(error, FoalError | MemoryError):
            return False
        self._fail(exhaustion(error) or error)
        return True


class StreamRunner:
    """Everything that the loop does with one stream. Once the stream has ended or failed nothing more is done.

    A recording is read from `read_from_ns` on, and judged no later than its reader has come: what has not been read yet
    is not lost. A device is judged at the loop's time, `read_from_ns` being infinite.
    """

    def __init__(
        self, index: int, stream: Stream, reporter: Reporter, failures: Failures, *, read_from_ns: float = math.inf
    ) -> None:
        self.index, self.reporter = index, reporter
        self._reached_ns = read_from_ns
        self._stream, self._failures = stream, failures
        self.is_running = True
        """False once the stream has ended or failed."""
        self.has_ended = False
        """True once the stream's end has been published as well."""
        self._moment = Moment(0, 0, 0, {})
        self._is_over = False
        self._frames_dropped = 0
        self._guard = Guard(self._fail)

    def _fail(self, error: Exception) -> None:
        if self.is_running:
            self.is_running = False
            self._failures.add(self.reporter.name, error)

    def add(self, item: Media) -> None:
        """Take a captured item; the windows that a discontinuity passes over are counted."""
        if self.is_running:
            self._reached_ns = max(self._reached_ns, item.end_ns)
            with self._guard:
                self.reporter.drops.count(WINDOWS_STALE, self._stream.add(item))

    def begin(self, loop_input: LoopInput) -> None:
        """Begin a pass of the loop: from here on the stream is judged at the input's time, by the input's hop."""
        self._moment = loop_input.moment(self.index, self._judged_ns(loop_input.now_ns))
        if self.is_running:
            with self._guard:
                skipped = self._stream.set_hop(loop_input.hop_ns, self._moment.judged_ns)
                self.reporter.drops.count(WINDOWS_LATE, skipped)
                frames_dropped = self._moment.dropped.get(FRAMES_OVERLOAD, 0)
                if frames_dropped != self._frames_dropped:
                    self._frames_dropped = frames_dropped
                    self._stream.note_overload(self._moment.judged_ns)

    def has_frames(self, before_ns: float) -> bool:
        """Return whether frames captured before a time wait to be cropped."""
        return self.is_running and self._stream.has_frames(before_ns)

    @property
    def wants_frames(self) -> bool:
        """True if the frames that wait are to be encoded now, though no window is due that needs them."""
        return self.is_running and self._stream.wants_frames(self._moment.judged_ns)

    def crop_frames(self, before_ns: float) -> None:
        """Crop the frames captured before a time; any thread may call this, one at a time for each stream."""
        with self._guard:
            self._stream.crop_frames(before_ns)

    @property
    def crops(self) -> Sequence[Image]:
        """Crops uint8 `[H, W, 3]` that wait for their embeddings."""
        return self._stream.crops if self.is_running else ()

    def add_embeddings(self, embeddings: Embedding, took_s: float) -> None:
        """Take the embeddings `[n, Dv]` of `crops`, computed in `took_s` seconds together with those of others."""
        with self._guard:
            self._stream.add_embeddings(embeddings, took_s)

    def drop_crops(self) -> None:
        """Give up the crops that wait: the server gave no embeddings of them in time."""
        self.reporter.drops.count(FRAMES_UNANSWERED, self._stream.drop_crops())

    def drop_window(self) -> None:
        """Give up a window that was cut: the server gave no result in time."""
        self.reporter.drops.count(WINDOWS_UNANSWERED, 1)

    def next_window(self, *, latest_only: bool) -> int | None:
        """Advance to the next window that is due, with `latest_only` to the last; return its end, None for none."""
        due = None
        with self._guard:
            due = self._stream.next_window(self._moment.judged_ns, latest_only=latest_only) if self.is_running else None
            if due is not None:
                self.reporter.drops.count(WINDOWS_LATE, due.late)
        return due.end_ns if due is not None and self.is_running else None

    def cut(self, end_ns: int) -> Window | None:
        """Return the window that ends at `end_ns`; None where it holds nothing, or samples that are not finite."""
        window = None
        with self._guard:
            window = self._stream.cut(end_ns)
            if window is None:
                oldest_ns = self._moment.judged_ns - CLOCK_JUMP_NS
                skipped = self._stream.skip_windows(oldest_ns) if end_ns < oldest_ns else 0
                self.reporter.drops.count(WINDOWS_EMPTY, 1 + skipped)
            elif not np.isfinite(window.samples).all():
                self.reporter.drops.add(WINDOWS_NOT_FINITE, "the audio of a window is not finite")
                window = None
        return window

    def predict(self, window: Window, recognitions: Sequence[Recognition]) -> None:
        """Publish the prediction of a window, given the recognition of each of its parts."""
        with self._guard:
            self.reporter.predict(window, recognitions, self._moment)

    def report(self) -> None:
        """Publish the status where it is due."""
        if self.is_running:
            with self._guard:
                self.reporter.report(self._moment)

    def finish(self, error: Exception | None) -> None:
        """Mark the stream as over, by an error where one is given; `end` publishes the end."""
        self._is_over = True
        if error is not None:
            self._fail(error)

    def end(self) -> None:
        """Publish the end, once, of a stream that is over or has failed."""
        if self.has_ended or (self.is_running and not self._is_over):
            return
        with self._guard:
            if self.is_running:
                self.reporter.stop(self._moment)
        if not self.is_running:
            self.reporter.fail(self._moment)
        self.is_running, self.has_ended = False, True

    def deadline(self, now_ns: int) -> float:
        """Return the time at which the next window is due whether or not its audio has come.

        Infinite after the end, and where more of a recording has to be read before.
        """
        deadline_ns = self._stream.deadline(self._judged_ns(now_ns))
        return deadline_ns if self.is_running and deadline_ns <= self._reached_ns + READ_LATE_NS else math.inf

    def _judged_ns(self, now_ns: int) -> int:
        return int(min(now_ns, self._reached_ns + READ_LATE_NS))

    @property
    def due(self) -> Due:
        """Times from which on media are wanted at once; infinite after the end."""
        return self._stream.due if self.is_running else Due(math.inf, math.inf)
