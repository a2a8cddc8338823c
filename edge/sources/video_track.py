"""The pictures of a file: decoded, each with its time."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import av

from ..clock import to_ns
from ..errors import SourceError
from ..preprocess.framing import Image
from ..preprocess.media import LARGEST_SIDE_PX, Discontinuity
from .decoding import Decoder
from .defects import Defects
from .image_conversion import PixelAspect, to_rgb

UNSAID_RATE_HZ = 25.0
"""Of pictures in a file that says neither their times nor their rate."""
TS_DISCONT = 0x200
"""FFmpeg's AVFMT_TS_DISCONT: a format whose clock may start again, so that no time can be sought in it."""

Pixels = Callable[[], Image]
"""A decoded picture, converted where it is wanted."""


class Shown(NamedTuple):
    """A picture and when it is shown."""

    image: Pixels
    time_ns: int


class Film:
    """One file's picture track."""

    def __init__(
        self, container: av.container.InputContainer, stream: av.VideoStream, remarks: Defects, from_ns: int = 0
    ) -> None:
        """From about `from_ns` where the file can be sought in, else from its first picture."""
        self._name = remarks.name
        stream.thread_type = "AUTO"
        self._aspect = PixelAspect(stream)
        self._clock = "dts" if container.format.name == "avi" else "pts"
        self._delay = decoder_delay(container, stream) if self._clock == "dts" else 0
        is_sought = from_ns > 0 and stream.start_time is not None and not container.format.flags & TS_DISCONT
        if is_sought:
            container.seek(from_ns // 1000 + (container.start_time or 0))
        self._period_ns = to_ns(1 / float(stream.average_rate or UNSAID_RATE_HZ))
        self._decoder = Decoder[av.VideoFrame](container, stream, remarks, is_sought=is_sought)

    def __iter__(self) -> Iterator[Shown | Discontinuity]:
        """Its pictures in the order of their times, and discontinuities where the file's clock jumps."""
        stretch, begin_ns, last_ns = 0, 0, -self._period_ns
        for decoded in self._decoder:
            if decoded.stretch != stretch:
                stretch, begin_ns = decoded.stretch, self._decoder.begin_ns(decoded.stretch)
                last_ns = begin_ns - self._period_ns
                yield Discontinuity(begin_ns)
            if decoded.frame is None:
                continue
            self._check_size(decoded.frame)
            ticks = getattr(decoded.frame, self._clock)
            # A raw stream tells no times, and the last pictures that leave a decoder have no decoding time.
            said_ns = self._decoder.time_ns(None if ticks is None else ticks - self._delay, stretch)
            time_ns = last_ns + self._period_ns if said_ns is None else said_ns
            end_ns = self._decoder.end_ns(stretch)
            if time_ns >= last_ns and (stretch == 0 or time_ns >= begin_ns) and (end_ns is None or time_ns < end_ns):
                last_ns = time_ns
                yield Shown(partial(to_rgb, decoded.frame, self._aspect.now()), time_ns)

    def _check_size(self, frame: av.VideoFrame) -> None:
        """SourceError where a picture is larger than any that is taken, before it is converted."""
        if max(frame.width, frame.height) > LARGEST_SIDE_PX:
            raise SourceError(
                f"{self._name} has a picture of {frame.width}x{frame.height} pixels, at most {LARGEST_SIDE_PX} a side "
                "are taken; make it smaller"
            )


def decoder_delay(container: av.container.InputContainer, stream: av.VideoStream) -> int:
    """By how many ticks a decoding time is behind the time of the picture that it yields; rewinds the file.

    AVI has no presentation times. What is made up for pictures that are stored out of order is out of order itself;
    decoding times are in order, and late by what the first picture shows.
    """
    decoder = Decoder[av.VideoFrame](container, stream, Defects(container.name, say=say_nothing))
    first = next((decoded.frame for decoded in decoder if decoded.frame), None)
    container.seek(0)
    return 0 if first is None or first.dts is None else first.dts - (stream.start_time or 0)


def say_nothing(_: str) -> None:
    """What is wrong is said where the track is read."""
