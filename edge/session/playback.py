"""Playback of a run's recordings: they are read while the model is loaded, and play from a time that is known then."""

import threading
from collections.abc import Sequence

from ..clock import SECOND_NS, Clock
from ..live.stagger import delays_ns
from .inputs import StreamInput, make_inbox, pace

MOST_AHEAD_NS = SECOND_NS // 4
"""Longest time by which recordings begin before the model is loaded, and half a hop at most: it is caught up with."""
MOST_AHEAD_ALONE_NS = 2 * SECOND_NS // 5
"""The same for one recording, four fifths of a hop at most: no others' first frames are searched for faces then."""
LONGEST_FIRST_S = 0.1
"""Longest wait for the first item of a recording that plays alone: one of 640 x 480 pixels takes 0.03 s."""


class Playback:
    """Captures of the recordings and the inbox of all streams; reading begins now, and playing with `begin`."""

    def __init__(self, inputs: Sequence[StreamInput], clock: Clock, stop: threading.Event) -> None:
        self._clock = clock
        self.decoded_ns: dict[int, int] = {}
        """Time at which the first item of a stream had been decoded, by its index."""
        self._has_first = threading.Event()
        self._streams = len(inputs)
        self._begins_ns: list[int] | None = None
        self._is_decided = threading.Event()
        self.inbox = make_inbox(inputs)
        self.captures = pace(inputs, self.inbox, clock, self._await_begin, stop)
        for capture in self.captures:
            capture.start()

    def await_first(self) -> None:
        """Wait until the first item of a recording that plays alone is decoded, but not long.

        It takes three times as long beside imports, which hold Python's lock, and the recording cannot begin before.
        """
        if self._streams == len(self.captures) == 1:
            self._has_first.wait(LONGEST_FIRST_S)

    def _await_begin(self, stream: int) -> int | None:
        self.decoded_ns[stream] = self._clock.now_ns()
        self._has_first.set()
        self._is_decided.wait()
        return None if self._begins_ns is None else self._begins_ns[stream]

    def begin(self, hop_ns: int, *, has_devices: bool) -> int:
        """Let the recordings play, each once its stream begins, and return when the run does.

        Where it has no devices, that was some time ago.
        """
        now_ns = self._clock.now_ns()
        earliest_ns = max(self.decoded_ns.copy().values(), default=now_ns)
        begin_ns = now_ns if has_devices else max(earliest_ns, now_ns - self._most_ahead_ns(hop_ns))
        self._begins_ns = [begin_ns + delay_ns for delay_ns in delays_ns(self._streams, hop_ns)]
        self._is_decided.set()
        return begin_ns

    def _most_ahead_ns(self, hop_ns: int) -> int:
        if self._streams == 1:
            return min(MOST_AHEAD_ALONE_NS, 4 * hop_ns // 5)
        return min(MOST_AHEAD_NS, hop_ns // 2)

    def close(self) -> None:
        """End the captures, whether or not they have played."""
        self._is_decided.set()
        for index in range(len(self.inbox.dropped)):
            self.inbox.dismiss(index)
        for capture in self.captures:
            capture.finish()
