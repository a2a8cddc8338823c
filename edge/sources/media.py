"""Recordings in any container, and still images, decoded with PyAV (FFmpeg)."""

import heapq
import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import av

from ..bundle.manifest import AudioSpec, VideoSpec
from ..clock import SECOND_NS, to_ns
from ..errors import SourceError
from ..preprocess.dc_offset import without_offset
from ..preprocess.media import Block, Discontinuity, Frame, Media, Samples
from ..preprocess.rings import SampleRing
from ..preprocess.windowing import FrameGrid
from .audio_track import AudioTrack, join_blocks
from .contents import STILL, examine, is_still
from .decoding import Decoder, open_container
from .defects import CLOCK_JUMP, Defects
from .image_conversion import DecodedImage
from .location import Location, display_name
from .track_selection import BEST, TrackNumbers, choose, choose_audio, choose_video, describe_left_out, explain_missing
from .turns import in_turn
from .video_track import VideoTrack

log = logging.getLogger(__name__)


class MediaFile:
    """Recording from a file or address, with audio, video or both; raises SourceError if a requested track is missing.

    Tracks that are left out are logged; samples and packets left out of the selected tracks are counted in `dropped`.
    """

    def __init__(
        self,
        path: Location,
        audio: AudioSpec | None,
        video: VideoSpec | None,
        numbers: TrackNumbers = BEST,
        dropped: Counter[str] | None = None,
        *,
        in_real_time: bool = False,
    ) -> None:
        self.name = display_name(path)
        self._dropped, self._in_real_time = dropped, in_real_time
        self._path, self._audio, self._video, self._numbers = path, audio, video, numbers
        with open_container(path) as container:
            taken, there = choose(container, numbers), container.streams
            if audio and is_still(container, taken.video):
                raise SourceError(f"{self.name} {STILL}")
            if audio and not taken.audio:
                raise SourceError(
                    f"{self.name} {explain_missing('audio', there.audio)}; say --mic off to use its video alone"
                )
            if video and not taken.video:
                raise SourceError(
                    f"{self.name} {explain_missing('video', there.video)}; say --camera off to use its audio alone"
                )
            other_audio = describe_left_out("audio", there.audio, taken.audio, "; --audio-track chooses")
            other_video = describe_left_out("video", there.video, taken.video, "; --video-track chooses")
            for others, is_of_interest in (
                (other_audio, audio or not taken.audio),
                (other_video, video or not taken.video),
            ):
                if others and is_of_interest:
                    log.info("%s %s", self.name, others)

    def read(self) -> Iterator[Media]:
        """Yield blocks of 20 ms and frames at the bundle's rate, by time; a discontinuity where the clock jumps."""
        defects = Defects(self.name, self._dropped)
        streams: list[Iterator[Media]] = []
        if self._audio:
            streams.append(read_blocks(self._path, self._audio.rate_hz, self._numbers, defects))
        if self._video:
            grid = FrameGrid(self._video.rate_hz)
            streams.append(
                read_frames(self._path, grid, self._numbers, defects, in_real_time=self._in_real_time),
            )
        media = without_repeated_discontinuities(heapq.merge(*streams, key=lambda item: item.end_ns), defects)
        # What may wait for a network or for the other end of a pipe must not keep others waiting.
        never_waits = isinstance(self._path, Path) and self._path.is_file()
        return in_turn(media) if self._in_real_time and never_waits else media


def probe(path: Location, numbers: TrackNumbers = BEST) -> tuple[bool, bool]:
    """Return whether a file has audio and whether it has video; raises SourceError if it has neither."""
    contents = examine(path, numbers)
    return contents.audio, contents.video


def read_audio(path: Location, rate_hz: int, numbers: TrackNumbers = BEST) -> Samples:
    """Return the whole audio of a file, float32 mono `[n]`, without DC offset, with silence in the gaps."""
    blocks = (item for item in read_blocks(path, rate_hz, numbers) if isinstance(item, Block))
    return without_offset(join_blocks(blocks, rate_hz), rate_hz)


def read_first_window(path: Location, rate_hz: int, window_s: float, numbers: TrackNumbers = BEST) -> Samples:
    """Return the audio of the first window of a file, float32 mono `[n]`, without DC offset."""
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
    path: Location, rate_hz: int, numbers: TrackNumbers = BEST, defects: Defects | None = None
) -> Iterator[Block | Discontinuity]:
    """Yield a file's audio in blocks of 20 ms; the last one before a gap or the end may be shorter."""
    defects = defects or Defects(display_name(path))
    with open_container(path) as container:
        decoder = Decoder[av.AudioFrame](container, choose_audio(container, numbers), defects)
        yield from AudioTrack(decoder, rate_hz, defects).read()


def read_frames(
    path: Location,
    grid: FrameGrid,
    numbers: TrackNumbers = BEST,
    defects: Defects | None = None,
    *,
    in_real_time: bool = False,
) -> Iterator[Frame | Discontinuity]:
    """Yield the frames of a file that the grid selects, and discontinuities.

    `in_real_time` is for playback: decoding then costs least, where otherwise it takes least time.
    """
    defects = defects or Defects(display_name(path))
    with open_container(path) as container:
        for frame in VideoTrack(container, choose_video(container, numbers), defects, grid if in_real_time else None):
            if isinstance(frame, Discontinuity):
                yield frame
            elif grid.wants(time_ns := max(0, frame.time_ns)):
                yield Frame(frame.image, time_ns)


def read_timed_images(
    path: Location, from_s: float = 0.0, numbers: TrackNumbers = BEST
) -> Iterator[tuple[DecodedImage, float]]:
    """Yield all frames with their times in s, from about `from_s` if the file can be sought, else from the first."""
    with open_container(path) as container:
        for frame in VideoTrack(
            container, choose_video(container, numbers), Defects(display_name(path)), from_ns=to_ns(from_s)
        ):
            if not isinstance(frame, Discontinuity):
                yield frame.image, frame.time_ns / SECOND_NS


def without_repeated_discontinuities(media: Iterator[Media], defects: Defects) -> Iterator[Media]:
    """Yield merged media with one discontinuity a clock jump, where each track has reported its own."""
    last_ns = -1
    for item in media:
        if isinstance(item, Discontinuity):
            if item.end_ns == last_ns:
                continue
            last_ns = item.end_ns
            defects.report(CLOCK_JUMP, last_ns, "its clock jumps; what follows is joined without a gap")
        yield item
