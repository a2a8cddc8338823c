"""Recordings of several tracks, made for tests: an audio track is a tone of one level, a video track one grey."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.stream import Disposition

RATE_HZ, TONE_HZ, FRAME_RATE_HZ = 16_000, 250, 10
PLAIN = Disposition(0)


@dataclass(frozen=True)
class ToneTrack:
    """Audio track of one tone."""

    level: float
    """Peak amplitude, at most 1."""
    disposition: Disposition = PLAIN
    codec: str = "pcm_s16le"
    language: str = ""


@dataclass(frozen=True)
class GreyTrack:
    """Video track of one grey."""

    grey: int
    disposition: Disposition = PLAIN
    codec: str = "ffv1"
    width: int = 32
    frames: int = 10


def write(path: Path, tracks: Sequence[ToneTrack | GreyTrack], seconds: float = 1.0) -> Path:
    """Write a recording of these tracks, in this order."""
    with av.open(str(path), "w") as container:
        streams = [audio(container, made) if isinstance(made, ToneTrack) else video(container, made) for made in tracks]
        for stream, made in zip(streams, tracks, strict=True):
            for frame in levels(made, seconds) if isinstance(made, ToneTrack) else greys(made):
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    return path


def audio(container: av.container.OutputContainer, made: ToneTrack) -> av.AudioStream:
    """Add an empty audio track."""
    stream = container.add_stream(made.codec, rate=RATE_HZ, layout="mono")
    stream.disposition = made.disposition.value
    stream.metadata["language"] = made.language
    return stream


def video(container: av.container.OutputContainer, made: GreyTrack) -> av.VideoStream:
    """Add an empty video track."""
    stream = container.add_stream(made.codec, rate=FRAME_RATE_HZ)
    stream.width, stream.height = made.width, 24
    stream.pix_fmt = {"ffv1": "bgr0", "mjpeg": "yuvj420p"}.get(made.codec, "yuv420p")
    stream.disposition = made.disposition.value
    return stream


def levels(made: ToneTrack, seconds: float) -> list[av.AudioFrame]:
    """Return the audio of a track."""
    frames = []
    for begin in range(0, round(seconds * RATE_HZ), 1024):
        wave = np.sin(2 * np.pi * TONE_HZ / RATE_HZ * np.arange(begin, begin + 1024))
        frame = av.AudioFrame.from_ndarray(np.int16(made.level * 32767 * wave)[None], "s16", "mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, begin, Fraction(1, RATE_HZ)
        frames.append(frame)
    return frames


def greys(made: GreyTrack) -> list[av.VideoFrame]:
    """Return the frames of a track."""
    frames = []
    for number in range(made.frames):
        frame = av.VideoFrame.from_ndarray(np.full((24, made.width, 3), made.grey, np.uint8), "rgb24")
        frame.pts, frame.time_base = number, Fraction(1, FRAME_RATE_HZ)
        frames.append(frame)
    return frames
