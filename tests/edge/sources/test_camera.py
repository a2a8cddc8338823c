"""Cameras: one that OpenCV would open, its driver's times, and real addresses on this machine."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.bundle import Picture
from edge.errors import SourceError
from edge.sources.camera import LocalCamera, make_camera

PICTURE = Picture(5.0, 8, 8, "whole")
MS = 1_000_000
BLUE = (200, 0, 0)


class Driver:
    """What OpenCV opens: a blue picture at each of `times_ms`, told by the driver `late_ms` after that."""

    def __init__(self, clock, times_ms: list[int], *, late_ms: int | None = 30, broken: bool = False) -> None:
        self.clock, self.times_ms, self.late_ms, self.broken = clock, times_ms, late_ms, broken
        self.retrieved = 0
        self.released = False

    def isOpened(self) -> bool:
        return True

    def grab(self) -> bool:
        if not self.times_ms:
            return False
        self.at_ms = self.times_ms.pop(0)
        self.clock.time_ns = (self.at_ms + (self.late_ms or 0)) * MS
        return True

    def get(self, _: int) -> float:
        return float(self.at_ms) if self.late_ms is not None else 0.0

    def retrieve(self) -> tuple[bool, np.ndarray]:
        self.retrieved += 1
        return not self.broken, np.full((4, 4, 3), BLUE, np.uint8)

    def release(self) -> None:
        self.released = True


def opened(monkeypatch, clock, driver: Driver) -> LocalCamera:
    monkeypatch.setattr(cv2, "VideoCapture", lambda *_: driver)
    camera = LocalCamera("0", PICTURE, clock)
    camera.open()
    return camera


def take_all(camera: LocalCamera, match: str) -> list[tuple[int, list[int]]]:
    """Time and first pixel of every frame before the camera is lost."""
    taken = []

    def take() -> None:
        for frame in camera.events():
            taken.append((frame.end_ns // MS, frame.picture[0, 0].tolist()))

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


def test_a_frame_that_cannot_be_decoded_is_a_lost_camera(monkeypatch, clock) -> None:
    assert take_all(opened(monkeypatch, clock, Driver(clock, [90_000], broken=True)), "no more frames") == []


def test_closing_releases_the_device_and_may_be_repeated(monkeypatch, clock) -> None:
    driver = Driver(clock, [])
    camera = opened(monkeypatch, clock, driver)
    camera.close()
    camera.close()
    assert driver.released


@pytest.mark.parametrize(
    ("spec", "remedy"),
    [("99", "foal-edge devices"), ("/dev/nowhere", "foal-edge devices"), ("nowhere ! appsink", "gst-launch-1.0")],
)
def test_a_camera_that_is_not_there_is_named_with_a_remedy(clock, spec: str, remedy: str) -> None:
    with pytest.raises(SourceError, match=f"cannot open camera {spec}; .*{remedy}"):
        make_camera(spec, PICTURE, clock).open()


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """Address of `tmp_path` over HTTP."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


class Ticking:
    """Every look is `step_ms` later."""

    def __init__(self, step_ms: int) -> None:
        self.time_ns, self.step_ns = 0, step_ms * MS

    def now_ns(self) -> int:
        self.time_ns += self.step_ns
        return self.time_ns


def test_a_network_camera_is_timed_by_arrival_and_ends_as_lost(served, tmp_path, make_clip) -> None:
    pictures = np.broadcast_to(np.uint8(5 * np.arange(10))[:, None, None, None], (10, 24, 32, 3))
    make_clip(tmp_path / "a.mkv", pictures.copy())
    camera = make_camera(f"{served}/a.mkv", PICTURE, Ticking(100))
    camera.open()
    frames, events = [], camera.events()
    for _ in range(6):
        frames.append(next(events))
    with pytest.raises(SourceError, match=r"camera http://.*/a.mkv has ended its stream"):
        next(events)
    camera.close()
    assert [frame.end_ns // MS for frame in frames] == [100, 200, 400, 600, 800, 1000]
    assert [int(frame.picture[0, 0, 0]) for frame in frames] == [0, 5, 15, 25, 35, 45]


def test_an_address_without_a_picture_is_refused(served, tmp_path, make_clip, tone) -> None:
    make_clip(tmp_path / "a.wav", samples=tone(0.1))
    with pytest.raises(SourceError, match="sends no picture"):
        make_camera(f"{served}/a.wav", PICTURE, Ticking(1)).open()


@pytest.mark.parametrize("page", ["nowhere.mkv", "page.html"])
def test_an_address_of_something_else_is_named(served, tmp_path, page: str) -> None:
    (tmp_path / "page.html").write_text("<h1>no camera</h1>")
    with pytest.raises(SourceError, match=f"camera {served}/{page}"):
        make_camera(f"{served}/{page}", PICTURE, Ticking(1)).open()


@pytest.mark.parametrize("address", ["rtsp://127.0.0.1:9/x", "http://127.0.0.1:9/x"])
def test_an_address_where_nothing_answers_is_named(clock, address: str) -> None:
    with pytest.raises(SourceError, match=f"cannot open camera {address}: .*; check the address"):
        make_camera(address, PICTURE, clock).open()
