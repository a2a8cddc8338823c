"""Decoder of a video track that leaves out pictures that a grid does not select, where no other picture needs them."""

from collections.abc import Callable
from typing import Any

import av

from ..preprocess.windowing import FrameGrid
from .decoding import Decoder
from .defects import Defects

MARKED = {"h264", "mpeg1video", "mpeg2video"}
"""Codecs whose pictures say whether any other refers to them: FFmpeg leaves out exactly those that none refers to.

Not HEVC, where pictures of a higher layer may refer to them all the same, nor VP8, whose pictures pass on a map of
segments, nor MPEG-4, of which AVI's heirs keep two pictures in one packet.
"""
INTRA_ONLY = {"dnxhd", "mjpeg", "prores"}
"""Codecs none of whose pictures refers to another."""
MAX_SLOTS = 32
"""Largest number of slots remembered: more than the frames that a decoder holds back can span."""

Ticks = Callable[["av.Packet[Any] | av.VideoFrame"], int | None]
"""Function that returns the timestamp by which a frame will be judged, from its packet; None if it has none."""


def can_be_sparse(container: av.container.InputContainer, stream: av.VideoStream) -> bool:
    """Return whether pictures can be left out, and told by their packets; AVI tells only those stored in order."""
    name = stream.codec_context.name
    return name in INTRA_ONLY or (name in MARKED and container.format.name != "avi")


class SparseDecoder(Decoder[av.VideoFrame]):
    """Decoder that leaves out a picture if an earlier one of its slot of the grid was decoded without an error.

    The frames that the grid selects are those of a decoder of everything. Nothing is left out before the decoder has
    given its first frame, nor from the first packet without a time or the first interlaced frame on: either field may
    be a packet of its own.
    """

    def __init__(
        self,
        container: av.container.InputContainer,
        stream: av.VideoStream,
        defects: Defects,
        grid: FrameGrid,
        ticks: Ticks,
    ) -> None:
        super().__init__(container, stream, defects)
        self._codec, self._grid, self._ticks = stream.codec_context, grid, ticks
        self._is_intra_only = stream.codec_context.name in INTRA_ONLY
        self._is_possible = True
        """False once pictures can no longer be told by their packets."""
        self._segment = 0
        self._has_given = False
        """True once the decoder has given a frame of this segment."""
        self._earliest_ns: dict[int, int] = {}
        """Time of the earliest picture decoded, by slot."""

    def _frames(self, packet: "av.Packet[Any] | None", segment: int) -> list[av.VideoFrame]:
        """Return the frames that a packet completes; none if it is left out."""
        if packet is None or segment != self._segment:
            self._segment, self._has_given = segment, False
            self._earliest_ns.clear()
        if packet is None:
            return super()._frames(None, segment)
        time_ns = self.time_ns(self._ticks(packet), segment)
        self._is_possible = self._is_possible and time_ns is not None
        slot = 0 if time_ns is None else self._grid.slot(time_ns)
        is_needed = not self._is_possible or time_ns is None or time_ns <= self._earliest_ns.get(slot, time_ns)
        if self._is_intra_only and not is_needed:
            return []
        self._codec.skip_frame = "DEFAULT" if is_needed else "NONREF"
        frames = super()._frames(packet, segment)
        if is_needed and time_ns is not None and self._has_given and not (packet.is_discard or packet.is_corrupt):
            self._remember(slot, time_ns)
        self._has_given = self._has_given or bool(frames)
        self._is_possible = self._is_possible and not any(frame.interlaced_frame for frame in frames)
        return frames

    def _remember(self, slot: int, time_ns: int) -> None:
        """Remember a decoded picture, unless it lies before its segment, whose beginning leaves it out."""
        if self._segment and time_ns < self.begin_ns(self._segment):
            return
        self._earliest_ns[slot] = time_ns
        if len(self._earliest_ns) > MAX_SLOTS:
            del self._earliest_ns[min(self._earliest_ns)]
