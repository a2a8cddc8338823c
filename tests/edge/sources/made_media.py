"""Recordings in which a beep and a flash come together at known times, in any container, damaged as a test asks for."""

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from edge.preprocess.media import Block, Frame, Media
from edge.sources.audio_track import join_blocks

FPS = 25
READ_HZ = 16000
Change = Callable[[av.Packet], av.Packet | None]
"""What becomes of a packet on its way into the file."""


def beeps(times_s: Sequence[float], seconds: float, rate_hz: int) -> np.ndarray:
    """float32 `[n]`: short bursts of 1 kHz, each symmetric about its time."""
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    bursts = [np.exp(-(((time_s - at) / 0.002) ** 2) / 2) * np.cos(2000 * np.pi * (time_s - at)) for at in times_s]
    return np.asarray(0.5 * np.sum(bursts, axis=0), np.float32)


def as_it_is(packet: av.Packet) -> av.Packet:
    return packet


def write(
    path: Path,
    codecs: tuple[str, str],
    times_s: Sequence[float] = (1.0, 2.5),
    *,
    seconds: float = 4.0,
    rate_hz: int = 48000,
    noise: float = 0.0,
    change: Change = as_it_is,
    change_picture: Change = as_it_is,
) -> Path:
    """Beeps in the sound, and flashes where there is a picture codec; each packet as it is changed, or left out."""
    samples = beeps(times_s, seconds, rate_hz)
    samples += noise * np.random.default_rng(0).uniform(-1, 1, len(samples)).astype(np.float32)
    # A torn MP4 can be read only where its index comes first.
    options = {"movflags": "faststart"} if path.suffix in (".mp4", ".m4a") else {}
    with av.open(str(path), "w", options=options) as container:
        video = container.add_stream(codecs[0], rate=FPS) if codecs[0] else None
        if video:
            video.width, video.height = 64, 48
            video.pix_fmt = "yuvj420p" if codecs[0] == "mjpeg" else "yuv420p"
        audio = container.add_stream(codecs[1], rate=rate_hz, layout="mono")
        packets: list[tuple[Fraction, av.Packet | None]] = []

        def keep(made: list[av.Packet], change: Change) -> None:
            packets.extend((packet.dts * packet.time_base, change(packet)) for packet in made)

        if video:
            for index in range(round(seconds * FPS)):
                bright = any(0 <= index - round(at * FPS) < 5 for at in times_s)
                image = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 220 if bright else 20, np.uint8), "rgb24")
                image.pts, image.time_base = index, Fraction(1, FPS)
                keep(video.encode(image), change_picture)
            keep(video.encode(None), change_picture)
        to_codec = av.AudioResampler(format=audio.codec_context.format.name, layout="mono", rate=rate_hz)
        for begin in range(0, len(samples), 1024):
            piece = av.AudioFrame.from_ndarray(samples[None, begin : begin + 1024], "fltp", "mono")
            piece.sample_rate, piece.pts, piece.time_base = rate_hz, begin, Fraction(1, rate_hz)
            for converted in to_codec.resample(piece):
                keep(audio.encode(converted), change)
        keep(audio.encode(None), change)
        for _, packet in sorted(packets, key=lambda made: made[0]):
            if packet is not None:
                container.mux(packet)
    return path


def between(begin_s: float, end_s: float) -> Change:
    """Leave out what lies between two times."""
    return lambda packet: None if begin_s <= packet.pts * packet.time_base < end_s else packet


def moved(by_s: Callable[[float], float]) -> Change:
    """Move each packet's times by what is said for its time."""

    def move(packet: av.Packet) -> av.Packet:
        ticks = round(by_s(float(packet.pts * packet.time_base)) / packet.time_base)
        packet.pts, packet.dts = packet.pts + ticks, packet.dts + ticks
        return packet

    return move


def damaged(begin_s: float, end_s: float) -> Change:
    """Fill what lies between two times with ones."""

    def damage(packet: av.Packet) -> av.Packet:
        if not begin_s <= packet.pts * packet.time_base < end_s:
            return packet
        broken = av.Packet(b"\xff" * packet.size)
        broken.stream, broken.time_base = packet.stream, packet.time_base
        broken.pts, broken.dts, broken.duration = packet.pts, packet.dts, packet.duration
        return broken

    return damage


def beep_times(media: Iterable[Media]) -> list[float]:
    """When the beeps come, in seconds."""
    blocks = [item for item in media if isinstance(item, Block)]
    begin_s = blocks[0].end_ns / 1e9 - len(blocks[0].samples) / READ_HZ
    power = np.square(join_blocks(blocks, READ_HZ), dtype=np.float64)
    loud = np.flatnonzero(power > 0.03)
    groups = np.split(loud, np.flatnonzero(np.diff(loud) > 0.05 * READ_HZ) + 1) if len(loud) else []
    return [begin_s + float(np.average(group, weights=power[group])) / READ_HZ for group in groups]


def flash_times(media: Iterable[Media]) -> list[float]:
    """When the flashes begin, in seconds."""
    frames = [item for item in media if isinstance(item, Frame)]
    bright = [False, *(frame.image.mean() > 120 for frame in frames)]
    return [
        frame.end_ns / 1e9
        for frame, is_bright, was in zip(frames, bright[1:], bright, strict=False)
        if is_bright and not was
    ]
