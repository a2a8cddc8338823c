"""Cameras: V4L2 by number or path and GStreamer pipelines through OpenCV, network addresses through PyAV."""

from collections.abc import Iterator

import av
import cv2
import numpy as np

from ..bundle import Picture
from ..clock import SECOND_NS, Clock
from ..errors import SourceError
from ..samples import Frame
from ..windowing import FrameGrid
from .base import Source
from .media import to_rgb

ADDRESSES = ("rtsp://", "rtsps://", "http://", "https://")
TIMEOUT_S = 5.0


def make_camera(spec: str, picture: Picture, clock: Clock) -> Source:
    """The camera that the user names: a number, a device path, a GStreamer string or an address."""
    if spec.startswith(ADDRESSES):
        return NetworkCamera(spec, picture, clock)
    return LocalCamera(spec, picture, clock)


class LocalCamera:
    """A camera on this machine. Frames that the grid leaves out are taken but never decoded."""

    def __init__(self, spec: str, picture: Picture, clock: Clock) -> None:
        self.name = f"camera {spec}"
        self._spec, self._clock, self._rate_hz = spec, clock, picture.rate_hz
        self._capture: cv2.VideoCapture | None = None

    def open(self) -> None:
        """SourceError where there is no such camera, or another program holds it."""
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
        if "!" in self._spec:
            capture = cv2.VideoCapture(self._spec, cv2.CAP_GSTREAMER)
            remedy = "check the pipeline with gst-launch-1.0, and that OpenCV was built with GStreamer"
        else:
            device = int(self._spec) if self._spec.isdecimal() else self._spec
            capture = cv2.VideoCapture(device, cv2.CAP_V4L2)
            remedy = "foal-edge devices lists what is there; another program may hold it"
        if not capture.isOpened():
            capture.release()
            raise SourceError(f"cannot open {self.name}; {remedy}")
        self._capture = capture

    def events(self) -> Iterator[Frame]:
        """Frames of the bundle's picture rate; SourceError where the camera stops giving any."""
        assert self._capture is not None, "open() comes first"
        grid = FrameGrid(self._rate_hz)
        time_ns = 0
        while self._capture.grab():
            time_ns = max(self._capture_time(self._capture), time_ns + 1)
            if grid.wants(time_ns):
                taken, picture = self._capture.retrieve()
                if not taken:
                    break
                yield Frame(np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8), time_ns)
        raise SourceError(f"{self.name} gives no more frames; check its cable")

    def _capture_time(self, capture: cv2.VideoCapture) -> int:
        """The driver's buffer time where it is believable, else now."""
        now_ns = self._clock.now_ns()
        driver_ns = round(capture.get(cv2.CAP_PROP_POS_MSEC) * 1e6)
        return driver_ns if 0 <= now_ns - driver_ns < SECOND_NS else now_ns

    def close(self) -> None:
        """Release the device."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None


class NetworkCamera:
    """A camera behind an RTSP or HTTP address; frames are timed as they arrive."""

    def __init__(self, address: str, picture: Picture, clock: Clock) -> None:
        self.name = f"camera {address}"
        self._address, self._clock, self._rate_hz = address, clock, picture.rate_hz
        self._container: av.container.InputContainer | None = None

    def open(self) -> None:
        """SourceError where nothing answers, or what answers is no picture."""
        options = {"rtsp_transport": "tcp"} if self._address.startswith("rtsp") else {}
        try:
            container = av.open(self._address, options=options, timeout=TIMEOUT_S)
        except (av.error.FFmpegError, OSError) as error:
            raise SourceError(f"cannot open {self.name}: {error}; check the address and that it answers") from error
        if not container.streams.video:
            container.close()
            raise SourceError(f"{self.name} sends no picture; give an address that does")
        self._container = container

    def events(self) -> Iterator[Frame]:
        """Frames of the bundle's picture rate; SourceError where the stream ends."""
        assert self._container is not None, "open() comes first"
        grid = FrameGrid(self._rate_hz)
        try:
            for frame in self._container.decode(video=0):
                time_ns = self._clock.now_ns()
                if grid.wants(time_ns):
                    yield Frame(to_rgb(frame), time_ns)
        except (av.error.FFmpegError, OSError) as error:
            raise SourceError(f"{self.name} is gone: {error}") from error
        raise SourceError(f"{self.name} has ended its stream")

    def close(self) -> None:
        """Close the connection."""
        if self._container is not None:
            self._container.close()
            self._container = None
