"""Video track of a file: decoded frames with their times."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import av

from ..clock import to_ns
from ..errors import SourceError
from ..preprocess.media import LARGEST_SIDE_PX, Discontinuity
from ..preprocess.windowing import FrameGrid
from .decoder_threads import decode_in_one_thread
from .decoding import Decoder
from .defects import Defects
from .image_conversion import DecodedImage, ImageConverter
from .sparse_decoding import SparseDecoder, can_be_sparse

DEFAULT_RATE_HZ = 25.0
"""Frame rate of a file that states neither timestamps nor a rate."""
TS_DISCONT = 0x200
"""FFmpeg's flag AVFMT_TS_DISCONT: a format whose clock may restart, so that it cannot be sought by time."""


class TimedImage(NamedTuple):
    """Image and its presentation time."""

    image: DecodedImage
    time_ns: int


class VideoTrack:
    """Iterable over the frames of one file's video track."""

    def __init__(
        self,
        container: av.container.InputContainer,
        stream: av.VideoStream,
        defects: Defects,
        grid: FrameGrid | None = None,
        *,
        from_ns: int = 0,
    ) -> None:
        """Begin at about `from_ns` if the file can be sought by time, else at its first frame.

        With a grid, the frames are read in real time: where one core keeps up it is not divided among threads, and
        frames that the grid does not select are left out where that is possible.
        """
        self._name = defects.name
        if grid is None or not decode_in_one_thread(stream):
            stream.thread_type = "AUTO"
        self._converter = ImageConverter(stream)
        self._clock = "dts" if container.format.name == "avi" else "pts"
        self._delay = decoder_delay(container, stream) if self._clock == "dts" else 0
        is_sought = from_ns > 0 and stream.start_time is not None and not container.format.flags & TS_DISCONT
        if is_sought:
            container.seek(from_ns // 1000 + (container.start_time or 0))
        self._period_ns = to_ns(1 / float(stream.average_rate or DEFAULT_RATE_HZ))
        self._decoder = (
            SparseDecoder(container, stream, defects, grid, self._ticks)
            if grid is not None and can_be_sparse(container, stream)
            else Decoder[av.VideoFrame](container, stream, defects, is_sought=is_sought)
        )

    def __iter__(self) -> Iterator[TimedImage | Discontinuity]:
        """Yield frames in the order of their times, and a discontinuity where the file's clock jumps."""
        segment, begin_ns, last_ns = 0, 0, -self._period_ns
        for decoded in self._decoder:
            if decoded.segment != segment:
                segment, begin_ns = decoded.segment, self._decoder.begin_ns(decoded.segment)
                last_ns = begin_ns - self._period_ns
                yield Discontinuity(begin_ns)
            if decoded.frame is None:
                continue
            self._check_size(decoded.frame)
            stamped_ns = self._decoder.time_ns(self._ticks(decoded.frame), segment)
            time_ns = last_ns + self._period_ns if stamped_ns is None else stamped_ns
            end_ns = self._decoder.end_ns(segment)
            if time_ns >= last_ns and (segment == 0 or time_ns >= begin_ns) and (end_ns is None or time_ns < end_ns):
                last_ns = time_ns
                yield TimedImage(self._converter.last(decoded.frame), time_ns)

    def _ticks(self, item: "av.VideoFrame | av.Packet[Any]") -> int | None:
        """Return the presentation time of a frame or its packet, in ticks of the track.

        None where there is none: a raw stream has no timestamps, and the last frames out of a decoder have no DTS.
        """
        ticks: int | None = getattr(item, self._clock)
        return None if ticks is None else ticks - self._delay

    def _check_size(self, frame: av.VideoFrame) -> None:
        """Raise SourceError if a frame is larger than supported, before it is converted."""
        if max(frame.width, frame.height) > LARGEST_SIDE_PX:
            raise SourceError(
                f"{self._name} has frames of {frame.width}x{frame.height} pixels; at most {LARGEST_SIDE_PX} a side "
                "are supported; scale it down"
            )


def decoder_delay(container: av.container.InputContainer, stream: av.VideoStream) -> int:
    """Return the delay of decoding times behind presentation times, in ticks of the track; rewinds the file.

    AVI has no presentation times, and FFmpeg's guesses are out of order for frames stored out of order. Decoding times
    are in order, and late by as much as the first frame's.
    """
    decoder = Decoder[av.VideoFrame](container, stream, Defects(container.name, warn=ignore))
    first = next((decoded.frame for decoded in decoder if decoded.frame), None)
    container.seek(0)
    return 0 if first is None or first.dts is None else first.dts - (stream.start_time or 0)


def ignore(_: str) -> None:
    """Ignore a warning: it is given when the track is read."""
