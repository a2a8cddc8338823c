"""One track of a file decoded, on a line of time that never goes back; what is damaged is passed over."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Generic, TypeVar

import av

from ..clock import SECOND_NS
from ..errors import SourceError
from ..system.resources import exhaustion
from ..wire.drop_reasons import PACKETS_DAMAGED
from .defects import TORN, Defects
from .location import ANSWER_S, Place, open_address, open_file, reason_of, said
from .timeline import LARGEST_STEP_AHEAD_NS, Stretch, Timeline

MOST_UNREADABLE = 100
"""So many failures on end to read a packet are the end of a file."""
ANNOUNCING = {"aiff", "avi", "flac", "flv", "matroska", "mov", "wav"}
"""Formats that say how long they are. For others FFmpeg reckons it from their size, or from the last times it finds."""
LONGEST_RIFF = 0x7FFF0000
"""Bytes; a larger WAV means that it does not know, and so does an empty one: it was written through a pipe."""
RAW = {"aac", "ac3", "dts", "eac3", "loas", "mp3"}
"""Formats without times of their own: FFmpeg adds up what each packet lasts, wrongly once their form has changed."""
LARGEST_SHORTFALL_NS = SECOND_NS // 2
"""What a whole file may lack of the length that it announces."""
WORDS = {"audio": "sound", "video": "picture"}

T = TypeVar("T", av.AudioFrame, av.VideoFrame)


@dataclass(frozen=True)
class Decoded(Generic[T]):
    """A frame that a track decodes to, or a place where it does not."""

    frame: T | None
    """None where a packet could not be decoded."""
    stretch: int
    """Of the file's line of time, on which it lies."""


@contextmanager
def opened(path: Place) -> Iterator[av.container.InputContainer]:
    """An open file or address; whatever FFmpeg says of it while it is read becomes a SourceError."""
    name = said(path)
    try:
        with open_address(path, name, ANSWER_S, {}) if isinstance(path, str) else open_file(path) as container:
            yield container
    except (av.error.FFmpegError, OSError) as error:
        raise exhaustion(error) or SourceError(
            f"{name} cannot be read as a recording ({reason_of(error)}); give a file that ffmpeg plays"
        ) from error


