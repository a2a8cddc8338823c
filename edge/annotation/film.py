"""Copy of a film with its predictions drawn in; its audio is copied as it is, not encoded again."""

import heapq
import logging
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import av
import numpy as np

from ..clock import SECOND_NS
from ..preprocess.images import Image
from ..sources.decoding import open_container
from ..sources.media import read_timed_images
from ..sources.timeline import Segment, Timeline
from ..sources.track_selection import choose
from .annotate import Annotation
from .overlay import draw, draw_people
from .rows import Row, by_person

CONTAINER = "matroska"
"""Container that takes nearly every codec of audio."""
TICK = Fraction(1, 90_000)
ASSUMED_RATE_HZ = Fraction(25)
"""Frame rate told to the encoder of a film that states none; times are the film's own."""
CODEC = "libx264" if "libx264" in av.codecs_available else "mpeg4"
OPTIONS = {"preset": "veryfast", "crf": "21"} if CODEC == "libx264" else {"q:v": "4"}

TimedPacket = tuple[Fraction, "av.Packet[Any]"]

log = logging.getLogger(__name__)


def write_film(annotation: Annotation, path: Path) -> None:
    """Write the film of an annotation whose recording has video, as Matroska with H.264."""
    images = drawn_images(annotation)
    first = next(images)
    with open_container(annotation.recording) as source, av.open(str(path), "w", format=CONTAINER) as film:
        video = film.add_stream(CODEC, rate=annotation.contents.frame_rate_hz or ASSUMED_RATE_HZ)
        video.height, video.width = first[0].shape[:2]
        video.pix_fmt, video.options, video.codec_context.time_base = "yuv420p", OPTIONS, TICK
        audio = copied_audio(source, film, annotation)
        tracks = (audio, encoded(video, chain([first], images)))
        for _, packet in heapq.merge(*tracks, key=lambda timed: timed[0]):
            film.mux(packet)


def drawn_images(annotation: Annotation) -> Iterator[tuple[Image, float]]:
    """Yield the frames, cropped to even sides as encoders want them, with their times in seconds."""
    people = by_person(annotation.rows)
    windows = sorted({row.end_s for row in annotation.rows})
    ends = {person: [row.end_s for row in rows] for person, rows in people.items()}
    for image, time_s in read_timed_images(annotation.recording, numbers=annotation.tracks):
        pixels = image()
        height, width = (side // 2 * 2 for side in pixels.shape[:2])
        pixels = np.ascontiguousarray(pixels[:height, :width])
        shown = [rows_at(rows, ends[person], time_s) for person, rows in people.items()]
        if list(people) == [None]:
            draw(pixels, *shown[0])
        elif people:
            newest_s = windows[max(0, bisect_right(windows, time_s) - 1)]
            draw_people(pixels, [(heard, seen) for heard, seen in shown if heard.end_s == newest_s])
        yield pixels, time_s


def rows_at(rows: Sequence[Row], ends: Sequence[float], time_s: float) -> tuple[Row, Row]:
    """Return the row that is known at a time, the first before that, and the one whose newest frame is nearest."""
    known = max(0, bisect_right(ends, time_s) - 1)
    near = min(range(known, min(known + 2, len(rows))), key=lambda index: abs(ends[index] - time_s))
    return rows[known], rows[near]


def encoded(video: av.VideoStream, images: Iterator[tuple[Image, float]]) -> Iterator[TimedPacket]:
    """Yield the packets of frames; of two frames at the same time the first counts."""
    last = -1
    for pixels, time_s in images:
        if pixels.shape[:2] != (video.height, video.width) or (ticks := round(time_s / TICK)) <= last:
            continue
        frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
        last = frame.pts = ticks
        frame.time_base = TICK
        yield from timed(video.encode(frame))
    yield from timed(video.encode(None))


def copied_audio(
    source: av.container.InputContainer, film: av.container.OutputContainer, annotation: Annotation
) -> Iterator[TimedPacket]:
    """Add a track for the audio of a recording, and return its packets on the clock of the frames, if there is any."""
    taken = choose(source, annotation.tracks).audio
    if taken is None:
        return iter(())
    if taken.codec_context.name not in film.supported_codecs:
        log.warning(
            "%s: audio in %s cannot be copied; its film is silent", annotation.recording, taken.codec_context.name
        )
        return iter(())
    return copied(source, taken, film.add_stream_from_template(taken))


def copied(source: av.container.InputContainer, taken: av.AudioStream, track: av.AudioStream) -> Iterator[TimedPacket]:
    """Yield the packets of a track for another one on the timeline of the recording; of two at one time the first.

    A file whose clock starts again, or that is damaged, has times that go back, which no container takes.
    """
    timeline, last = Timeline([Segment(-1000 * (source.start_time or 0))]), None
    tick_ns = (taken.time_base or TICK) * SECOND_NS
    for packet in source.demux():
        if not packet.size or packet.dts is None:
            continue
        shift_ticks = round(timeline.segments[timeline.follow(packet)].shift_ns / tick_ns)
        if packet.stream_index != taken.index or (last is not None and packet.dts + shift_ticks <= last):
            continue
        last = packet.dts = packet.dts + shift_ticks
        packet.pts = packet.dts if packet.pts is None else packet.pts + shift_ticks
        packet.stream = track
        yield from timed([packet])


def timed(packets: Sequence["av.Packet[Any]"]) -> Iterator[TimedPacket]:
    """Yield packets with the times at which they are decoded, in seconds."""
    for packet in packets:
        yield (packet.dts or 0) * (packet.time_base or TICK), packet
