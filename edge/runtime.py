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

from .clock import SECOND_NS, Clock
from .inbox import FRAMES, Inbox
from .recognizer import Recognizer
from .reporter import LOOK_NS, Reporter
from .samples import Discontinuity, Event
from .sources.base import Recording
from .step import Arrival, Step
from .stream import Stream, Window
from .supervision import Supervisor
from .suspension import SuspensionWatch

LINGER_S = 0.01
"""How long what is pending of one stream waits for that of others, to go through the encoders as one batch."""


class Loop:
    """All streams on one recogniser: each step's frames, then its windows, go through the encoders as one batch.

    Of a stream's windows that fall due together only the last is predicted where `latest_only`, else each.
    """

    def __init__(
        self, streams: Sequence[Stream], reporters: Sequence[Reporter], recognizer: Recognizer, *, latest_only: bool
    ) -> None:
        self._streams, self._reporters, self._recognizer = streams, reporters, recognizer
        self._latest_only = latest_only
        self._ended = [False] * len(streams)
        self._frames_dropped = [0] * len(streams)
        self._framers: ThreadPoolExecutor | None = None
        if len(streams) > 1:
            self._framers = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="framer")

    def wake_ns(self, now_ns: int) -> int:
        """By when the next step is due, should nothing arrive."""
        running = [stream for stream, ended in zip(self._streams, self._ended, strict=True) if not ended]
        return min([now_ns + LOOK_NS, *(stream.deadline(now_ns) for stream in running)])

    def sound_due_ns(self) -> list[float]:
        """Up to where each stream's next window wants sound; what ends before that need not wake the loop."""
        return [
            math.inf if ended else stream.grid.next_ns for stream, ended in zip(self._streams, self._ended, strict=True)
        ]

    def step(self, step: Step) -> None:
        """Take in what arrived and publish what is due; frames that no due window needs wait until that is done."""
        self._take_in(step)
        while due := self._take_due(step):
            self._look(due)
            self._predict(due, step)
        self._look(dict.fromkeys(range(len(self._streams)), math.inf))
        for reporter, dropped in zip(self._reporters, step.dropped, strict=True):
            reporter.report(step.now_ns, step.unix_ahead_ns, dropped)
        for arrival in step.arrivals:
            if arrival.event is None:
                self._end(arrival.stream, step)

    def ends(self) -> list[Arrival]:
        """The end of every stream that has not ended."""
        return self._to_all(None)

    def discontinuities(self, end_ns: int) -> list[Arrival]:
        """A new beginning for every stream that has not ended."""
        return self._to_all(Discontinuity(end_ns))

    def _to_all(self, event: Event | None) -> list[Arrival]:
        return [Arrival(index, event) for index, ended in enumerate(self._ended) if not ended]

    def close(self) -> None:
        """End its threads."""
        if self._framers:
            self._framers.shutdown()

    def _end(self, index: int, step: Step) -> None:
        self._ended[index] = True
        self._reporters[index].stop(step.now_ns, step.unix_ahead_ns, step.dropped[index])

    def _take_in(self, step: Step) -> None:
        for arrival in step.arrivals:
            if arrival.event is not None:
                self._streams[arrival.stream].add([arrival.event])
        for index, (stream, dropped) in enumerate(zip(self._streams, step.dropped, strict=True)):
            stream.grid.change(step.hop_ns, step.now_ns)
            if dropped.get(FRAMES, 0) != self._frames_dropped[index]:
                self._frames_dropped[index] = dropped[FRAMES]
                stream.excuse(step.now_ns)

    def _look(self, before_ns: Mapping[int, float]) -> None:
        """Frame and encode what some streams captured before a time each, all of it as one batch."""
        looking = [(index, time) for index, time in before_ns.items() if self._streams[index].has_unseen(time)]
        spread = self._framers.map if self._framers and len(looking) > 1 else map
        for _ in spread(self._frame, looking):
            continue
        self._encode()

    def _frame(self, looking: tuple[int, float]) -> None:
        index, before_ns = looking
        started = time.perf_counter()
        self._streams[index].look(before_ns)
        self._reporters[index].encode_video_s += time.perf_counter() - started

    def _encode(self) -> None:
        """Give all streams' new frames their embeddings, as one batch."""
        crops = [stream.crops for stream in self._streams]
        if not any(crops):
            return
        started = time.perf_counter()
        embeddings = self._recognizer.embed([crop for some in crops for crop in some])
        took_s = time.perf_counter() - started
        first = 0
        for stream, reporter, some in zip(self._streams, self._reporters, crops, strict=True):
            if some:
                stream.keep(embeddings[first : first + len(some)])
                reporter.encode_video_s += took_s
                first += len(some)

    def _take_due(self, step: Step) -> dict[int, int]:
        """Where the next window ends of each stream that has one due; of several, the last where that is wanted."""
        due: dict[int, int] = {}
        for index, (stream, reporter) in enumerate(zip(self._streams, self._reporters, strict=True)):
            while not self._ended[index] and stream.due(step.now_ns):
                if index in due and not self._latest_only:
                    break
                reporter.dropped["windows_late"] += index in due
                due[index] = stream.grid.next_ns
                stream.grid.advance()
        return due

    def _predict(self, due: Mapping[int, int], step: Step) -> None:
        windows: list[tuple[int, Window]] = []
        for index, end_ns in due.items():
            window = self._streams[index].cut(end_ns)
            if window is None:
                self._reporters[index].dropped["windows_empty"] += 1
            else:
                windows.append((index, window))
        recognitions = self._recognizer.recognize([window for _, window in windows])
        for (index, window), recognition in zip(windows, recognitions, strict=True):
            dropped = step.dropped[index]
            self._reporters[index].predict(window, recognition, step.now_ns, step.unix_ahead_ns, dropped)


