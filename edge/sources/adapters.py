"""Adapters of sources and recordings: a constant audio offset, and playback of a recording in real time."""

import heapq
import logging
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from itertools import count

import numpy as np
from msgspec.structs import replace

from ..clock import SECOND_NS, Clock, to_ns
from ..preprocess.media import BLOCK_NS, BLOCK_S, Block, Discontinuity, Frame, Media
from ..preprocess.windowing import Due
from .base import Recording, Source

MAX_LATE_NS = 2 * SECOND_NS
"""Largest delay of a recording's media behind their time; where reading takes longer, playback pauses instead."""
MOST_HELD_NS = 2 * SECOND_NS // 5
"""Largest delay of media that are not wanted at once: the distance of three frames."""
LONGEST_STEP_NS = to_ns(2 * BLOCK_S)
"""Longest step to the next item for which media are held: in a hole a window may end that does not wait for more."""
ROUNDING_NS = 1000
"""Largest distance between blocks that is only rounding of their times."""
SLOW = "it is read more slowly than it plays; give this machine less to do, or the file a smaller picture"

log = logging.getLogger(__name__)


class Shifted:
    """Live source whose audio blocks have `offset_ns` added to their times; nothing is held back or reordered."""

    def __init__(self, source: Source, offset_ns: int) -> None:
        self.name = source.name
        self._source, self._offset_ns = source, offset_ns

    def open(self) -> None:
        """Open the source; raises SourceError if it cannot be opened."""
        self._source.open()

    def read(self) -> Iterator[Media]:
        """Yield the source's media as they are captured."""
        for item in self._source.read():
            yield shift(item, self._offset_ns)

    def close(self) -> None:
        """Release the device."""
        self._source.close()


class ShiftedRecording:
    """Recording whose audio blocks have `offset_ns` added to their times.

    Media are in the order of their new times, audio before video at the same time. Audio that would lie before the
    beginning of the recording is left out.
    """

    def __init__(self, recording: Recording, offset_ns: int) -> None:
        self.name = recording.name
        self._recording, self._offset_ns = recording, offset_ns

    def read(self) -> Iterator[Media]:
        """Yield media in the order of their new times; at most the offset's worth of media is held back."""
        waiting: list[tuple[int, bool, int, Media]] = []
        order = count()
        for item in self._recording.read():
            # No later item of the recording can lie before this time.
            reached_ns = item.end_ns + min(0, self._offset_ns)
            shifted = shift(item, self._offset_ns)
            if shifted.end_ns >= 0:
                heapq.heappush(waiting, (shifted.end_ns, isinstance(shifted, Frame), next(order), shifted))
            while waiting and waiting[0][0] < reached_ns:
                yield heapq.heappop(waiting)[-1]
        while waiting:
            yield heapq.heappop(waiting)[-1]


def shift(item: Media, offset_ns: int) -> Media:
    """Return a block with `offset_ns` added to its time, and any other item unchanged."""
    return replace(item, end_ns=item.end_ns + offset_ns) if isinstance(item, Block) else item


