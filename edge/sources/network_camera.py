"""Network cameras: RTSP, HTTP and any other protocol of FFmpeg, through PyAV."""

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
from .decoder_threads import decode_in_one_thread
from .image_conversion import ImageConverter
from .location import CONNECT_TIMEOUT_S, failure_reason, open_address
from .reader import Reader
from .track_selection import choose, choose_video, describe_tracks

READ_S = 1.5
"""Timeout of a read in FFmpeg; longer than the time after which the camera is lost, whose message is clearer."""
MAX_PACKET_AGE_NS = to_ns(0.5)
"""Age above which a packet is dropped undecoded, so that an overloaded machine continues with the newest."""
MAX_PACKETS = 128
"""Largest number of packets that wait for the decoder."""
OPTIONS = {"fpsprobesize": "0", "analyzeduration": "1000000"}
"""Options that shorten FFmpeg's probing of a stream, which delays its first packets."""

ArrivedPacket = tuple["av.Packet[Any]", int]
"""Packet and its time of arrival."""

log = logging.getLogger(__name__)


class NetworkCamera:
    """Camera at a network address; the time of a frame is the arrival of its packet.

    A thread takes packets off the connection as they come, so that a slow decoder does not delay the stream.
    """

    def __init__(self, address: str, video: VideoSpec, clock: Clock, dropped: Counter[str]) -> None:
        self.name = f"camera {without_secrets(address)}"
        self._address, self._clock, self._rate_hz, self._dropped = address, clock, video.rate_hz, dropped
        self._container: av.container.InputContainer | None = None
        self._reader: Reader[ArrivedPacket] | None = None

    def open(self) -> None:
        """Connect to the camera; raises SourceError if it does not answer or sends no video."""
        container = open_address(self._address, self.name, READ_S, OPTIONS)
        track = choose(container).video
        if track is None:
            others = container.streams.video
            useless = f" that can be used, only {describe_tracks(others)}; let it send H.264 or MJPEG" if others else ""
            container.close()
            raise SourceError(f"{self.name} sends no video{useless or '; give an address that does'}")
        decode_in_one_thread(track)
        track.codec_context.flags |= av.codec.context.Flags.low_delay
        self._container = container

    def read(self) -> Iterator[Frame]:
        """Yield frames at the bundle's rate; raises SourceError if the stream ends or no frame comes in time."""
        assert self._container is not None, "open() comes first"
        container, self._container = self._container, None
        # Before the reader starts, which closes a stream that has already ended.
        decoder = FrameDecoder(choose_video(container), self._rate_hz, self._clock, self._dropped)
        lost_s = VIDEO_LOST_S + 1 / self._rate_hz
        self._reader = Reader(self.name, self._packets(container), container.close, MAX_PACKETS, self._clock, lost_s)
        patience_ns = to_ns(CONNECT_TIMEOUT_S)
        while True:
            try:
                packet, time_ns = self._reader.take((decoder.seen_ns + patience_ns - self._clock.now_ns()) / SECOND_NS)
                frame = decoder.decode(packet, time_ns)
            except (queue.Empty, av.error.ExitError) as error:
                raise SourceError(f"{self.name} sends no more frames; check it and the network") from error
            except EOFError as error:
                raise SourceError(f"{self.name} has ended its stream") from error
            except (av.error.FFmpegError, OSError) as error:
                raise SourceError(f"{self.name} has disconnected: {failure_reason(error)}") from error
            if frame is not None:
                patience_ns = to_ns(lost_s)
                yield frame

    def _packets(self, container: av.container.InputContainer) -> Iterator[ArrivedPacket]:
        """Yield packets of all tracks, so that a camera that sends only audio can still be closed."""
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


class FrameDecoder:
    """Decoder of the frames that the grid selects; for intra-only codecs, other packets are not decoded."""

    def __init__(self, stream: av.VideoStream, rate_hz: float, clock: Clock, dropped: Counter[str]) -> None:
        self._stream, self._clock, self._dropped = stream, clock, dropped
        self._grid = FrameGrid(rate_hz)
        self._converter = ImageConverter(stream)
        self._is_intra_only = stream.codec_context.codec.intra_only
        self._awaits_keyframe = False
        self.seen_ns = clock.now_ns()
        """Time at which a frame was last decoded, or dropped because the machine is overloaded."""

    def decode(self, packet: "av.Packet[Any]", time_ns: int) -> Frame | None:
        """Return the frame that a packet completes; None if it is not selected, damaged or of another track."""
        if packet.stream is not self._stream:
            return None
        wanted = self._grid.wants(time_ns)
        if self._is_behind(packet, time_ns):
            self._dropped[FRAMES_OVERLOAD] += wanted
            self.seen_ns = self._clock.now_ns()
            return None
        if self._is_intra_only and not wanted:
            return None
        try:
            images = packet.decode()
        except av.error.InvalidDataError as error:
            log.debug("damaged frame: %s", error)
            return None
        if not images:
            return None
        self.seen_ns = self._clock.now_ns()
        if not wanted:
            return None
        return Frame(self._converter.last(images[-1]), time_ns)

    def _is_behind(self, packet: "av.Packet[Any]", time_ns: int) -> bool:
        """Return whether a packet is too old to decode, or depends on a dropped one."""
        if self._clock.now_ns() - time_ns > MAX_PACKET_AGE_NS:
            self._awaits_keyframe = not self._is_intra_only
            return True
        self._awaits_keyframe = self._awaits_keyframe and not packet.is_keyframe
        return self._awaits_keyframe
