"""Timeline of a recording: timestamps that restart or jump are mapped to one monotonic time for all tracks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import av

from ..clock import SECOND_NS

LARGEST_STEP_BACK_NS = SECOND_NS // 2
"""Step back up to which a track overlaps itself; a larger one means that its clock has restarted."""
MOST_REORDERED = 4
"""Packets by which FFmpeg's guess at a decoding time may step back where a file has none, as Matroska, for pictures
that are stored out of order: seconds, where they are slow."""
LARGEST_STEP_AHEAD_NS = 30 * SECOND_NS
"""Step ahead up to which there is a gap; a larger one, without media in any track, is a jump of the clock."""
LARGEST_LEAD_NS = SECOND_NS
"""Longest time by which one track is interleaved ahead of the others at a jump of the clock."""


@dataclass(frozen=True)
class Segment:
    """Stretch of time from one jump of the file's clock to the next."""

    shift_ns: int
    """Offset added to timestamps, in ns."""
    begin_ns: int = 0
    """Begin on the timeline, in ns: the end of the previous segment."""


class TrackClock:
    """Clock of one track: its time base in integers, as a fraction costs more than all else done with a packet."""

    def __init__(self, time_base: Fraction) -> None:
        self._numerator_ns, self._denominator = time_base.numerator * SECOND_NS, time_base.denominator

    def time_ns(self, ticks: int) -> int:
        """Return a timestamp as nanoseconds."""
        return ticks * self._numerator_ns // self._denominator


@dataclass
class Position:
    """Position of one track on the timeline."""

    clock: TrackClock
    segment: int = 0
    """Index of the segment that the track is on."""
    stored_ns: int = 0
    """Decoding time of the last packet; presentation times are not in order."""
    is_reordered: bool = False
    """True if packets are stored in another order than they are presented in."""

    def largest_step_back_ns(self, duration: int) -> int:
        """Return the step back, by a packet that lasts so many ticks, up to which the track overlaps itself."""
        reordered_ns = MOST_REORDERED * self.clock.time_ns(duration) if self.is_reordered else 0
        return max(LARGEST_STEP_BACK_NS, reordered_ns)


@dataclass
class Timeline:
    """Assignment of packets to segments, from the packets of all tracks in the order in which they are stored.

    The result depends on nothing else, so that readers of different tracks of a file agree on the same timeline.
    """

    segments: list[Segment]
    """Segments found so far, the first one given."""
    is_sought: bool = False
    """True if reading began after a seek, not at the begin of the file."""
    clock_ns: int = 0
    """Latest timestamp of the file's clock, in ns, with the offset of the first segment."""
    reached_ns: int = 0
    """End of all packets so far on the timeline, in ns."""
    _positions: dict[int, Position] = field(default_factory=dict)

    def follow(self, packet: "av.Packet[Any]") -> int:
        """Return the index of a packet's segment: its track's current one, or a later one if the clock has jumped."""
        position = self._positions.get(packet.stream_index)
        is_first = position is None
        if position is None:
            position = self._positions[packet.stream_index] = Position(TrackClock(packet.time_base))
        if packet.is_discard:  # decoded only as a reference for later frames: it lies before the begin
            return position.segment
        dts, pts, duration = packet.dts, packet.pts, packet.duration or 0
        if pts != dts:
            position.is_reordered = True
        if dts is not None:
            stored_ns = position.clock.time_ns(dts)
            # Pictures that are stored out of order are decoded from before the begin on, slow ones from seconds before.
            is_ahead = stored_ns + self.segments[0].shift_ns < 0 and self.reached_ns <= LARGEST_LEAD_NS
            if not (is_first and (self.is_sought or is_ahead)):
                position.segment = self._segment_of(stored_ns, duration, position)
            position.stored_ns = stored_ns + self.segments[position.segment].shift_ns
        ticks = dts if pts is None else pts
        if ticks is not None:
            end_ns = position.clock.time_ns(ticks + duration)
            self.reached_ns = max(self.reached_ns, end_ns + self.segments[position.segment].shift_ns)
            self.clock_ns = max(self.clock_ns, end_ns + self.segments[0].shift_ns)
        return position.segment

    def end_ns(self, number: int) -> int | None:
        """Return the end of a segment, in ns; None while it lasts."""
        return self.segments[number + 1].begin_ns if number + 1 < len(self.segments) else None

    def _segment_of(self, stored_ns: int, duration: int, position: Position) -> int:
        """Return the first segment, from the track's current one, that a decoding time fits, or append a new one.

        A track that continues past the end of its segment has jumped with the others by too little to notice, or
        another track alone jumped for a moment.
        """
        earliest_ns = position.stored_ns - LARGEST_STEP_BACK_NS
        latest_ns = max(self.reached_ns, position.stored_ns) + LARGEST_STEP_AHEAD_NS
        is_on_last = position.segment == len(self.segments) - 1
        if is_on_last and earliest_ns <= stored_ns + self.segments[-1].shift_ns <= latest_ns:
            return position.segment
        earliest_ns = position.stored_ns - position.largest_step_back_ns(duration)
        mapped_ns = {
            number: stored_ns + self.segments[number].shift_ns for number in range(position.segment, len(self.segments))
        }
        fitting = [number for number, time_ns in mapped_ns.items() if earliest_ns <= time_ns <= latest_ns]
        if len(fitting) > 1:
            return self._earliest_of(fitting, mapped_ns)
        if fitting:
            return fitting[0]
        self.segments.append(Segment(self.reached_ns - stored_ns, self.reached_ns))
        return len(self.segments) - 1

    def _earliest_of(self, fitting: Sequence[int], mapped_ns: Mapping[int, int]) -> int:
        """Return the first of several segments that a time lies in, or in the lead after it if no later one fits."""
        for number in fitting:
            fits_later_too = any(
                abs(mapped_ns[n] - mapped_ns[number]) < LARGEST_STEP_BACK_NS for n in fitting if n > number
            )
            end_ns = self.end_ns(number)
            lead_ns = 0 if fits_later_too else LARGEST_LEAD_NS
            if end_ns is None or mapped_ns[number] < end_ns + lead_ns:
                return number
        return fitting[0]
