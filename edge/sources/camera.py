"""Local cameras through OpenCV: V4L2 devices and GStreamer pipelines."""

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
from .reader import Reader

FIRST_S = 5.0
"""Time allowed for the first frame: a sensor has to wake up and settle its exposure."""
FIRST_RETRY_S = 0.1
"""Delay between attempts to grab the first frame."""
LOG_ERRORS = 2
"""OpenCV's log level without warnings: a device that does not answer is reported as SourceError."""
V4L_TIMEOUT = ("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "1")
"""Environment variable of OpenCV's timeout of a grab in whole seconds, 10 by default; read at the first grab."""
GSTREAMER_TIMEOUTS = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, 5000, cv2.CAP_PROP_READ_TIMEOUT_MSEC, 1000]
"""Timeouts of GStreamer pipelines, 30 s by default."""


def set_log_level(level: int) -> None:
    """Set OpenCV's log level, by the function of OpenCV up to 4.12 (JetPack) or the one from 4.13 on."""
    set_level = getattr(cv2, "setLogLevel", None) or cv2.utils.logging.setLogLevel
    set_level(level)


class LocalCamera:
    """Camera on this machine: a number, a device path or a GStreamer pipeline.

    Frames that the grid does not select are grabbed but not decoded; stale ones are counted in `dropped`.
    """

    def __init__(self, spec: str, video: VideoSpec, clock: Clock, dropped: Counter[str]) -> None:
        self.name = f"camera {without_secrets(spec)}"
        self._spec, self._clock, self._rate_hz, self._dropped = spec, clock, video.rate_hz, dropped
        self._capture: cv2.VideoCapture | None = None
        self._reader: Reader[Frame] | None = None

    def open(self) -> None:
        """Open the camera; raises SourceError if it is missing or in use."""
        os.environ.setdefault(*V4L_TIMEOUT)
        set_log_level(LOG_ERRORS)
        if "!" in self._spec:
            capture = cv2.VideoCapture(self._spec, cv2.CAP_GSTREAMER, GSTREAMER_TIMEOUTS)
            remedy = "check the pipeline with gst-launch-1.0, and that OpenCV was built with GStreamer"
        else:
            device = int(self._spec) if self._spec.isdecimal() else self._spec
            capture = cv2.VideoCapture(device, cv2.CAP_V4L2)
            remedy = "foal-edge devices lists the cameras; another program may be using it"
            node = Path(f"/dev/video{device}" if isinstance(device, int) else device)
            if not os.path.exists(node):
                remedy = f"there is no {node}; foal-edge devices lists the cameras"
            elif not os.access(node, os.R_OK | os.W_OK):
                remedy = denied(node) + ", or put this user into the group video"
        if not capture.isOpened():
            capture.release()
            raise SourceError(f"cannot open {self.name}; {remedy}")
        self._capture = capture

    def read(self) -> Iterator[Frame]:
        """Yield frames at the bundle's rate; raises SourceError if none comes for 1 s, at first 5 s."""
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
        """Yield the driver's frames until it gives none; None for frames not selected, stale or undecodable."""
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
    """Capture times of a driver's frames: its buffer times if they are of CLOCK_MONOTONIC, else the current time."""

    def __init__(self, capture: cv2.VideoCapture, clock: Clock) -> None:
        self._capture, self._clock = capture, clock
        self._is_believed = False
        """True once the driver has given a time of the last second: an older one then means a stale frame."""

    def capture_time(self) -> int | None:
        """Return the time of the last grabbed frame, the current time if the driver gives none, None if it is stale."""
        now_ns = self._clock.now_ns()
        driver_ns = round(self._capture.get(cv2.CAP_PROP_POS_MSEC) * 1e6)
        age_ns = now_ns - driver_ns
        if 0 <= age_ns < SECOND_NS:
            self._is_believed = True
            return driver_ns
        return None if self._is_believed and age_ns > 0 else now_ns
