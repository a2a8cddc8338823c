"""Time grids shared by training and the runtime: which frames are used, where windows end."""

import math
from typing import NamedTuple

from ..clock import to_ns


class Due(NamedTuple):
    """Capture times from which on a stream's media are wanted at once: earlier ones can wait, to be taken together."""

    audio_ns: float = -math.inf
    """For the ends of blocks: where the next window ends."""
    video_ns: float = -math.inf
    """For frames: from here on no other is expected before the next window ends."""


class FrameGrid:
    """Grid that selects the first frame in each slot of the bundle's frame rate; a slot begins at `begin_ns`."""

    def __init__(self, rate_hz: float, begin_ns: int = 0) -> None:
        self._slot_ns, self._begin_ns = to_ns(1 / rate_hz), begin_ns
        self._last: int | None = None

    def wants(self, time_ns: int) -> bool:
        """Return whether the frame captured at `time_ns` is to be used; called once for each frame, in order."""
        slot = self.slot(time_ns)
        if slot == self._last:
            return False
        self._last = slot
        return True

    def slot(self, time_ns: int) -> int:
        """Return the index of the slot that a time lies in."""
        return (time_ns - self._begin_ns) // self._slot_ns


class HopGrid:
    """Grid on which windows end: `begin + k * hop`, k = 1, 2, ...; integers, so that nothing drifts."""

    def __init__(self, begin_ns: int, hop_ns: int) -> None:
        self.hop_ns = hop_ns
        self._last_ns = begin_ns

    @property
    def next_ns(self) -> int:
        """End of the next window."""
        return self._last_ns + self.hop_ns

    def change(self, hop_ns: int, now_ns: int) -> int:
        """Change the hop; with a shorter one, windows that would have ended by now are skipped, but for the last.

        Return how many of those skipped had ended by the hop so far.
        """
        skipped = 0
        if hop_ns < self.hop_ns:
            skipped = max(0, (now_ns - self._last_ns) // self.hop_ns - 1)
            self._last_ns += max(0, (now_ns - self._last_ns) // hop_ns - 1) * hop_ns
        self.hop_ns = hop_ns
        return skipped

    def skip_to(self, time_ns: int) -> int:
        """Skip the windows that end by `time_ns` and return their number; the grid itself does not move."""
        count = max(0, (time_ns - self._last_ns) // self.hop_ns)
        self._last_ns += count * self.hop_ns
        return count

    def advance(self) -> None:
        """Go on to the next window."""
        self._last_ns = self.next_ns
