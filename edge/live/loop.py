"""The loop in the middle: events of all streams in, messages out. The same for devices, paced files and recordings.

`Loop` goes by `Step`s alone and reads no clock but for the times that it reports; `run_live` waits for what is
captured, `run_fast` takes recordings as quickly as they can be decoded.
"""

import heapq
import math
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from ..clock import SECOND_NS, Clock
from ..preprocess.media import Discontinuity, Media, check
from ..sources.base import Recording, source_error
from .inbox import Delivery, Inbox, LoopInput
from .recognizer import Recognizer
from .reporter import LOOK_NS, Reporter
from .stream import Stream
from .stream_runner import Failures, StreamRunner
from .supervision import Supervisor
from .suspension import SuspensionWatch

LINGER_S = 0.01
"""How long what is pending of one stream waits for that of others, to go through the encoders as one batch."""


class Loop:
    """All streams on one recogniser: each step's frames, then its windows, go through the encoders as one batch.

    Of a stream's windows that fall due together only the last is predicted where `latest_only`, else each. An error of
    one stream's own ends that stream; what the recogniser raises ends all.
    """

    def __init__(
        self, streams: Sequence[Stream], reporters: Sequence[Reporter], recognizer: Recognizer, *, latest_only: bool
    ) -> None:
        self._recognizer, self._latest_only = recognizer, latest_only
        self.failures = Failures([reporter.name for reporter in reporters])
        self._runners = [
            StreamRunner(stream, reporter, partial(self.failures.add, index))
            for index, (stream, reporter) in enumerate(zip(streams, reporters, strict=True))
        ]
        self._framers: ThreadPoolExecutor | None = None
        if len(streams) > 1:
            self._framers = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="framer")

    @property
    def is_over(self) -> bool:
        """Whether every stream has ended."""
        return all(runner.has_ended for runner in self._runners)

    def wake_ns(self, now_ns: int) -> int:
        """By when the next step is due, should nothing arrive."""
        return int(min(now_ns + LOOK_NS, *(runner.wake_ns(now_ns) for runner in self._runners)))

    def audio_due_ns(self) -> list[float]:
        """Up to where each stream's next window wants sound; what ends before that need not wake the loop."""
        return [runner.audio_due_ns for runner in self._runners]

    def step(self, step: LoopInput) -> None:
        """Take in what arrived and publish what is due; frames that no due window needs wait until that is done."""
        for delivery in step.deliveries:
            if delivery.media is not None:
                self._runners[delivery.stream].add(delivery.media)
        for runner, dropped in zip(self._runners, step.dropped, strict=True):
            runner.begin(step, dropped)
        while due := self._take_due(step):
            self._look(due)
            self._predict(due, step)
        self._look(dict.fromkeys(range(len(self._runners)), math.inf))
        for runner, dropped in zip(self._runners, step.dropped, strict=True):
            runner.report(step, dropped)
        self._end(step)

    def _end(self, step: LoopInput) -> None:
        for delivery in step.deliveries:
            if delivery.error is not None:
                self._runners[delivery.stream].fail(delivery.error)
        over = {delivery.stream for delivery in step.deliveries if delivery.media is None}
        for index, (runner, dropped) in enumerate(zip(self._runners, step.dropped, strict=True)):
            if index in over or not runner.is_running:
                runner.end(step, dropped)

    def ended(self) -> list[int]:
        """The streams that have ended."""
        return [index for index, runner in enumerate(self._runners) if runner.has_ended]

    def ends(self) -> list[Delivery]:
        """The end of every stream that has not ended."""
        return self._to_all(None)

    def discontinuities(self, end_ns: int) -> list[Delivery]:
        """A new beginning for every stream that has not ended."""
        return self._to_all(Discontinuity(end_ns))

    def _to_all(self, item: Media | None) -> list[Delivery]:
        return [Delivery(index, item) for index, runner in enumerate(self._runners) if not runner.has_ended]

    def close(self) -> None:
        """End its threads."""
        if self._framers:
            self._framers.shutdown()

    def _look(self, before_ns: Mapping[int, float]) -> None:
        """Frame and encode what some streams captured before a time each, all of it as one batch."""
        looking = [(self._runners[index], time_ns) for index, time_ns in before_ns.items()]
        looking = [(runner, time_ns) for runner, time_ns in looking if runner.has_unseen(time_ns)]
        spread = self._framers.map if self._framers and len(looking) > 1 else map
        for _ in spread(lambda each: each[0].look(each[1]), looking):
            continue
        self._encode()

    def _encode(self) -> None:
        """Give all streams' new frames their embeddings, as one batch."""
        crops = [runner.crops for runner in self._runners]
        if not any(crops):
            return
        started = time.perf_counter()
        embeddings = self._recognizer.embed([crop for some in crops for crop in some])
        took_s = time.perf_counter() - started
        first = 0
        for runner, some in zip(self._runners, crops, strict=True):
            if some:
                runner.keep(embeddings[first : first + len(some)], took_s)
                first += len(some)

    def _take_due(self, step: LoopInput) -> dict[int, int]:
        """Where the next window ends of each stream that has one due."""
        due = [runner.take_due(step.now_ns, latest_only=self._latest_only) for runner in self._runners]
        return {index: end_ns for index, end_ns in enumerate(due) if end_ns is not None}

    def _predict(self, due: Mapping[int, int], step: LoopInput) -> None:
        cut = [(index, self._runners[index].cut(end_ns, step.now_ns)) for index, end_ns in due.items()]
        windows = [(index, window) for index, window in cut if window is not None]
        recognitions = self._recognizer.recognize([window for _, window in windows])
        for (index, window), recognition in zip(windows, recognitions, strict=True):
            self._runners[index].predict(window, recognition, step, step.dropped[index])