class Paced:
    """Recording played in real time as a live source.

    Playback starts when the first item is decoded, and not before the time that `begin_ns` tells: a server may take
    seconds to answer, and a start time fixed before that would make all of its recording late. Where reading falls
    behind, for want of CPU or of data, playback pauses and a new time line begins: all of the recording is played.
    Media that the consumer does not want at once come with the next item that it does, two fifths of a second late at
    most, or at once before a hole, and blocks joined to one: each wake costs CPU time, and so does each item.
    """

    def __init__(
        self,
        recording: Recording,
        clock: Clock,
        begin_ns: Callable[[], int | None],
        stop: threading.Event,
        rate_hz: int,
        due: Callable[[], Due] = Due,
    ) -> None:
        """Make a source; `rate_hz` is the rate of the blocks.

        `begin_ns`, called once the first item is decoded, waits until the time is known; None where nothing is to be
        played. `due` tells the times from which on the consumer wants media at once at present.
        """
        self.name = recording.name
        self._recording, self._clock, self._begin_ns, self._stop = recording, clock, begin_ns, stop
        self._rate_hz, self._due = rate_hz, due

    def open(self) -> None:
        """Do nothing: the recording was checked when it was made."""

    def read(self) -> Iterator[Media]:
        """Yield the recording's media, each at its time, with times on the run's clock; end early if `stop` is set."""
        begin_ns: int | None = None
        pauses_ns: list[int] = []
        held: list[Media] = []
        for item in self._recording.read():
            if begin_ns is None:
                earliest_ns = self._clock.now_ns() - item.end_ns
                if (wanted_ns := self._begin_ns()) is None:
                    return
                blocks_late = max(0, -((wanted_ns - earliest_ns) // BLOCK_NS))
                begin_ns = wanted_ns + blocks_late * BLOCK_NS  # so that blocks still end where windows do
                if begin_ns > wanted_ns:
                    yield Discontinuity(begin_ns)
            if held and begin_ns + item.end_ns - held[-1].end_ns > LONGEST_STEP_NS and (yield from self._give(held)):
                return
            late_ns = self._clock.now_ns() - (begin_ns + item.end_ns)
            if late_ns > MAX_LATE_NS:
                if not pauses_ns:
                    log.warning("%s pauses: %s", self.name, SLOW)
                pauses_ns.append(late_ns)
                begin_ns += late_ns
                held.append(Discontinuity(begin_ns + item.end_ns))
            held.append(replace(item, end_ns=begin_ns + item.end_ns))
            if not self._can_wait(held) and (yield from self._give(held)):
                return
        if held:
            yield from self._give(held)
        if pauses_ns:
            seconds = sum(pauses_ns) / SECOND_NS
            number = "once" if len(pauses_ns) == 1 else f"{len(pauses_ns)} times"
            log.warning("%s has paused %s, for %.1f s in all: %s", self.name, number, seconds, SLOW)

    def _give(self, held: list[Media]) -> Generator[Media, None, bool]:
        """Yield what is held, all of it once the newest is due; return whether `stop` was set before that."""
        if self._clock.wait_until(held[-1].end_ns, self._stop):
            return True
        yield from joined(held, self._rate_hz)
        held.clear()
        return False

    def _can_wait(self, held: Sequence[Media]) -> bool:
        """Return whether the consumer can do without what is held until more of the recording is due."""
        oldest, newest = held[0], held[-1]
        if isinstance(oldest, Discontinuity) or isinstance(newest, Discontinuity):
            return False
        # Between the two there is no discontinuity: after one, times are later by more than media are held.
        due_ns = self._due().video_ns if isinstance(newest, Frame) else self._due().audio_ns
        return newest.end_ns - oldest.end_ns < MOST_HELD_NS and newest.end_ns < due_ns

    def close(self) -> None:
        """Do nothing: there is no device to release."""


def joined(media: Iterable[Media], rate_hz: int) -> Iterator[Media]:
    """Yield media, with blocks of a rate that follow each other as one."""
    run: list[Block] = []
    for item in media:
        if run and not (isinstance(item, Block) and follows(run[-1], item, rate_hz)):
            yield as_one(run)
            run = []
        if isinstance(item, Block):
            run.append(item)
        else:
            yield item
    if run:
        yield as_one(run)


def follows(earlier: Block, later: Block, rate_hz: int) -> bool:
    """Return whether a block begins where the one before it ends."""
    begin_ns = later.end_ns - len(later.samples) * SECOND_NS // rate_hz
    return abs(begin_ns - earlier.end_ns) <= ROUNDING_NS


def as_one(run: Sequence[Block]) -> Block:
    """Return blocks that follow each other as one."""
    return run[0] if len(run) == 1 else Block(np.concatenate([block.samples for block in run]), run[-1].end_ns)
