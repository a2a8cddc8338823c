"""The two grids in time that training and the runtime share: which frames are used, where windows end."""

from ..clock import to_ns


class FrameGrid:
    """Of a camera's frames, the first in each slot of the bundle's picture rate."""

    def __init__(self, rate_hz: float) -> None:
        self._slot_ns = to_ns(1 / rate_hz)
        self._last = -1

    def wants(self, time_ns: int) -> bool:
        """Whether the frame captured at `time_ns` is to be used; asked once a frame, in order."""
        slot = time_ns // self._slot_ns
        if slot == self._last:
            return False
        self._last = slot
        return True


class HopGrid:
    """Windows end at `begin + k * hop`, k = 1, 2, ...; integers, so that nothing drifts."""

    def __init__(self, begin_ns: int, hop_ns: int) -> None:
        self.hop_ns = hop_ns
        self._last_ns = begin_ns

    @property
    def next_ns(self) -> int:
        """Where the next window ends."""
        return self._last_ns + self.hop_ns

    def change(self, hop_ns: int, now_ns: int) -> None:
        """Go on with another hop; where it is shorter, past windows that would have ended by now but for the last."""
        if hop_ns < self.hop_ns:
            self._last_ns += max(0, (now_ns - self._last_ns) // hop_ns - 1) * hop_ns
        self.hop_ns = hop_ns

    def skip_to(self, time_ns: int) -> int:
        """Leave out the windows that would have ended by `time_ns`, and count them; the grid stays where it was."""
        count = max(0, (time_ns - self._last_ns) // self.hop_ns)
        self._last_ns += count * self.hop_ns
        return count

    def advance(self) -> None:
        """The next window is done."""
        self._last_ns = self.next_ns
