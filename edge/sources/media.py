"""Recordings in any container, and still pictures, decoded with PyAV (FFmpeg)."""

import heapq
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain

import av
import numpy as np

from ..bundle import Picture, Sound
from ..clock import SECOND_NS, to_ns
from ..errors import SourceError
from ..framing import Image
from ..samples import BLOCK_S, Block, Event, Frame, Samples
from ..windowing import FrameGrid
from .place import ANSWER_S, Place, open_address, open_file, reason_of, said
from .tracks import BEST, Numbers, choose, choose_audio, choose_video, lack, left_out
from .upright import to_rgb

UNSAID_RATE_HZ = 25.0
"""Of pictures in a file that says neither their times nor their rate."""

Pixels = Callable[[], Image]
"""A decoded picture, converted where it is wanted."""

log = logging.getLogger(__name__)


class MediaFile:
    """A recording's sound and picture, each where it is asked for; the file must have what is asked for.

    Tracks that are left out are logged.
    """

    def __init__(self, path: Place, sound: Sound | None, picture: Picture | None, numbers: Numbers = BEST) -> None:
        self.name = said(path)
        self._path, self._sound, self._picture, self._numbers = path, sound, picture, numbers
        with opened(path) as container:
            taken, there = choose(container, numbers), container.streams
            if sound and not taken.audio:
                raise SourceError(f"{self.name} {lack('sound', there.audio)}; say --mic off to go by its picture alone")
            if picture and not taken.video:
                raise SourceError(
                    f"{self.name} {lack('picture', there.video)}; say --camera off to go by its sound alone"
                )
            heard = left_out("audio", there.audio, taken.audio, "; --audio-track chooses")
            seen = left_out("video", there.video, taken.video, "; --video-track chooses")
            for others, is_of_interest in ((heard, sound or not taken.audio), (seen, picture or not taken.video)):
                if others and is_of_interest:
                    log.info("%s %s", self.name, others)

    def events(self) -> Iterator[Event]:
        """Blocks of 20 ms and the frames of the bundle's rate, by time."""
        streams: list[Iterator[Event]] = []
        if self._sound:
            streams.append(read_blocks(self._path, self._sound.rate_hz, self._numbers))
        if self._picture:
            streams.append(read_frames(self._path, FrameGrid(self._picture.rate_hz), self._numbers))
        return heapq.merge(*streams, key=lambda event: event.end_ns)


def probe(path: Place, numbers: Numbers = BEST) -> tuple[bool, bool]:
    """Whether a file has sound and whether it has a picture; SourceError where it is no recording."""
    with opened(path) as container:
        taken, there = choose(container, numbers), container.streams
        if not (taken.audio or taken.video):
            lacking = f"{lack('sound', there.audio)} and {lack('picture', there.video)}"
            raise SourceError(f"{said(path)} {lacking}; give a recording or a still picture")
        return taken.audio is not None, taken.video is not None


def read_sound(path: Place, rate_hz: int, numbers: Numbers = BEST) -> Samples:
    """A whole file's sound, float32 mono."""
    with opened(path) as container:
        return np.concatenate([np.zeros(0, np.float32), *resampled(container, rate_hz, numbers)])


def read_blocks(path: Place, rate_hz: int, numbers: Numbers = BEST) -> Iterator[Block]:
    """A file's sound in blocks of 20 ms; what is left over at its end is shorter."""
    size = round(BLOCK_S * rate_hz)
    with opened(path) as container:
        begin_ns = start_ns(container, choose_audio(container, numbers))
        rest = np.zeros(0, np.float32)
        count = 0
        for samples in resampled(container, rate_hz, numbers):
            rest = np.concatenate([rest, samples])
            whole = len(rest) // size * size
            for piece in rest[:whole].reshape(-1, size):
                count += size
                yield Block(piece, begin_ns + count * SECOND_NS // rate_hz)
            rest = rest[whole:]
        if len(rest):
            yield Block(rest, begin_ns + (count + len(rest)) * SECOND_NS // rate_hz)


def read_frames(path: Place, grid: FrameGrid, numbers: Numbers = BEST) -> Iterator[Frame]:
    """The frames of a file that the grid wants."""
    for picture, time_s in timed(path, numbers=numbers):
        time_ns = max(0, to_ns(time_s))
        if grid.wants(time_ns):
            yield Frame(picture(), time_ns)


def timed(path: Place, from_s: float = 0.0, numbers: Numbers = BEST) -> Iterator[tuple[Pixels, float]]:
    """Pictures and their times, from about `from_s` where the file can be sought in, else from its first."""
    with opened(path) as container:
        stream = choose_video(container, numbers)
        stream.thread_type = "AUTO"
        clock = "dts" if container.format.name == "avi" else "pts"
        delay = decoder_delay(container, stream) if clock == "dts" else 0
        origin_s = (container.start_time or 0) / av.time_base
        if from_s > 0 and stream.start_time is not None:
            container.seek(to_ns(from_s + origin_s) // 1000)
        period_s = 1 / float(stream.average_rate or UNSAID_RATE_HZ)
        time_s = -period_s
        for picture in container.decode(stream):
            ticks = getattr(picture, clock)
            # A raw stream tells no times, and the last pictures that leave a decoder have no decoding time.
            time_s = time_s + period_s if ticks is None else float((ticks - delay) * stream.time_base) - origin_s
            yield partial(to_rgb, picture, stream.sample_aspect_ratio), time_s


def decoder_delay(container: av.container.InputContainer, stream: av.VideoStream) -> int:
    """By how many ticks a decoding time is behind the time of the picture that it yields; rewinds the file.

    AVI has no presentation times. What is made up for pictures that are stored out of order is out of order itself;
    decoding times are in order, and late by what the first picture shows.
    """
    first = next(container.decode(stream), None)
    container.seek(0)
    return 0 if first is None or first.dts is None else first.dts - (stream.start_time or 0)


def resampled(container: av.container.InputContainer, rate_hz: int, numbers: Numbers = BEST) -> Iterator[Samples]:
    """The sound at another rate, its channels averaged, float32."""
    resampler = av.AudioResampler(format="fltp", rate=rate_hz)
    for frame in chain(container.decode(choose_audio(container, numbers)), [None]):
        for piece in resampler.resample(frame):
            yield piece.to_ndarray().mean(axis=0, dtype=np.float32)


def start_ns(container: av.container.InputContainer, stream: av.AudioStream) -> int:
    """When a track begins, from the container's beginning."""
    if stream.start_time is None or stream.time_base is None or container.start_time is None:
        return 0
    return max(0, to_ns(float(stream.start_time * stream.time_base) - container.start_time / av.time_base))


@contextmanager
def opened(path: Place) -> Iterator[av.container.InputContainer]:
    """An open file or address; whatever FFmpeg says of it while it is read becomes a SourceError."""
    name = said(path)
    try:
        with open_address(path, name, ANSWER_S, {}) if isinstance(path, str) else open_file(path) as container:
            yield container
    except (av.error.FFmpegError, OSError) as error:
        raise SourceError(
            f"{name} cannot be read as a recording ({reason_of(error)}); give a file that ffmpeg plays"
        ) from error
