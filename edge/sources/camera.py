"""Cameras on this machine: V4L2 by number or path, GStreamer pipelines, through OpenCV."""

import os
import queue
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from ..bundle.manifest import VideoSpec
from ..clock import SECOND_NS, Clock
from ..errors import SourceError
from ..preprocess.media import VIDEO_LOST_S, Frame
from ..preprocess.windowing import FrameGrid
from ..system.files import denied
from ..system.redaction import without_secrets
from ..wire.drop_reasons import FRAMES_STALE
from .base import Source
from .location import is_address
from .network_camera import NetworkCamera
from .reader import Reader

FIRST_S = 5.0
"""What the first frame may take: a sensor has to wake and to find its exposure."""
FIRST_RETRY_S = 0.1
LOG_ERRORS = 2
"""OpenCV's log level that leaves its warnings out: a device without an answer is said by us."""
V4L_TIMEOUT = ("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "1")
"""Whole seconds after which OpenCV gives a silent device back; it would hold it for 10. Read at its first grab."""
GSTREAMER_TIMEOUTS = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, 5000, cv2.CAP_PROP_READ_TIMEOUT_MSEC, 1000]
"""The same for pipelines; it would hold them for 30 s."""


def make_camera(spec: str, video: VideoSpec, clock: Clock, dropped: Counter[str]) -> Source:
    """The camera that the user names: a number, a device path, a GStreamer string or an address.

    Frames that come too late are counted in `dropped`.
    """
    if is_address(spec):
        return NetworkCamera(spec, video, clock, dropped)
    return LocalCamera(spec, video, clock, dropped)


def set_log_level(level: int) -> None:
    """Say how much OpenCV logs. Up to 4.12, which JetPack brings, the function has another place than from 4.13 on."""
    told = getattr(cv2, "setLogLevel", None) or cv2.utils.logging.setLogLevel
    told(level)


class LocalCamera:
    """A camera on this machine. Frames that the grid leaves out are taken but never decoded."""

    def __init__(self, spec: str, video: VideoSpec, clock: Clock, dropped: Counter[str]) -> None:
        self.name = f"camera {without_secrets(spec)}"
        self._spec, self._clock, self._rate_hz, self._dropped = spec, clock, video.rate_hz, dropped
        self._capture: cv2.VideoCapture | None = None
        self._reader: Reader[Frame] | None = None

    def open(self) -> None:
        """SourceError where there is no such camera, or another program holds it."""
        os.environ.setdefault(*V4L_TIMEOUT)
        set_log_level(LOG_ERRORS)
        if "!" in self._spec:
            capture = cv2.VideoCapture(self._spec, cv2.CAP_GSTREAMER, GSTREAMER_TIMEOUTS)
            remedy = "check the pipeline with gst-launch-1.0, and that OpenCV was built with GStreamer"
        else:
            device = int(self._spec) if self._spec.isdecimal() else self._spec
            capture = cv2.VideoCapture(device, cv2.CAP_V4L2)
            remedy = "foal-edge devices lists what is there; another program may hold it"
            node = Path(f"/dev/video{device}" if isinstance(device, int) else device)
            if os.path.exists(node) and not os.access(node, os.R_OK | os.W_OK):
                remedy = denied(node) + ", or put this user into the group video"
        if not capture.isOpened():
            capture.release()
            raise SourceError(f"cannot open {self.name}; {remedy}")
        self._capture = capture

    def read(self) -> Iterator[Frame]:
        """Frames of the bundle's picture rate; SourceError where none comes for a second, 5 s at first."""
        assert self._capture is not None, "open() comes first"
        capture, self._capture = self._capture, None
        lost_s = VIDEO_LOST_S + 1 / self._rate_hz
        self._reader = Reader(self.name, self._frames(capture), capture.release, 1, self._clock, lost_s)
        patience_s = FIRST_S
        while True:
            try:
                frame = self._reader.take(patience_s)
            except (queue.Empty, EOFError, cv2.error) as error:
                raise SourceError(f"{self.name} gives no more frames; check its cable") from error
            patience_s = lost_s
            yield frame

    def _frames(self, capture: cv2.VideoCapture) -> Iterator[Frame | None]:
        """What the driver gives, until it gives nothing; a frame that cannot be decoded is passed over."""
        grid, times = FrameGrid(self._rate_hz), DriverTimes(capture, self._clock)
        first_by_s = time.monotonic() + FIRST_S
        time_ns = 0
        while True:
            if capture.grab():
                captured_ns = times.capture_time()
                if captured_ns is None:
                    self._dropped[FRAMES_STALE] += 1
                    yield None
                    continue
                time_ns = max(captured_ns, time_ns + 1)
                yield self._decoded(capture, time_ns) if grid.wants(time_ns) else None
            elif time_ns or time.monotonic() > first_by_s:
                return
            else:
                time.sleep(FIRST_RETRY_S)
                yield None

    def _decoded(self, capture: cv2.VideoCapture, time_ns: int) -> Frame | None:
        taken, image = capture.retrieve()
        return Frame(np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8), time_ns) if taken else None

    def close(self) -> None:
        """Release the device."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        if self._capture is not None:
            self._capture.release()
            self._capture = None


class DriverTimes:
    """The capture times of a driver's frames: its buffer times, if it goes by this machine's monotonic clock."""

    def __init__(self, capture: cv2.VideoCapture, clock: Clock) -> None:
        self._capture, self._clock = capture, clock
        self._is_believed = False
        """Whether the driver has told a time of the last second: an older one is that of a frame held back."""

    def capture_time(self) -> int | None:
        """The newest grabbed frame's time, now where the driver tells none, None where the frame is stale."""
        now_ns = self._clock.now_ns()
        driver_ns = round(self._capture.get(cv2.CAP_PROP_POS_MSEC) * 1e6)
        age_ns = now_ns - driver_ns
        if 0 <= age_ns < SECOND_NS:
            self._is_believed = True
            return driver_ns
        return None if self._is_believed and age_ns > 0 else now_ns
