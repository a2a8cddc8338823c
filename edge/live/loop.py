"""Loop from the media of all streams to messages, the same for devices, paced files and recordings.

`Loop` depends on its inputs alone, and reads a clock only to measure how long its stages take. `run_live` waits for
what is captured; `run_fast` reads recordings as quickly as they can be decoded.
"""

import heapq
import math
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from ..clock import SECOND_NS, Clock
from ..errors import UnansweredError
from ..preprocess.media import Discontinuity, Media, check
from ..preprocess.windowing import Due
from ..sources.base import Recording, source_error
from .driver import encode_frames
from .inbox import Delivery, Inbox, LoopInput
from .recognizer import Recognizer
from .reporter import CHECK_NS
from .stream_runner import StreamRunner
from .supervision import Supervisor
from .suspension import SuspensionWatch

LINGER_S = 0.005
"""Time for which the media of one stream wait for those of others, to go through the encoders as one batch."""

DueWindows = list[tuple[StreamRunner, int]]
"""Streams that have a window due, each with the window's end."""


class Loop:
    """Loop over all streams on one recognizer: frames, then windows of all streams are encoded as one batch.

    An error of one stream's own ends that stream; an error of the recognizer ends all, except that a server gives no
    result in time where only the latest counts: what was asked for is dropped and counted.
    """

    def __init__(self, runners: Sequence[StreamRunner], recognizer: Recognizer, *, latest_only: bool) -> None:
        """Make a loop; with `latest_only`, only the last of a stream's windows that fall due together is predicted."""
        self._runners, self._recognizer, self._latest_only = runners, recognizer, latest_only
        self._croppers: ThreadPoolExecutor | None = None
        if len(runners) > 1:
            self._croppers = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="cropper")

    @property
    def is_over(self) -> bool:
        """True if every stream has ended."""
        return all(runner.has_ended for runner in self._runners)

    def deadline(self, now_ns: int) -> int:
        """Return the time by which the next pass is due, should nothing arrive."""
        return int(min(now_ns + CHECK_NS, *(runner.deadline(now_ns) for runner in self._runners)))

    def due(self) -> list[Due]:
        """Return, for each stream, the times from which on media are wanted at once."""
        return [runner.due for runner in self._runners]

    def run_once(self, loop_input: LoopInput) -> None:
        """Take what has arrived and publish what is due; frames that no due window needs are encoded after that.

        Those that are followed by others before a window ends wait for them: what a few frames need at once is fetched
        from memory once.
        """
        for delivery in loop_input.deliveries:
            if delivery.media is not None:
                self._runners[delivery.stream].add(delivery.media)
        for runner in self._runners:
            runner.begin(loop_input)
        while due := self._next_windows():
            self._encode_frames(due)
            self._predict(due)
        self._encode_frames([(runner, math.inf) for runner in self._runners if runner.wants_frames])
        for runner in self._runners:
            runner.report()
        for delivery in loop_input.deliveries:
            if delivery.media is None:
                self._runners[delivery.stream].finish(delivery.error)
        for runner in self._runners:
            runner.end()

    def _next_windows(self) -> DueWindows:
        ends = [(runner, runner.next_window(latest_only=self._latest_only)) for runner in self._runners]
        return [(runner, end_ns) for runner, end_ns in ends if end_ns is not None]

    def _encode_frames(self, queues: Sequence[tuple[StreamRunner, float]]) -> None:
        try:
            encode_frames(queues, self._recognizer, self._croppers)
        except UnansweredError:
            if not self._latest_only:
                raise
            for runner, _ in queues:
                runner.drop_crops()

    def _predict(self, due: DueWindows) -> None:
        cut = [(runner, runner.cut(end_ns)) for runner, end_ns in due]
        windows = [(runner, window) for runner, window in cut if window is not None]
        parts = [part for _, window in windows for part in window.parts]
        try:
            recognitions = iter(self._recognizer.recognize(parts, [part.heard for part in parts]))
        except UnansweredError:
            if not self._latest_only:
                raise
            for runner, _ in windows:
                runner.drop_window()
            return
        for runner, window in windows:
            runner.predict(window, list(islice(recognitions, len(window.parts))))

    def ended(self) -> list[int]:
        """Return the indices of the streams that have ended."""
        return [runner.index for runner in self._runners if runner.has_ended]

    def ends(self) -> list[Delivery]:
        """Return the end of every stream that has not ended."""
        return self._to_all(None)

    def discontinuities(self, end_ns: int) -> list[Delivery]:
        """Return a discontinuity for every stream that has not ended."""
        return self._to_all(Discontinuity(end_ns))

    def _to_all(self, item: Media | None) -> list[Delivery]:
        return [Delivery(runner.index, item) for runner in self._runners if not runner.has_ended]

    def close(self) -> None:
        """End the loop's threads."""
        if self._croppers:
            self._croppers.shutdown()


