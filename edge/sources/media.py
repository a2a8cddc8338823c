"""Recordings in any container, and still pictures, decoded with PyAV (FFmpeg)."""

import heapq
import logging
from collections import Counter
from collections.abc import Iterator

import av

from ..bundle.manifest import AudioSpec, VideoSpec
from ..clock import SECOND_NS, to_ns
from ..errors import SourceError
from ..preprocess.dc_offset import without_offset
from ..preprocess.media import Block, Discontinuity, Frame, Media, Samples
from ..preprocess.rings import SampleRing
from ..preprocess.windowing import FrameGrid
from .audio_track import Sounding, laid
from .decoding import Decoder, opened
from .defects import JUMP, Defects
from .location import Place, said
from .track_selection import BEST, Numbers, choose, choose_audio, choose_video, lack, left_out
from .video_track import Film, Pixels

log = logging.getLogger(__name__)


class MediaFile:
    """A recording's sound and picture, each where it is asked for; the file must have what is asked for.

    Tracks that are left out are logged; what is left out of those that are taken is counted in `dropped`.
    """

    def __init__(
        self,
        path: Place,
        audio: AudioSpec | None,
        video: VideoSpec | None,
        numbers: Numbers = BEST,
        dropped: Counter[str] | None = None,
    ) -> None:
        self.name = said(path)
        self._dropped = dropped
        self._path, self._audio, self._video, self._numbers = path, audio, video, numbers
        with opened(path) as container:
            taken, there = choose(container, numbers), container.streams
            if audio and not taken.audio:
                raise SourceError(f"{self.name} {lack('sound', there.audio)}; say --mic off to go by its picture alone")
            if video and not taken.video:
                raise SourceError(
                    f"{self.name} {lack('picture', there.video)}; say --camera off to go by its sound alone"
                )
            heard = left_out("audio", there.audio, taken.audio, "; --audio-track chooses")
            seen = left_out("video", there.video, taken.video, "; --video-track chooses")
            for others, is_of_interest in ((heard, audio or not taken.audio), (seen, video or not taken.video)):
                if others and is_of_interest:
                    log.info("%s %s", self.name, others)

    def read(self) -> Iterator[Media]:
        """Blocks of 20 ms and the frames of the bundle's rate, by time; a discontinuity where its clock jumps."""
        remarks = Defects(self.name, self._dropped)
        streams: list[Iterator[Media]] = []
        if self._audio:
            streams.append(read_blocks(self._path, self._audio.rate_hz, self._numbers, remarks))
        if self._video:
            streams.append(read_frames(self._path, FrameGrid(self._video.rate_hz), self._numbers, remarks))
        return once(heapq.merge(*streams, key=lambda item: item.end_ns), remarks)


def probe(path: Place, numbers: Numbers = BEST) -> tuple[bool, bool]:
    """Whether a file has sound and whether it has a picture; SourceError where it is no recording."""
    with opened(path) as container:
        taken, there = choose(container, numbers), container.streams
        if not (taken.audio or taken.video):
            lacking = f"{lack('sound', there.audio)} and {lack('picture', there.video)}"
            raise SourceError(f"{said(path)} {lacking}; give a recording or a still picture")
        return taken.audio is not None, taken.video is not None


def read_audio(path: Place, rate_hz: int, numbers: Numbers = BEST) -> Samples:
    """A whole file's sound from its beginning, float32 mono, without offset; silence where there is none."""
    blocks = (item for item in read_blocks(path, rate_hz, numbers) if isinstance(item, Block))
    return without_offset(laid(blocks, rate_hz), rate_hz)


def read_first_window(path: Place, rate_hz: int, window_s: float, numbers: Numbers = BEST) -> Samples:
    """What a stream's first window has of a file's sound, float32 mono, without offset."""
    ring, end_ns = SampleRing(rate_hz, round(window_s * rate_hz)), to_ns(window_s)
    for item in read_blocks(path, rate_hz, numbers):
        samples = 0 if isinstance(item, Discontinuity) else len(item.samples)
        if item.end_ns - samples * SECOND_NS // rate_hz >= end_ns:
            break
        if isinstance(item, Discontinuity):
            ring.clear()
        else:
            ring.extend(item)
    return without_offset(ring.until(end_ns), rate_hz)


def read_blocks(
    path: Place, rate_hz: int, numbers: Numbers = BEST, remarks: Defects | None = None
) -> Iterator[Block | Discontinuity]:
    """A file's sound in blocks of 20 ms; what is left over before a gap or at the end is shorter."""
    remarks = remarks or Defects(said(path))
    with opened(path) as container:
        decoder = Decoder[av.AudioFrame](container, choose_audio(container, numbers), remarks)
        yield from Sounding(decoder, rate_hz, remarks).read()


def read_frames(
    path: Place, grid: FrameGrid, numbers: Numbers = BEST, remarks: Defects | None = None
) -> Iterator[Frame | Discontinuity]:
    """The frames of a file that the grid wants."""
    with opened(path) as container:
        for shown in Film(container, choose_video(container, numbers), remarks or Defects(said(path))):
            if isinstance(shown, Discontinuity):
                yield shown
            elif grid.wants(time_ns := max(0, shown.time_ns)):
                yield Frame(shown.image(), time_ns)


def timed(path: Place, from_s: float = 0.0, numbers: Numbers = BEST) -> Iterator[tuple[Pixels, float]]:
    """Pictures and their times, from about `from_s` where the file can be sought in, else from its first."""
    with opened(path) as container:
        for shown in Film(container, choose_video(container, numbers), Defects(said(path)), to_ns(from_s)):
            if not isinstance(shown, Discontinuity):
                yield shown.image, shown.time_ns / SECOND_NS


def once(media: Iterator[Media], remarks: Defects) -> Iterator[Media]:
    """Events of both tracks, each of which tells of the same discontinuities."""
    begun_ns = -1
    for item in media:
        if isinstance(item, Discontinuity):
            if item.end_ns == begun_ns:
                continue
            begun_ns = item.end_ns
            remarks.say(JUMP, begun_ns, "its clock jumps; what comes next follows what was before at once")
        yield item
