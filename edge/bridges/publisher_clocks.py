"""Clocks of the machines that publish: where several do, that of a session is found by the control ports."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..errors import SourceError, UsageError
from ..wire.addresses import AUTO, OFF, control_address, is_local
from ..wire.clock_offset import ClockOffset, estimate_offset
from ..wire.control_client import ControlClient
from ..wire.control_messages import AskStatus, StatusReply
from ..wire.keys import ClientKeys

SAME_CLOCK = ClockOffset(0, 0, 0)


class PublisherClock(NamedTuple):
    """Clock of the machine of one publisher."""

    control: str | None
    """Address of the control port; None where there is none."""
    is_ours: bool
    """True if the machine is this one."""


def find_clocks(addresses: Sequence[str], controls: Sequence[str]) -> list[PublisherClock]:
    """Return the clock of each address, given the values of `--control`: none, or one for each address.

    UsageError if there are others.
    """
    if len(controls) not in (0, len(addresses)):
        raise UsageError(
            f"{len(controls)} --control for {len(addresses)} --connect; give one for each, {AUTO} for the port after it"
        )
    return [
        PublisherClock(control_address(address, wanted), wanted == OFF or (wanted == AUTO and is_local(address)))
        for address, wanted in zip(addresses, controls or [AUTO] * len(addresses), strict=True)
    ]


@dataclass(frozen=True)
class PublisherClocks:
    """Clocks of all publishers that are subscribed to."""

    clocks: Sequence[PublisherClock]
    keys: ClientKeys | None

    def measure(self, session: str) -> ClockOffset:
        """Return the offset of the clocks of the machine that a session, a proxy's too, publishes from.

        SourceError if no control port knows the session or none answers.
        """
        if all(clock.is_ours for clock in self.clocks):
            return SAME_CLOCK
        clock = self.clocks[0] if len(self.clocks) == 1 else self._find(session)
        if clock.is_ours or clock.control is None:
            return SAME_CLOCK
        return estimate_offset(clock.control, keys=self.keys)

    def _find(self, session: str) -> PublisherClock:
        for clock in self.clocks:
            if clock.control is not None and self._knows(clock.control, session):
                return clock
        tried = " and ".join(str(clock.control) for clock in self.clocks)
        raise SourceError(f"the machine of a session is not known: it is none of those at {tried}; give --control")

    def _knows(self, control: str, session: str) -> bool:
        """Return whether a session is that of the runtime or proxy at a control port; False where none answers."""
        try:
            with ControlClient(control, self.keys) as client:
                return session in client.ask(AskStatus(), StatusReply).about.values()
        except SourceError:
            return False