def run_live(
    loop: Loop,
    inbox: Inbox,
    clock: Clock,
    watch: SuspensionWatch,
    stop: threading.Event,
    supervisor: Supervisor,
    on_step: Callable[[LoopInput], None],
) -> None:
    """Predict until every stream has ended or `stop` is set; what has failed is the loop's to say.

    What is due or lost is judged as of the moment the inbox was emptied: a slow machine must not take what it has
    not looked at yet for lost. After a gap in which nothing ran all streams begin anew.
    """
    linger_s = LINGER_S if len(inbox.dropped) > 1 else 0.0
    awake_since_ns = watch.awake_since_ns()
    while not loop.is_over:
        now_ns = clock.now_ns()
        deliveries = inbox.take((loop.wake_ns(now_ns) - now_ns) / SECOND_NS, linger_s, loop.audio_due_ns())
        if awake_since_ns != (awake_since_ns := watch.awake_since_ns()):
            deliveries = loop.discontinuities(awake_since_ns) + deliveries
        now_ns = clock.now_ns()
        if stop.is_set():
            deliveries += loop.ends()
        step = LoopInput(now_ns, clock.unix_ns(0), supervisor.hop_ns, deliveries, supervisor.dropped())
        on_step(step)
        loop.step(step)
        for ended in loop.ended():
            inbox.dismiss(ended)
        supervisor.turn(now_ns, clock.now_ns())


def run_fast(
    loop: Loop,
    recordings: Sequence[Recording],
    hop_ns: int,
    stop: threading.Event,
    on_step: Callable[[LoopInput], None],
    dropped: Sequence[Mapping[str, int]] = (),
) -> None:
    """Predict every window of the recordings, whatever their pace; deterministic.

    `dropped` is what they count in, each its own.
    """
    counted = dropped or [{} for _ in recordings]
    arriving = [deliveries_of(index, recording) for index, recording in enumerate(recordings)]
    now_ns = 0

    def take(deliveries: list[Delivery]) -> None:
        step = LoopInput(now_ns, 0, hop_ns, deliveries, [dict(counts) for counts in counted])
        on_step(step)
        loop.step(step)

    try:
        for time_ns, delivery in heapq.merge(*arriving, key=lambda timed: timed[0]):
            if stop.is_set():
                break
            now_ns = time_ns
            take([delivery])
    finally:
        take(loop.ends())


def deliveries_of(index: int, recording: Recording) -> Iterator[tuple[int, Delivery]]:
    """A recording's events, as the stream of that index delivers them, and its end; the times never go back."""
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
