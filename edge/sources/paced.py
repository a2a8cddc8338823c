"""A recording played as if it were happening now."""

import threading
from collections.abc import Iterator
from dataclasses import replace

from ..clock import Clock
from ..preprocess.media import Event
from .base import Recording


class Paced:
    """Each block and frame of a recording at its own time, counted from when it begins to come, not before `begin_ns`:

    a server may take seconds to answer, and by then all of its recording would be too late.
    """

    def __init__(self, recording: Recording, clock: Clock, begin_ns: int, stop: threading.Event) -> None:
        self.name = recording.name
        self._recording, self._clock, self._begin_ns, self._stop = recording, clock, begin_ns, stop

    def open(self) -> None:
        """Nothing to make ready: the recording has been looked at."""

    def events(self) -> Iterator[Event]:
        """The recording's events, moved to begin when they come; ends early where `stop` is set."""
        begin_ns: int | None = None
        for event in self._recording.events():
            if begin_ns is None:
                begin_ns = max(self._begin_ns, self._clock.now_ns() - event.end_ns)
            time_ns = begin_ns + event.end_ns
            if self._clock.wait_until(time_ns, self._stop):
                return
            yield replace(event, end_ns=time_ns)

    def close(self) -> None:
        """Nothing to release."""
