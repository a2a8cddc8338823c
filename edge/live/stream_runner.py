"""One stream of the loop with its reporter: an error of its own ends this stream, and no other."""

import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np

from ..clock import SECOND_NS
from ..errors import FoalError
from ..preprocess.framing import Image
from ..preprocess.media import Embedding, Media
from ..system.resources import exhaustion
from ..wire.drop_reasons import (
    FRAMES_FAILED,
    FRAMES_NOT_FINITE,
    FRAMES_OVERLOAD,
    WINDOWS_EMPTY,
    WINDOWS_LATE,
    WINDOWS_NOT_FINITE,
)
from .inbox import LoopInput
from .recognizer import Recognition
from .reporter import Reporter
from .stream import Stream, Window

LEAP_NS = 60 * SECOND_NS
"""Where a window is empty and its stream already so far ahead, all up to there are: its times have leapt."""


class StreamRunner:
    """All that the loop does with one stream. Once it has ended or failed nothing more is done."""

    def __init__(self, stream: Stream, reporter: Reporter, on_failure: Callable[[Exception], None]) -> None:
        self._stream, self._reporter, self._on_failure = stream, reporter, on_failure
        self.is_running = True
        self.has_ended = False
        """Whether its end has been published as well."""
        self._frames_dropped = 0

    @contextmanager
    def _guard(self) -> Iterator[None]:
        """What is raised inside ends this stream, but for what is everybody's: the model, the publisher, memory."""
        try:
            yield
        except (FoalError, MemoryError):
            raise
        except Exception as error:
            self.fail(exhaustion(error) or error)

    def fail(self, error: Exception) -> None:
        """End by an error; the step's end will publish it."""
        if self.is_running:
            self.is_running = False
            self._on_failure(error)

    def add(self, item: Media) -> None:
        """Take in what was captured."""
        if self.is_running:
            with self._guard():
                self._stream.add([item])

    def begin(self, step: LoopInput, dropped: Mapping[str, int]) -> None:
        """Go by a step's hop from here on; frames that this machine was too slow for do not make a lost camera."""
        if self.is_running:
            with self._guard():
                self._stream.grid.change(step.hop_ns, step.now_ns)
                if dropped.get(FRAMES_OVERLOAD, 0) != self._frames_dropped:
                    self._frames_dropped = dropped[FRAMES_OVERLOAD]
                    self._stream.excuse(step.now_ns)

    def has_unseen(self, before_ns: float) -> bool:
        """Whether frames captured before a time wait to be looked at."""
        return self.is_running and self._stream.has_unseen(before_ns)

    def look(self, before_ns: float) -> None:
        """Frame the frames captured before a time; called from any thread, this member's alone."""
        started = time.perf_counter()
        with self._guard():
            for error in self._stream.look(before_ns):
                self._reporter.drop(FRAMES_FAILED, f"a frame cannot be framed ({type(error).__name__}: {error})")
        self._reporter.encode_video_s += time.perf_counter() - started

    @property
    def crops(self) -> Sequence[Image]:
        """Those that wait for their embeddings."""
        return self._stream.crops if self.is_running else ()

    def keep(self, embeddings: Embedding, took_s: float) -> None:
        """Take the embeddings `[n, Dv]` of `crops`, which took so long together with others'."""
        with self._guard():
            for _ in range(self._stream.keep(embeddings)):
                self._reporter.drop(FRAMES_NOT_FINITE, "the model gives a frame an embedding that is not finite")
        self._reporter.encode_video_s += took_s

    def take_due(self, now_ns: int, *, latest_only: bool) -> int | None:
        """Where the next window ends, if one is due; of several, the last where that is wanted."""
        end_ns = None
        with self._guard():
            while self.is_running and (end_ns is None or latest_only) and self._stream.due(now_ns):
                self._reporter.dropped[WINDOWS_LATE] += end_ns is not None
                end_ns = self._stream.grid.next_ns
                self._stream.grid.advance()
        return end_ns if self.is_running else None

    def cut(self, end_ns: int, now_ns: int) -> Window | None:
        """The window that ends there; None where it holds nothing, or nothing that others may be batched with."""
        window = None
        with self._guard():
            window = self._stream.cut(end_ns)
            if window is None:
                leapt = self._stream.grid.skip_to(now_ns - LEAP_NS) if now_ns - end_ns > LEAP_NS else 0
                self._reporter.dropped[WINDOWS_EMPTY] += 1 + leapt
            elif not np.isfinite(window.samples).all():
                self._reporter.drop(WINDOWS_NOT_FINITE, "a window's sound is not finite")
                window = None
        return window

    def predict(self, window: Window, recognition: Recognition, step: LoopInput, dropped: Mapping[str, int]) -> None:
        """Publish a window's prediction."""
        with self._guard():
            self._reporter.predict(window, recognition, step.now_ns, step.unix_ahead_ns, dropped)

    def report(self, step: LoopInput, dropped: Mapping[str, int]) -> None:
        """Publish the status where it is due."""
        if self.is_running:
            with self._guard():
                self._reporter.report(step.now_ns, step.unix_ahead_ns, dropped)

    def end(self, step: LoopInput, dropped: Mapping[str, int]) -> None:
        """Publish, once, that it has ended."""
        if self.has_ended:
            return
        with self._guard():
            if self.is_running:
                self._reporter.stop(step.now_ns, step.unix_ahead_ns, dropped)
        if not self.is_running:
            self._reporter.fail(step.now_ns, step.unix_ahead_ns, dropped)
        self.is_running, self.has_ended = False, True

    def wake_ns(self, now_ns: int) -> float:
        """When the next window is due whether or not its sound has come."""
        return self._stream.deadline(now_ns) if self.is_running else math.inf

    @property
    def audio_due_ns(self) -> float:
        """Up to where the next window wants sound."""
        return self._stream.grid.next_ns if self.is_running else math.inf


log = logging.getLogger(__name__)


class Failures:
    """The errors of a run's streams, in the order in which they came."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._errors: dict[int, Exception] = {}

    def add(self, stream: int, error: Exception) -> None:
        """A stream has ended by an error; said at once where there are others to go on."""
        self._errors[stream] = error
        if not isinstance(error, FoalError):
            log.error("stream %s has ended by an error of foal-edge itself", self._names[stream], exc_info=error)
        elif len(self._names) > 1:
            log.warning("stream %s has ended: %s", self._names[stream], error)

    def __contains__(self, stream: int) -> bool:
        return stream in self._errors

    def raise_any(self) -> None:
        """Raise the only error there is; of several, one with the first one's exit status that tells them all."""
        if not self._errors:
            return
        first, *others = self._errors.values()
        if not others:
            raise first
        together = FoalError("\n".join(f"{self._names[stream]}: {error!s}" for stream, error in self._errors.items()))
        together.exit_status = getattr(first, "exit_status", FoalError.exit_status)
        raise together from first
