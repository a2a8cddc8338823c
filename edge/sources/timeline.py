"""A recording's own clock, which may start again or jump, laid out as one line of time for all of its tracks."""

from dataclasses import dataclass, field
from typing import Any

import av

from ..clock import SECOND_NS

LARGEST_STEP_BACK_NS = SECOND_NS // 2
"""A track whose times go back by less overlaps itself; by more, its clock has started again."""
LARGEST_STEP_AHEAD_NS = 30 * SECOND_NS
"""Where no track has anything for longer, the clock has jumped: nobody waits for hours for what comes next."""
LARGEST_LEAD_NS = SECOND_NS
"""By so much at most one track is stored ahead of the others where the clock jumps."""


@dataclass(frozen=True)
class Stretch:
    """From one jump of the clock to the next."""

    shift_ns: int
    """Added to the clock's times."""
    begin_ns: int = 0
    """On the line of time: where what was before has ended."""


@dataclass
class Position:
    """How far one track has come, on the line of time."""

    stretch: int = 0
    stored_ns: int = 0
    """Decoding time of its last packet: presentation times are not in order."""


@dataclass
class Timeline:
    """Follows the packets of all tracks in the order in which they are stored.

    It depends on nothing else, so that whoever reads one track of a file lays it out as whoever reads another.
    """

    stretches: list[Stretch]
    is_sought: bool = False
    """Whether what is read begins somewhere in the file."""
    clock_ns: int = 0
    """The latest time that the clock has shown, from its first start on."""
    reached_ns: int = 0
    """The end of all that has come so far, on the line of time."""
    _positions: dict[int, Position] = field(default_factory=dict)

    def follow(self, packet: "av.Packet[Any]") -> int:
        """The number of the stretch that a packet lies on: its track's, or one after it where its clock has jumped."""
        is_first = packet.stream_index not in self._positions
        position = self._positions.setdefault(packet.stream_index, Position())
        if packet.is_discard:  # decoded for what builds on it alone: it lies before the beginning
            return position.stretch
        if packet.dts is not None:
            stored_ns = to_clock_ns(packet.dts, packet)
            if not (is_first and self.is_sought):
                position.stretch = self._stretch_of(stored_ns, position)
            position.stored_ns = stored_ns + self.stretches[position.stretch].shift_ns
        ticks = packet.dts if packet.pts is None else packet.pts
        if ticks is not None:
            end_ns = to_clock_ns(ticks + (packet.duration or 0), packet)
            self.reached_ns = max(self.reached_ns, end_ns + self.stretches[position.stretch].shift_ns)
            self.clock_ns = max(self.clock_ns, end_ns + self.stretches[0].shift_ns)
        return position.stretch

    def end_ns(self, number: int) -> int | None:
        """Where a stretch ends; None while it lasts."""
        return self.stretches[number + 1].begin_ns if number + 1 < len(self.stretches) else None

    def _stretch_of(self, stored_ns: int, position: Position) -> int:
        """The first stretch, from the track's own on, on which a time follows what was before, or a new one.

        A track that goes on past the end of its own has jumped with the others by too little to be seen, or another
        jumped for a moment alone.
        """
        lies_ns = [stored_ns + stretch.shift_ns for stretch in self.stretches]
        earliest_ns = position.stored_ns - LARGEST_STEP_BACK_NS
        latest_ns = max(self.reached_ns, position.stored_ns) + LARGEST_STEP_AHEAD_NS
        numbers = range(position.stretch, len(self.stretches))
        fitting = [number for number in numbers if earliest_ns <= lies_ns[number] <= latest_ns]
        for number in fitting:
            lies_there_too = any(
                abs(lies_ns[n] - lies_ns[number]) < LARGEST_STEP_BACK_NS for n in fitting if n > number
            )
            end_ns = self.end_ns(number)
            lead_ns = 0 if lies_there_too else LARGEST_LEAD_NS
            if end_ns is None or lies_ns[number] < end_ns + lead_ns:
                return number
        if fitting:
            return fitting[0]
        self.stretches.append(Stretch(self.reached_ns - stored_ns, self.reached_ns))
        return len(self.stretches) - 1


def to_clock_ns(ticks: int, packet: "av.Packet[Any]") -> int:
    """A time of a packet's track in nanoseconds."""
    return ticks * packet.time_base.numerator * SECOND_NS // packet.time_base.denominator