def run_live(
    loop: Loop,
    inbox: Inbox,
    clock: Clock,
    watch: SuspensionWatch,
    stop: threading.Event,
    supervisor: Supervisor,
    on_input: Callable[[LoopInput], None],
) -> None:
    """Predict until every stream has ended or `stop` is set; `on_input` gets each input before the loop does.

    Windows that are due and devices that are lost are judged at the time at which the inbox was emptied: a slow machine
    must not take for lost what it has not looked at yet. After a gap in which nothing ran all streams begin again.
    """
    linger_s = LINGER_S if len(inbox.dropped) > 1 else 0.0
    awake_since_ns = watch.awake_since_ns()
    while not loop.is_over:
        now_ns = clock.now_ns()
        deliveries = inbox.take((loop.deadline(now_ns) - now_ns) / SECOND_NS, linger_s, loop.due())
        if awake_since_ns != (awake_since_ns := watch.awake_since_ns()):
            deliveries = loop.discontinuities(awake_since_ns) + deliveries
        now_ns = clock.now_ns()
        if stop.is_set():
            deliveries += loop.ends()
        loop_input = LoopInput(now_ns, clock.unix_ns(0), supervisor.hop_ns, deliveries, supervisor.dropped())
        on_input(loop_input)
        loop.run_once(loop_input)
        for ended in loop.ended():
            inbox.dismiss(ended)
        supervisor.turn(now_ns, clock.now_ns())


def run_fast(
    loop: Loop,
    recordings: Sequence[Recording],
    hop_ns: int,
    stop: threading.Event,
    on_input: Callable[[LoopInput], None],
    dropped: Sequence[Mapping[str, int]] = (),
) -> None:
    """Predict every window of the recordings, as quickly as possible; deterministic.

    `on_input` gets each input before the loop does; `dropped` gives each recording's own drop counter.
    """
    counters = dropped or [{} for _ in recordings]
    media = heapq.merge(*(deliveries_of(*each) for each in enumerate(recordings)), key=lambda timed: timed[0])
    now_ns = 0

    def run_once(deliveries: list[Delivery]) -> None:
        loop_input = LoopInput(now_ns, 0, hop_ns, deliveries, [dict(counts) for counts in counters])
        on_input(loop_input)
        loop.run_once(loop_input)

    try:
        for time_ns, delivery in media:
            if stop.is_set():
                break
            now_ns = time_ns
            run_once([delivery])
    finally:
        run_once(loop.ends())


def deliveries_of(index: int, recording: Recording) -> Iterator[tuple[int, Delivery]]:
    """Yield a recording's media and end as deliveries of the stream `index`, with times that never go back."""
    time_ns, error = 0, None
    try:
        for item in recording.read():
            check(item)
            time_ns = max(time_ns, item.end_ns)
            yield time_ns, Delivery(index, item)
    except MemoryError:
        raise
    except Exception as caught:  # a decoder may raise anything
        error = source_error(recording.name, caught)
    yield time_ns, Delivery(index, None, error)
