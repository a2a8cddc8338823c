"""Local cameras: the driver's times, the frames left out, and when a camera is lost."""

import os
import threading
import time
from collections import Counter
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from edge.bundle.manifest import VideoSpec
from edge.errors import SourceError
from edge.sources import camera as camera_module
from edge.sources import reader as reader_module
from edge.sources.camera import LocalCamera
from edge.sources.devices import make_camera

PICTURE = VideoSpec(5.0, 8, 8, "whole")
MS = 1_000_000
BLUE = (200, 0, 0)


class Driver:
    """What OpenCV opens: a blue picture at each of `times_ms`, told by the driver `late_ms` after that.

    It first refuses a few times; at `hangs_ms` it does not come back until the test lets it.
    """

    def __init__(
        self,
        clock,
        times_ms: list[int],
        *,
        late_ms: int | None = 30,
        refusals: int = 0,
        hangs_ms: int | None = None,
        broken: Callable[[int], bool] = lambda at_ms: False,
    ) -> None:
        self.clock, self.times_ms, self.late_ms = clock, times_ms, late_ms
        self.refusals, self.hangs_ms, self.broken = refusals, hangs_ms, broken
        self.retrieved = 0
        self.comes_back, self.released = threading.Event(), threading.Event()

    def isOpened(self) -> bool:
        return True

    def grab(self) -> bool:
        if self.refusals:
            self.refusals -= 1
            return False
        if not self.times_ms:
            return False
        self.at_ms = self.times_ms.pop(0)
        if self.at_ms == self.hangs_ms:
            self.comes_back.wait(30)
        self.clock.time_ns = (self.at_ms + (self.late_ms or 0)) * MS
        return True

    def get(self, _: int) -> float:
        return float(self.at_ms) if self.late_ms is not None else 0.0

    def retrieve(self) -> tuple[bool, np.ndarray]:
        self.retrieved += 1
        return not self.broken(self.at_ms), np.full((4, 4, 3), BLUE, np.uint8)

    def release(self) -> None:
        self.released.set()


def opened(monkeypatch, clock, driver: Driver) -> LocalCamera:
    monkeypatch.setattr(cv2, "VideoCapture", lambda *_: driver)
    camera = LocalCamera("0", PICTURE, clock, Counter())
    camera.open()
    return camera


