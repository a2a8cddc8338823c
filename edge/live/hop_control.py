"""Control of the hop (`--hop auto`): stretched to what the machine sustains, shortened again where there is room.

Nothing here reads a clock. A machine's load is that of its frames, which no hop changes, and that of its windows, which
goes with 1 / hop. Only their sum is known: for a shorter hop all of it is taken to be the windows', so that the
load is never underestimated.
"""

from ..clock import SECOND_NS

MOST_NS = 4 * SECOND_NS
"""Longest hop to stretch to."""
STRETCH = 1.5
"""Factor of one stretch."""
OVERLOAD = 0.9
"""Load above which the hop is stretched, even if nothing has been dropped yet. Loads are shares of time, 0 to 1."""
AIM = 0.75
"""Predicted load for which the hop is shortened; well below `OVERLOAD`, so that the shorter hop lasts."""
WORTHWHILE = 1.1
"""Least factor by which the hop is shortened, unless to the one wanted."""
CALM_NS = 10 * SECOND_NS
"""Time without overload after which the hop is shortened."""
LONGEST_CALM_NS = 160 * SECOND_NS
"""Longest such time: a shortening that lasts for less than this makes the next one wait `LONGER` times as long."""
LONGER = 4
JUDGED_HOPS = 8
"""Number of hops over which a load is measured, at least: over one or two it depends on where the windows lie."""


class HopControl:
    """Controller of the hop of one run."""

    def __init__(self, wanted_ns: int, adapt: bool) -> None:
        self.hop_ns = wanted_ns
        """Hop in force."""
        self._wanted_ns, self._most_ns, self._adapt = wanted_ns, max(wanted_ns, MOST_NS), adapt
        self._calm_ns, self._shortened = CALM_NS, False
        self._changed_ns = self._updated_ns = 0
        self._late: int | None = None
        self._span_ns, self._worked_ns, self._drops = 0, 0.0, 0

    def update(self, now_ns: int, busy: float, late: int) -> bool:
        """Take the load of about one second; return whether the hop has changed.

        `busy` is the share (0 to 1) of the time since the last call in which the inferring thread worked, `late` how
        many frames and windows have been dropped for overload since the start.
        """
        if not self._adapt:
            return False
        if self._late is None:  # what warming up has cost is no measure
            self._late, self._changed_ns, self._updated_ns = late, now_ns, now_ns
            return False
        dropping, self._late = late > self._late, late
        self._span_ns += now_ns - self._updated_ns
        self._worked_ns += busy * (now_ns - self._updated_ns)
        self._updated_ns = now_ns
        if self._is_overloaded(busy, dropping):
            return self._stretch(now_ns)
        return self._span_ns >= max(CALM_NS, JUDGED_HOPS * self.hop_ns) and self._shorten(now_ns)

    def _is_overloaded(self, busy: float, dropping: bool) -> bool:
        if self._span_ns < self.hop_ns:
            return False  # what the last hop has left is still being worked off
        self._drops += dropping
        if dropping and (busy > OVERLOAD or self._drops > 1):  # else one alone is a hiccup
            return True
        return self._span_ns >= JUDGED_HOPS * self.hop_ns and self._worked_ns > OVERLOAD * self._span_ns

    def _stretch(self, now_ns: int) -> bool:
        if self._shortened:
            lasted = now_ns - self._changed_ns >= LONGEST_CALM_NS
            self._calm_ns = CALM_NS if lasted else min(LONGEST_CALM_NS, self._calm_ns * LONGER)
        self._shortened = False
        return self._take(min(self._most_ns, round(self.hop_ns * STRETCH)), now_ns)

    def _shorten(self, now_ns: int) -> bool:
        """Shorten, after a time without overload, to the hop for which the load is predicted to be `AIM`."""
        aimed_ns = max(self._wanted_ns, round(self.hop_ns * self._worked_ns / self._span_ns / AIM))
        worthwhile = aimed_ns * WORTHWHILE <= self.hop_ns or aimed_ns == self._wanted_ns < self.hop_ns
        if now_ns - self._changed_ns < self._calm_ns or not worthwhile:
            return self._take(self.hop_ns, now_ns)
        self._shortened = True
        return self._take(aimed_ns, now_ns)

    def _take(self, hop_ns: int, now_ns: int) -> bool:
        """Continue with a hop and restart the measurement; return whether the hop is another one."""
        self._span_ns, self._worked_ns, self._drops = 0, 0.0, 0
        if hop_ns == self.hop_ns:
            return False
        self.hop_ns, self._changed_ns = hop_ns, now_ns
        return True