class Decoder(Generic[T]):
    """One track of an open file, from where the file is."""

    def __init__(
        self, container: av.container.InputContainer, stream: Any, remarks: Defects, *, is_sought: bool = False
    ) -> None:
        self._container, self._stream, self._remarks = container, stream, remarks
        self._timeline = Timeline([Stretch(-1000 * (container.start_time or 0))], is_sought)
        self.is_raw = container.format.name in RAW
        self._decoded = 0
        self._damage: Exception | None = None
        """Why a packet could not be decoded; the last of several."""
        self._is_torn = False
        """Whether the last packet is not whole, or could not be read."""
        self._why_torn = ""

    def __iter__(self) -> Iterator[Decoded[T]]:
        """All that the track decodes to; SourceError where that is nothing."""
        now = 0
        for packet in self._packets():
            at = self._timeline.follow(packet)
            if packet.stream is not self._stream:
                continue
            if at != now and packet.is_keyframe:  # else it builds on what the decoder holds
                yield from self._decode(None, now)
                self._stream.codec_context.flush_buffers()
            now = at
            yield from self._decode(packet, now)
        yield from self._decode(None, now)
        if self._damage is not None and not self._decoded:
            raise exhaustion(self._damage) or SourceError(
                f"{self._remarks.name}: none of its {WORDS[self._stream.type]} can be decoded; "
                "give a file that ffmpeg plays"
            )
        self._say_end()

    def time_ns(self, ticks: int | None, stretch: int) -> int | None:
        """Where a time of the track's clock lies on the line of time; None where it is none, or of another stretch."""
        if ticks is None:
            return None
        base: Fraction = self._stream.time_base
        time_ns = ticks * base.numerator * SECOND_NS // base.denominator + self._timeline.stretches[stretch].shift_ns
        return time_ns if time_ns - self._timeline.reached_ns <= LARGEST_STEP_AHEAD_NS else None

    def begin_ns(self, stretch: int) -> int:
        """Where a stretch begins on the line of time."""
        return self._timeline.stretches[stretch].begin_ns

    def end_ns(self, stretch: int) -> int | None:
        """Where it ends, None while it lasts."""
        return self._timeline.end_ns(stretch)

    def _packets(self) -> Iterator["av.Packet[Any]"]:
        """Those of all tracks; what cannot be read is passed over, but for an end that consists of it.

        A disk or a server that gives no more after something was decoded is such an end.
        """
        failures = 0
        while failures < MOST_UNREADABLE:
            try:
                for packet in self._container.demux():
                    if packet.size:  # else the last picture goes on, or it is FFmpeg's sign of the end
                        failures, self._is_torn = 0, packet.is_corrupt
                        if is_astray(packet):
                            packet.pts = None
                        yield packet
                return
            except IndexError:  # PyAV at the end of a file some of whose tracks have come late
                return
            except (av.error.PatchWelcomeError, ValueError):  # invalid data or argument; PyAV 17 renamed the latter
                failures, self._is_torn = failures + 1, True
            except (av.error.FFmpegError, OSError) as error:
                if not self._decoded or exhaustion(error):
                    raise
                self._is_torn, self._why_torn = True, f" ({reason_of(error)})"
                return

    def _decode(self, packet: "av.Packet[Any] | None", stretch: int) -> Iterator[Decoded[T]]:
        try:
            frames = self._stream.codec_context.decode(packet)
        except av.error.EOFError:  # nothing has come since the decoder was emptied
            return
        except av.error.FFmpegError as error:
            self._damage, word = error, WORDS[self._stream.type]
            self._remarks.count(PACKETS_DAMAGED)
            ticks = None if packet is None else packet.dts if packet.pts is None else packet.pts
            self._remarks.say(
                f"{PACKETS_DAMAGED} {word}",
                self.time_ns(ticks, stretch),
                f"damaged {word} is passed over, here and where there is more, and counted",
            )
            yield Decoded(None, stretch)
            return
        self._decoded += len(frames)
        for frame in frames:
            yield Decoded(frame, stretch)

    def _say_end(self) -> None:
        """Say that the file is not whole, where that can be seen."""
        announced_ns = 1000 * (self._container.duration or 0)
        is_announcing = not ANNOUNCING.isdisjoint(self._container.format.name.split(","))
        # Some who write count from their clock's zero, not from where they begin.
        reached_ns = self._timeline.clock_ns + max(0, 1000 * (self._container.start_time or 0))
        is_short = is_announcing and announced_ns - reached_ns > LARGEST_SHORTFALL_NS
        is_torn = self._is_torn and not is_of_unsaid_length(self._container)
        if is_short or is_torn:
            of = f" of the {announced_ns / SECOND_NS:.2f} s that it announces" if is_short else ""
            after = f"after {self._timeline.reached_ns / SECOND_NS:.2f} s{of}"
            self._remarks.say(TORN, None, f"ends early, {after}{self._why_torn}")


def is_astray(packet: "av.Packet[Any]") -> bool:
    """Whether a packet's presentation time is far from its decoding time: it is damaged, and nobody waits for it."""
    if packet.pts is None or packet.dts is None:
        return False
    return abs(packet.pts - packet.dts) * packet.time_base * SECOND_NS > LARGEST_STEP_AHEAD_NS


def is_of_unsaid_length(container: av.container.InputContainer) -> bool:
    """Whether a file is a WAV that does not know how long it is; FFmpeg takes its last packet for torn."""
    if container.format.name != "wav" or not container.name.startswith("file:"):
        return False
    with open(container.name.removeprefix("file:"), "rb") as file:
        size = int.from_bytes(file.read(8)[4:], "little")
    return not 0 < size <= LONGEST_RIFF