def run_live(
    loop: Loop,
    inbox: Inbox,
    clock: Clock,
    watch: SuspensionWatch,
    stop: threading.Event,
    supervisor: Supervisor,
    on_step: Callable[[Step], None],
) -> None:
    """Predict until the inbox closes or `stop` is set; raises what broke a capture.

    What is due or lost is judged as of the moment the inbox was emptied: a slow machine must not take what it has
    not looked at yet for lost. After a gap in which nothing ran all streams begin anew.
    """
    linger_s = LINGER_S if len(inbox.dropped) > 1 else 0.0
    over, awake_since_ns = False, watch.awake_since_ns()
    while not over:
        now_ns = clock.now_ns()
        arrivals = inbox.take((loop.wake_ns(now_ns) - now_ns) / SECOND_NS, linger_s, loop.sound_due_ns())
        if awake_since_ns != (awake_since_ns := watch.awake_since_ns()):
            arrivals = loop.discontinuities(awake_since_ns) + arrivals
        now_ns = clock.now_ns()
        over = stop.is_set() or inbox.closed
        if over:
            arrivals += loop.ends()
        step = Step(now_ns, clock.unix_ns(0), supervisor.hop_ns, arrivals, supervisor.dropped())
        on_step(step)
        loop.step(step)
        supervisor.turn(now_ns, clock.now_ns())
    if inbox.error is not None:
        raise inbox.error


def run_fast(
    loop: Loop, recordings: Sequence[Recording], hop_ns: int, stop: threading.Event, on_step: Callable[[Step], None]
) -> None:
    """Predict every window of the recordings, whatever their pace; deterministic."""
    nothing: list[dict[str, int]] = [{} for _ in recordings]
    arriving = [arrivals_of(index, recording) for index, recording in enumerate(recordings)]
    now_ns = 0

    def take(arrivals: list[Arrival]) -> None:
        step = Step(now_ns, 0, hop_ns, arrivals, nothing)
        on_step(step)
        loop.step(step)

    try:
        for time_ns, arrival in heapq.merge(*arriving, key=lambda timed: timed[0]):
            if stop.is_set():
                break
            now_ns = time_ns
            take([arrival])
    finally:
        take(loop.ends())


def arrivals_of(index: int, recording: Recording) -> Iterator[tuple[int, Arrival]]:
    """A recording's events with their times, as the stream of that index delivers them, and its end."""
    end_ns = 0
    for event in recording.events():
        end_ns = event.end_ns
        yield end_ns, Arrival(index, event)
    yield end_ns, Arrival(index, None)
