"""Offset between the clocks of the publishing machine and those of a subscriber's machine."""

from dataclasses import dataclass
from pathlib import Path

from ..clock import Clock, SystemClock
from ..errors import FoalError
from .control_client import TIMEOUT_S, ControlClient
from .control_messages import AskClock, ClockReply
from .keys import ClientKeys
from .messages import Node

ROUNDS = 8


@dataclass(frozen=True)
class ClockOffset:
    """Publishing machine's clocks less this machine's; clocks drift, so estimate the offset again every few minutes.

    offset = estimate_offset("tcp://robot:5557")
    age_ns = time.monotonic_ns() - offset.ours_mono_ns(prediction.mono_end)
    """

    mono_ns: int
    """CLOCK_MONOTONIC of the publishing machine less that of this machine, in nanoseconds."""
    unix_ns: int
    """Unix time of the publishing machine less that of this machine, in nanoseconds."""
    uncertainty_ns: int
    """Largest possible error of both offsets, in nanoseconds: half of the exchange's round-trip time."""

    def ours_mono_ns(self, theirs_ns: int) -> int:
        """Return a CLOCK_MONOTONIC time of the publishing machine, in nanoseconds, as one of this machine."""
        return theirs_ns - self.mono_ns

    def ours_unix_ns(self, theirs_ns: int) -> int:
        """Return a Unix time of the publishing machine, in nanoseconds, as one of this machine."""
        return theirs_ns - self.unix_ns

    def beside(self, other: "ClockOffset") -> "ClockOffset":
        """Return the offset of the same clocks to those of another machine, given the offset of that one's clocks."""
        uncertainty_ns = self.uncertainty_ns + other.uncertainty_ns
        return ClockOffset(self.mono_ns - other.mono_ns, self.unix_ns - other.unix_ns, uncertainty_ns)

    def through(self, node: Node) -> "ClockOffset":
        """Return the offset of a node's clocks to this machine, given that this is the offset of the proxy's clocks.

            offset = estimate_offset("tcp://proxy:5557").through(prediction.node)
            age_ns = time.monotonic_ns() - offset.ours_mono_ns(prediction.mono_end)

        Raises FoalError if the proxy has not measured the node's clocks.
        """
        if node.mono_offset_ns is None or node.unix_offset_ns is None or node.uncertainty_ns is None:
            raise FoalError(f"the proxy has not measured the clocks of {node.name}; does it reach its control port?")
        return ClockOffset(
            self.mono_ns + node.mono_offset_ns,
            self.unix_ns + node.unix_offset_ns,
            self.uncertainty_ns + node.uncertainty_ns,
        )


def estimate_offset(
    control_address: str,
    rounds: int = ROUNDS,
    keys: ClientKeys | Path | str | None = None,
    timeout_s: float = TIMEOUT_S,
    clock: Clock | None = None,
) -> ClockOffset:
    """Estimate the clock offset of a running foal-edge, as NTP does, from the quickest of several exchanges.

    Raises SourceError if nothing answers at the control port within `timeout_s`.
    """
    ours = clock or SystemClock()
    with ControlClient(control_address, keys, timeout_s) as control:
        return min((exchange(control, ours) for _ in range(rounds)), key=lambda offset: offset.uncertainty_ns)


def exchange(control: ControlClient, clock: Clock) -> ClockOffset:
    """Return the offset measured by one request, assuming that request and reply travel for the same time."""
    sent_ns = clock.now_ns()
    reply = control.ask(AskClock(), ClockReply)
    received_ns = clock.now_ns()
    round_trip_ns = (received_ns - sent_ns) - (reply.mono_ns - reply.received_mono_ns)
    mono_ns = (reply.received_mono_ns - sent_ns + reply.mono_ns - received_ns) // 2
    unix_ns = reply.unix_ns - clock.unix_ns(reply.mono_ns - mono_ns)
    return ClockOffset(mono_ns, unix_ns, (round_trip_ns + 1) // 2)
