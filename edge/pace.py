"""`--hop auto`: stretches the hop to what the machine sustains, and takes it back when there is room again.

Nothing here reads a clock. A machine's load is that of its frames, which no hop changes, and that of its windows, which
goes with 1 / hop. Only their sum is known: coming back, all of it is taken for the windows', so that too much is
never predicted too little.
"""

from .clock import SECOND_NS

MOST_NS = 4 * SECOND_NS
"""The hop is not stretched beyond this."""
STRETCH = 1.5
"""What one step of stretching multiplies the hop by."""
OVERLOAD = 0.9
"""Share of the time worked above which the hop is stretched, even if nothing has been dropped yet."""
AIM = 0.75
"""Share of the time worked at most, as predicted, at the hop that is come back to; well below `OVERLOAD`, so that what
is taken back is not stretched again."""
CALM_NS = 10 * SECOND_NS
"""So long nothing must be dropped before the hop is shortened."""
JUDGED_HOPS = 8
"""A share of time is taken over at least so many windows: over one or two it depends on where they happen to lie."""
WORTHWHILE = 1.1
"""The hop is not shortened by a smaller factor than this, unless to the one wanted."""


class Pace:
    """The hop of a run."""

    def __init__(self, wanted_ns: int, adapt: bool) -> None:
        self.hop_ns = wanted_ns
        """Now in force."""
        self._wanted_ns, self._most_ns, self._adapt = wanted_ns, max(wanted_ns, MOST_NS), adapt
        self._since_ns: int | None = None
        self._updated_ns, self._worked_ns, self._late = 0, 0.0, 0

    def update(self, now_ns: int, busy: float, late: int) -> bool:
        """Called about once a second; whether the hop has changed.

        `busy` is the share (0 to 1) of the time since the last call in which the inferring thread worked, `late` how
        many frames and windows have been dropped for overload since the start.
        """
        if not self._adapt:
            return False
        dropped, self._late = late - self._late, late
        if self._since_ns is None:  # what warming up has cost is no measure
            self._begin(now_ns)
            return False
        self._worked_ns += busy * (now_ns - self._updated_ns)
        self._updated_ns = now_ns
        hop_ns = self._judge(now_ns - self._since_ns, dropped > 0)
        if hop_ns is None:
            return False
        changed, self.hop_ns = hop_ns != self.hop_ns, hop_ns
        self._begin(now_ns)
        return changed

    def _begin(self, now_ns: int) -> None:
        self._since_ns = self._updated_ns = now_ns
        self._worked_ns = 0.0

    def _judge(self, span_ns: int, dropping: bool) -> int | None:
        """The hop that follows from what was worked in `span_ns`; None where it is too early to say."""
        if span_ns < self.hop_ns:
            return None  # what the last hop has left is still being worked off
        stretched_ns = min(self._most_ns, round(self.hop_ns * STRETCH))
        if dropping:
            return stretched_ns
        if span_ns < JUDGED_HOPS * self.hop_ns:
            return None
        busy = self._worked_ns / span_ns
        if busy > OVERLOAD:
            return stretched_ns
        if span_ns < CALM_NS:
            return None
        aimed_ns = max(self._wanted_ns, round(self.hop_ns * busy / AIM))
        worthwhile = aimed_ns == self._wanted_ns or aimed_ns * WORTHWHILE <= self.hop_ns
        return min(aimed_ns, self.hop_ns) if worthwhile else self.hop_ns
