"""Times of messages as a person reads them: by the clock, or by the place in a recording."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..wire.messages import BasePrediction, Message, Stats, SteadyState


@dataclass(frozen=True)
class Times:
    """Writer of the time that each message stands for."""

    begin_ns: Mapping[str, int] = field(default_factory=dict)
    """Time at which each recorded stream began, in ns of `mono_end`, by the stream's name; the others have a clock."""

    def of(self, message: Message) -> str:
        """Return a message's time: `0:03.8` in a recording, `14:02:07.4` by this machine's clock elsewhere."""
        unix_ns, mono_ns = moment(message)
        begin_ns = self._begin_ns(message)
        return clock_time(unix_ns) if begin_ns is None else position(mono_ns - begin_ns)

    def place_ns(self, message: Message) -> int | None:
        """Return a message's place in its recording; None where its stream has none."""
        begin_ns = self._begin_ns(message)
        return None if begin_ns is None else moment(message)[1] - begin_ns

    def _begin_ns(self, message: Message) -> int | None:
        if isinstance(message, Stats):
            begins = set(self.begin_ns.values())
            return begins.pop() if len(begins) == 1 else None
        return self.begin_ns.get(message.stream)


def moment(message: Message) -> tuple[int, int]:
    """Return the time that a message stands for, in ns of Unix time and of CLOCK_MONOTONIC.

    The Unix time of a message that came through a proxy is that of the proxy's machine.
    """
    ahead_ns = (message.node.unix_offset_ns or 0) if message.node else 0
    if isinstance(message, BasePrediction):
        return message.t_end - ahead_ns, message.mono_end
    if isinstance(message, SteadyState):
        return message.t_since - ahead_ns, message.mono_since
    return message.t_publish - ahead_ns, message.mono_publish


def clock_time(unix_ns: int) -> str:
    """Return a time of day of this machine, `14:02:07.4`."""
    seconds, rest_ns = divmod(unix_ns, 1_000_000_000)
    return f"{time.strftime('%H:%M:%S', time.localtime(seconds))}.{rest_ns // 100_000_000}"


def position(ns: int) -> str:
    """Return a place in a recording, `0:03.8` or, from an hour on, `1:02:03.8`."""
    tenths = max(0, ns) // 100_000_000
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{rest // 10:02}.{rest % 10}"
    return f"{hours}:{minutes:02}:{seconds}" if hours else f"{minutes}:{seconds}"
