"""Decoder of one track of a file, with times that never go back; damaged packets are skipped."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

import av
import msgspec

from ..clock import SECOND_NS
from ..errors import SourceError
from ..system.resources import exhaustion
from ..wire.drop_reasons import PACKETS_DAMAGED
from .defects import TRUNCATED, Defects
from .location import CONNECT_TIMEOUT_S, Location, display_name, failure_reason, open_address, open_file
from .timeline import LARGEST_STEP_AHEAD_NS, Segment, Timeline, TrackClock

MAX_READ_FAILURES = 100
"""Consecutive failures to read a packet after which the file counts as ended."""
FORMATS_WITH_DURATION = {"aiff", "avi", "flac", "flv", "matroska", "mov", "wav"}
"""Formats whose header states a duration; for others FFmpeg estimates it from the size or the last timestamps."""
LARGEST_RIFF_BYTES = 0x7FFF0000
"""Largest credible size in a RIFF header; a larger or zero size means unknown: the WAV was written to a pipe."""
ELEMENTARY_STREAMS = {"aac", "ac3", "dts", "eac3", "loas", "mp3"}
"""Formats without timestamps: FFmpeg adds up packet durations, wrongly once the audio format has changed."""
LARGEST_SHORTFALL_NS = SECOND_NS // 2
"""Difference from the stated duration at which a file still counts as whole."""

"""Words for the types of tracks in messages."""

T = TypeVar("T", av.AudioFrame, av.VideoFrame)


class Decoded(msgspec.Struct, Generic[T], frozen=True):
    """Decoded frame, or the mark of a packet that could not be decoded."""

    frame: T | None
    """Frame; None for a packet that could not be decoded."""
    segment: int
    """Index of the timeline segment that the frame belongs to."""


@contextmanager
def open_container(path: Location) -> Iterator[av.container.InputContainer]:
    """Open a file or address for reading; an FFmpeg error while it is read is raised as SourceError."""
    name = display_name(path)
    try:
        with open_address(path, name, CONNECT_TIMEOUT_S, {}) if isinstance(path, str) else open_file(path) as container:
            yield container
    except (av.error.FFmpegError, OSError) as error:
        raise exhaustion(error) or SourceError(
            f"{name} cannot be read as a recording ({failure_reason(error)}); give a file that ffmpeg plays"
        ) from error


class Decoder(Generic[T]):
    """Iterable over the decoded frames of one track, from the current position of an open file."""

    def __init__(
        self, container: av.container.InputContainer, stream: Any, defects: Defects, *, is_sought: bool = False
    ) -> None:
        self._container, self._stream, self._defects = container, stream, defects
        self._clock = TrackClock(stream.time_base)
        self._clocks = {stream.index: self._clock}
        self._timeline = Timeline([Segment(-1000 * (container.start_time or 0))], is_sought)
        self.is_elementary_stream = container.format.name in ELEMENTARY_STREAMS
        self._decoded = 0
        self._damage: Exception | None = None
        """Last error of decoding a packet."""
        self._is_truncated = False
        """True if the last packet is incomplete or could not be read."""
        self._truncation_reason = ""

    def __iter__(self) -> Iterator[Decoded[T]]:
        """Yield decoded frames; raises SourceError if there were damaged packets and nothing could be decoded."""
        current = 0
        for packet in self._packets():
            segment = self._timeline.follow(packet)
            if packet.stream is not self._stream:
                continue
            if segment != current and packet.is_keyframe:  # else it refers to frames that the decoder holds
                yield from self._decode(None, current)
                self._stream.codec_context.flush_buffers()
            current = segment
            yield from self._decode(packet, current)
        yield from self._decode(None, current)
        if self._damage is not None and not self._decoded:
            raise exhaustion(self._damage) or SourceError(
                f"{self._defects.name}: none of its {self._stream.type} can be decoded; give a file that ffmpeg plays"
            )
        self._check_end()

    def time_ns(self, ticks: int | None, segment: int) -> int | None:
        """Return a timestamp of the track as a time on the timeline, in ns; None if it is missing or implausible."""
        if ticks is None:
            return None
        time_ns = self._clock.time_ns(ticks) + self._timeline.segments[segment].shift_ns
        return time_ns if time_ns - self._timeline.reached_ns <= LARGEST_STEP_AHEAD_NS else None

    def begin_ns(self, segment: int) -> int:
        """Return the begin of a segment on the timeline, in ns."""
        return self._timeline.segments[segment].begin_ns

    def end_ns(self, segment: int) -> int | None:
        """Return the end of a segment on the timeline, in ns; None while it lasts."""
        return self._timeline.end_ns(segment)

    def _packets(self) -> Iterator["av.Packet[Any]"]:
        """Yield the packets of all tracks; unreadable ones are skipped until `MAX_READ_FAILURES` in a row.

        An I/O error of the disk or server ends the file early once something has been decoded; before, it is raised.
        """
        failures = 0
        while failures < MAX_READ_FAILURES:
            try:
                for packet in self._container.demux():
                    if packet.size:  # else the last frame is repeated, or it is FFmpeg's end marker
                        failures, self._is_truncated = 0, packet.is_corrupt
                        if packet.pts != packet.dts and self._has_stray_pts(packet):
                            packet.pts = None
                        yield packet
                return
            except IndexError:  # raised by PyAV at the end of a file in which tracks were added late
                return
            except (av.error.PatchWelcomeError, ValueError):  # invalid data or argument; PyAV 17 renamed the latter
                failures, self._is_truncated = failures + 1, True
            except (av.error.FFmpegError, OSError) as error:
                if not self._decoded or exhaustion(error):
                    raise
                self._is_truncated, self._truncation_reason = True, f" ({failure_reason(error)})"
                return

    def _has_stray_pts(self, packet: "av.Packet[Any]") -> bool:
        """Return whether a packet's PTS is implausibly far from its DTS, as of a damaged packet."""
        if packet.pts is None or packet.dts is None:
            return False
        clock = self._clocks.get(packet.stream_index)
        if clock is None:
            clock = self._clocks[packet.stream_index] = TrackClock(packet.time_base)
        return clock.time_ns(abs(packet.pts - packet.dts)) > LARGEST_STEP_AHEAD_NS

    def _decode(self, packet: "av.Packet[Any] | None", segment: int) -> Iterator[Decoded[T]]:
        try:
            frames = self._frames(packet, segment)
        except av.error.EOFError:  # no packet since the decoder was flushed
            return
        except av.error.FFmpegError as error:
            self._damage, word = error, self._stream.type
            self._defects.count(PACKETS_DAMAGED)
            ticks = None if packet is None else packet.dts if packet.pts is None else packet.pts
            self._defects.report(
                f"{PACKETS_DAMAGED} {word}",
                self.time_ns(ticks, segment),
                f"damaged {word} is skipped and counted, here and wherever else it occurs",
            )
            yield Decoded(None, segment)
            return
        self._decoded += len(frames)
        for frame in frames:
            yield Decoded(frame, segment)

    def _frames(self, packet: "av.Packet[Any] | None", segment: int) -> list[T]:
        """Return the frames that a packet, or the end of all packets, completes; raises FFmpeg's error."""
        frames: list[T] = self._stream.codec_context.decode(packet)
        return frames

    def _check_end(self) -> None:
        """Report the file as truncated if it ended before its stated duration or within a packet."""
        stated_ns = 1000 * (self._container.duration or 0)
        states_duration = not FORMATS_WITH_DURATION.isdisjoint(self._container.format.name.split(","))
        # Some muxers state the duration from time 0 instead of from the first timestamp.
        reached_ns = self._timeline.clock_ns + max(0, 1000 * (self._container.start_time or 0))
        is_short = states_duration and stated_ns - reached_ns > LARGEST_SHORTFALL_NS
        is_truncated = self._is_truncated and not is_wav_of_unknown_length(self._container)
        if is_short or is_truncated:
            out_of = f" of the {stated_ns / SECOND_NS:.2f} s in its header" if is_short else ""
            after = f"after {self._timeline.reached_ns / SECOND_NS:.2f} s{out_of}"
            self._defects.report(TRUNCATED, None, f"ends early, {after}{self._truncation_reason}")


def is_wav_of_unknown_length(container: av.container.InputContainer) -> bool:
    """Return whether a file is a WAV without a known length; FFmpeg marks the last packet of one as corrupt."""
    if container.format.name != "wav" or not container.name.startswith("file:"):
        return False
    with open(container.name.removeprefix("file:"), "rb") as file:
        size = int.from_bytes(file.read(8)[4:], "little")
    return not 0 < size <= LARGEST_RIFF_BYTES
