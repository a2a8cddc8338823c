"""Recordings of several tracks, made for tests: a sound track is a tone of one level, a picture track one grey."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.stream import Disposition

RATE_HZ, TONE_HZ, PICTURE_HZ = 16_000, 250, 10
PLAIN = Disposition(0)


@dataclass(frozen=True)
class AudioSpec:
    """A sound track of one tone."""

    level: float
    """Of its peaks, at most 1."""
    disposition: Disposition = PLAIN
    codec: str = "pcm_s16le"
    language: str = ""


@dataclass(frozen=True)
class Film:
    """A picture track of one grey."""

    grey: int
    disposition: Disposition = PLAIN
    codec: str = "ffv1"
    width: int = 32
    frames: int = 10


def write(path: Path, tracks: Sequence[AudioSpec | Film], seconds: float = 1.0) -> Path:
    """A recording of these tracks, in this order."""
    with av.open(str(path), "w") as container:
        streams = [audio(container, made) if isinstance(made, AudioSpec) else film(container, made) for made in tracks]
        for stream, made in zip(streams, tracks, strict=True):
            for frame in levels(made, seconds) if isinstance(made, AudioSpec) else greys(made):
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    return path


def audio(container: av.container.OutputContainer, made: AudioSpec) -> av.AudioStream:
    """An empty sound track."""
    stream = container.add_stream(made.codec, rate=RATE_HZ, layout="mono")
    stream.disposition = made.disposition.value
    stream.metadata["language"] = made.language
    return stream


def film(container: av.container.OutputContainer, made: Film) -> av.VideoStream:
    """An empty picture track."""
    stream = container.add_stream(made.codec, rate=PICTURE_HZ)
    stream.width, stream.height = made.width, 24
    stream.pix_fmt = {"ffv1": "bgr0", "mjpeg": "yuvj420p"}.get(made.codec, "yuv420p")
    stream.disposition = made.disposition.value
    return stream


def levels(made: AudioSpec, seconds: float) -> list[av.AudioFrame]:
    """The sound of a track."""
    frames = []
    for begin in range(0, round(seconds * RATE_HZ), 1024):
        wave = np.sin(2 * np.pi * TONE_HZ / RATE_HZ * np.arange(begin, begin + 1024))
        frame = av.AudioFrame.from_ndarray(np.int16(made.level * 32767 * wave)[None], "s16", "mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, begin, Fraction(1, RATE_HZ)
        frames.append(frame)
    return frames


def greys(made: Film) -> list[av.VideoFrame]:
    """The pictures of a track."""
    frames = []
    for number in range(made.frames):
        frame = av.VideoFrame.from_ndarray(np.full((24, made.width, 3), made.grey, np.uint8), "rgb24")
        frame.pts, frame.time_base = number, Fraction(1, PICTURE_HZ)
        frames.append(frame)
    return frames
