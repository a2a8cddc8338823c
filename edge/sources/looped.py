"""Playback of a recording again and again, with times that go on."""

from collections.abc import Iterator, Sequence
from itertools import count

from msgspec.structs import replace

from ..clock import SECOND_NS, to_ns
from ..errors import SourceError
from ..preprocess.media import Discontinuity, Frame, Media
from .base import Recording
from .caption import Caption


class Looped:
    """Recording that begins again at its end, without end.

    Each pass begins a new time line: no window joins the end of the recording with its beginning.
    """

    def __init__(self, recording: Recording, frames_hz: float) -> None:
        """`frames_hz` is the rate of the frames: the last one is shown for as long as the others."""
        self.name = recording.name
        self._recording, self._frame_ns = recording, round(SECOND_NS / frames_hz)

    def read(self) -> Iterator[Media]:
        """Yield the media of all passes in the order of their times. Raises SourceError where a pass has none."""
        begin_ns = 0
        while True:
            end_ns = 0
            for item in self._recording.read():
                end_ns = max(end_ns, item.end_ns + (self._frame_ns if isinstance(item, Frame) else 0))
                yield replace(item, end_ns=begin_ns + item.end_ns)
            if not end_ns:
                raise SourceError(f"{self.name} has nothing to play again; give --loop with a file that can be reread")
            begin_ns += end_ns
            yield Discontinuity(begin_ns)


def looped_captions(captions: Sequence[Caption], duration_s: float) -> Iterator[Caption]:
    """Yield the captions of a looped recording of `duration_s` seconds, without end."""
    for index in count():
        for caption in captions:
            yield replace(caption, time_ns=caption.time_ns + index * to_ns(duration_s))