def take_all(camera: LocalCamera, match: str) -> list[tuple[int, list[int]]]:
    """Time and first pixel of every frame before the camera is lost."""
    taken = []

    def take() -> None:
        for frame in camera.read():
            taken.append((frame.end_ns // MS, frame.image[0, 0].tolist()))

    with pytest.raises(SourceError, match=match):
        take()
    return taken


def test_frames_of_the_grid_are_decoded_at_the_drivers_time_in_rgb(monkeypatch, clock) -> None:
    driver = Driver(clock, list(range(10_000, 11_000, 40)))
    camera = opened(monkeypatch, clock, driver)
    taken = take_all(camera, "camera 0 gives no more frames; check its cable")
    assert taken == [(at, [0, 0, 200]) for at in (10_000, 10_200, 10_400, 10_600, 10_800)]
    assert driver.retrieved == 5


@pytest.mark.parametrize(
    ("late_ms", "time_ms"), [(0, 90_000), (999, 90_000), (1000, 91_000), (-1, 89_999), (5000, 95_000)]
)
def test_a_driver_time_that_cannot_be_is_replaced_by_now(monkeypatch, clock, late_ms: int, time_ms: int) -> None:
    camera = opened(monkeypatch, clock, Driver(clock, [90_000], late_ms=late_ms))
    assert take_all(camera, "no more frames")[0][0] == time_ms


def test_without_a_driver_time_it_is_now(monkeypatch, clock) -> None:
    camera = opened(monkeypatch, clock, Driver(clock, [90_000], late_ms=None))
    assert take_all(camera, "no more frames")[0][0] == 90_000


def test_a_frame_that_cannot_be_decoded_is_skipped(monkeypatch, clock) -> None:
    driver = Driver(clock, [90_000, 90_200, 90_400], broken=lambda at_ms: at_ms == 90_200)
    assert [at for at, _ in take_all(opened(monkeypatch, clock, driver), "no more frames")] == [90_000, 90_400]


def test_the_first_frame_may_take_a_few_attempts(monkeypatch, clock) -> None:
    driver = Driver(clock, [90_000], refusals=3)
    assert [at for at, _ in take_all(opened(monkeypatch, clock, driver), "no more frames")] == [90_000]


@pytest.mark.parametrize(("hangs_ms", "given", "patience_s"), [(90_200, 1, 0.2), (90_000, 0, 0.4)])
def test_a_camera_whose_driver_does_not_come_back_is_lost(
    monkeypatch, clock, hangs_ms: int, given: int, patience_s: float
) -> None:
    monkeypatch.setattr(camera_module, "VIDEO_LOST_S", 0.0)
    monkeypatch.setattr(camera_module, "FIRST_S", 0.4)
    monkeypatch.setattr(reader_module, "RELEASE_S", 0.05)
    driver = Driver(clock, [90_000, 90_200], hangs_ms=hangs_ms)
    camera = opened(monkeypatch, clock, driver)
    begun_s = time.monotonic()
    assert len(take_all(camera, "camera 0 gives no more frames")) == given
    assert time.monotonic() - begun_s >= patience_s
    camera.close()
    assert not driver.released.is_set()
    driver.comes_back.set()
    assert driver.released.wait(30)


def test_a_camera_that_gives_nothing_of_use_is_lost_and_released(monkeypatch, clock) -> None:
    monkeypatch.setattr(camera_module, "FIRST_S", 0.1)
    driver = Driver(clock, list(range(1000, 10**8, 1000)), broken=lambda at_ms: True)
    camera = opened(monkeypatch, clock, driver)
    assert take_all(camera, "no more frames") == []
    camera.close()
    assert driver.released.is_set()
    assert driver.times_ms


def test_a_device_that_opencv_waits_for_is_released_within_a_second(monkeypatch, clock) -> None:
    monkeypatch.delenv("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", raising=False)
    opened(monkeypatch, clock, Driver(clock, [])).close()
    assert os.environ["OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT"] == "1"


def test_closing_releases_the_device_and_may_be_repeated(monkeypatch, clock) -> None:
    driver = Driver(clock, [])
    camera = opened(monkeypatch, clock, driver)
    camera.close()
    camera.close()
    assert driver.released.is_set()


@pytest.mark.parametrize(
    ("spec", "remedy"),
    [("99", "foal-edge devices"), ("/dev/nowhere", "foal-edge devices"), ("nowhere ! appsink", "gst-launch-1.0")],
)
def test_a_camera_that_is_not_there_is_named_with_a_remedy(clock, spec: str, remedy: str) -> None:
    with pytest.raises(SourceError, match=f"cannot open camera {spec}; .*{remedy}"):
        make_camera(spec, PICTURE, clock, Counter()).open()


def test_frames_that_the_driver_held_back_are_dropped_and_counted(monkeypatch, clock) -> None:
    class Late(Driver):
        """From its tenth second on it tells times of three seconds ago."""

        def get(self, _: int) -> float:
            return float(self.at_ms - (3000 if self.at_ms >= 10_000 else 0))

    dropped = Counter[str]()
    monkeypatch.setattr(cv2, "VideoCapture", lambda *_: Late(clock, [9000, 9400, *range(10_000, 11_000, 200)]))
    camera = LocalCamera("0", PICTURE, clock, dropped)
    camera.open()
    assert [at for at, _ in take_all(camera, "no more frames")] == [9000, 9400]
    assert dropped == {"frames_stale": 5}


@pytest.mark.parametrize("suspended_s", [0, 30])
def test_after_a_gap_the_camera_is_opened_anew(monkeypatch, clock, suspended_s: int) -> None:
    class Stopped(Driver):
        """In its third frame the program is stopped or the machine suspended."""

        def grab(self) -> bool:
            taken = super().grab()
            if self.at_ms == 1400:
                clock.suspended_ns += suspended_s * 10**9
                clock.time_ns += (30 - suspended_s) * 10**9
            return taken

    camera = opened(monkeypatch, clock, Stopped(clock, list(range(1000, 3000, 200)), late_ms=None))
    assert [at for at, _ in take_all(camera, "no more frames")] == [1000, 1200]
