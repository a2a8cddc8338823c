"""How far the publishing machine's clocks are ahead of this one's, for subscribers elsewhere."""

from dataclasses import dataclass
from pathlib import Path

from ..clock import Clock, SystemClock
from .control_client import TIMEOUT_S, ControlClient
from .control_messages import AskClock, ClockReply
from .keys import ClientKeys

ROUNDS = 8


@dataclass(frozen=True)
class ClockOffset:
    """Theirs less ours, as of the quickest of several exchanges; clocks drift, so estimate anew every few minutes.

    offset = estimate_offset("tcp://robot:5557")
    age_ns = time.monotonic_ns() - offset.ours_mono_ns(prediction.mono_end)
    """

    mono_ns: int
    """CLOCK_MONOTONIC of the publishing machine, less that of this one."""
    unix_ns: int
    """Its unix time, less that of this one."""
    uncertainty_ns: int
    """The truth is at most this far from both: half of the time that the exchange was under way."""

    def ours_mono_ns(self, theirs_ns: int) -> int:
        """One of its `mono` times as this machine's."""
        return theirs_ns - self.mono_ns

    def ours_unix_ns(self, theirs_ns: int) -> int:
        """One of its unix times as this machine's."""
        return theirs_ns - self.unix_ns


def estimate_offset(
    control_address: str,
    rounds: int = ROUNDS,
    keys: ClientKeys | Path | str | None = None,
    timeout_s: float = TIMEOUT_S,
    clock: Clock | None = None,
) -> ClockOffset:
    """Ask a running foal-edge for its clocks, as NTP does. SourceError where nothing answers."""
    ours = clock or SystemClock()
    with ControlClient(control_address, keys, timeout_s) as control:
        return min((exchange(control, ours) for _ in range(rounds)), key=lambda offset: offset.uncertainty_ns)


def exchange(control: ControlClient, clock: Clock) -> ClockOffset:
    """One question and its answer: the middle of both ways, as if they took the same time."""
    sent_ns = clock.now_ns()
    reply = control.ask(AskClock(), ClockReply)
    got_ns = clock.now_ns()
    under_way_ns = (got_ns - sent_ns) - (reply.mono_ns - reply.received_mono_ns)
    mono_ns = (reply.received_mono_ns - sent_ns + reply.mono_ns - got_ns) // 2
    unix_ns = reply.unix_ns - clock.unix_ns(reply.mono_ns - mono_ns)
    return ClockOffset(mono_ns, unix_ns, (under_way_ns + 1) // 2)
