"""Cameras behind an address: RTSP, HTTP and whatever else FFmpeg connects to, through PyAV."""

import logging
import queue
from collections import Counter
from collections.abc import Iterator
from typing import Any

import av

from ..bundle.manifest import VideoSpec
from ..clock import SECOND_NS, Clock, to_ns
from ..errors import SourceError
from ..preprocess.media import VIDEO_LOST_S, Frame
from ..preprocess.windowing import FrameGrid
from ..system.redaction import without_secrets
from ..wire.drop_reasons import FRAMES_OVERLOAD
from .image_conversion import PixelAspect, to_rgb
from .location import ANSWER_S, open_address, reason_of
from .reader import Reader
from .track_selection import choose, choose_video, listed

READ_S = 1.5
"""When FFmpeg gives up a connection that sends nothing: after the camera was called lost, so that it says less."""
LARGEST_LAG_NS = to_ns(0.5)
"""A packet that has waited so long for the decoder is dropped: an overloaded machine goes on with the newest."""
MOST_PACKETS = 128
OPTIONS = {"fpsprobesize": "0", "analyzeduration": "1000000"}
"""Recognising a stream holds its packets back, and with them what the camera sees now."""

Arrived = tuple["av.Packet[Any]", int]

log = logging.getLogger(__name__)


class NetworkCamera:
    """A camera behind an address; a frame's time is the arrival of its packet.

    Packets are taken off the connection as they come, in a thread: a slow decoder never makes the stream late.
    """

    def __init__(self, address: str, video: VideoSpec, clock: Clock, dropped: Counter[str]) -> None:
        self.name = f"camera {without_secrets(address)}"
        self._address, self._clock, self._rate_hz, self._dropped = address, clock, video.rate_hz, dropped
        self._container: av.container.InputContainer | None = None
        self._reader: Reader[Arrived] | None = None

    def open(self) -> None:
        """SourceError where nothing answers, or what answers is no picture."""
        container = open_address(self._address, self.name, READ_S, OPTIONS)
        track = choose(container).video
        if track is None:
            others = container.streams.video
            useless = f" to go by, only {listed(others)}; let it send H.264 or MJPEG" if others else ""
            container.close()
            raise SourceError(f"{self.name} sends no picture{useless or '; give an address that does'}")
        track.codec_context.flags |= av.codec.context.Flags.low_delay
        self._container = container

    def read(self) -> Iterator[Frame]:
        """Frames of the bundle's picture rate; SourceError where the stream ends or no picture comes."""
        assert self._container is not None, "open() comes first"
        container, self._container = self._container, None
        # Before the reader begins, which closes what has ended already.
        images = Pictures(choose_video(container), self._rate_hz, self._clock, self._dropped)
        lost_s = VIDEO_LOST_S + 1 / self._rate_hz
        self._reader = Reader(self.name, self._packets(container), container.close, MOST_PACKETS, self._clock, lost_s)
        patience_ns = to_ns(ANSWER_S)
        while True:
            try:
                packet, time_ns = self._reader.take((images.seen_ns + patience_ns - self._clock.now_ns()) / SECOND_NS)
                frame = images.decode(packet, time_ns)
            except (queue.Empty, av.error.ExitError) as error:
                raise SourceError(f"{self.name} sends no more pictures; check it and the network") from error
            except EOFError as error:
                raise SourceError(f"{self.name} has ended its stream") from error
            except (av.error.FFmpegError, OSError) as error:
                raise SourceError(f"{self.name} is gone: {reason_of(error)}") from error
            if frame is not None:
                patience_ns = to_ns(lost_s)
                yield frame

    def _packets(self, container: av.container.InputContainer) -> Iterator[Arrived]:
        """All tracks, so that a camera that goes on with its sound alone can be closed between two packets."""
        for packet in container.demux():
            yield packet, self._clock.now_ns()

    def close(self) -> None:
        """Close the connection."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        if self._container is not None:
            self._container.close()
            self._container = None


class Pictures:
    """Of a stream's packets, the frames that the grid wants; where every picture stands alone, no other is decoded."""

    def __init__(self, stream: av.VideoStream, rate_hz: float, clock: Clock, dropped: Counter[str]) -> None:
        self._stream, self._clock, self._dropped = stream, clock, dropped
        self._grid = FrameGrid(rate_hz)
        self._aspect = PixelAspect(stream)
        self._stands_alone = stream.codec_context.codec.intra_only
        self._awaits_key = False
        self.seen_ns = clock.now_ns()
        """When a picture last came, or was dropped because this machine is behind."""

    def decode(self, packet: "av.Packet[Any]", time_ns: int) -> Frame | None:
        """The frame that a packet completes, if it is wanted and not damaged."""
        if packet.stream is not self._stream:
            return None
        wanted = self._grid.wants(time_ns)
        if self._is_behind(packet, time_ns):
            self._dropped[FRAMES_OVERLOAD] += wanted
            self.seen_ns = self._clock.now_ns()
            return None
        if self._stands_alone and not wanted:
            return None
        try:
            images = packet.decode()
        except av.error.InvalidDataError as error:
            log.debug("a damaged picture: %s", error)
            return None
        if not images:
            return None
        self.seen_ns = self._clock.now_ns()
        if not wanted:
            return None
        return Frame(to_rgb(images[-1], self._aspect.now()), time_ns)

    def _is_behind(self, packet: "av.Packet[Any]", time_ns: int) -> bool:
        """Whether a packet is too old to be decoded, or says only what has changed since one that was."""
        if self._clock.now_ns() - time_ns > LARGEST_LAG_NS:
            self._awaits_key = not self._stands_alone
            return True
        self._awaits_key = self._awaits_key and not packet.is_keyframe
        return self._awaits_key
