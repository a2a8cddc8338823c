"""Real camera servers that are killed, that hang, and that come back: FFmpeg's over HTTP, GStreamer's over RTSP."""

import logging
import queue
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.bundle.manifest import VideoSpec
from edge.clock import SystemClock
from edge.preprocess.media import Frame
from edge.sources import capture as capture_module
from edge.sources.capture import Capture
from edge.sources.devices import make_camera

PICTURE = VideoSpec(5.0, 8, 8, "whole")
BLUE, RED = 2, 0
"""The brightest channel of a frame: that of the server that was first, and of the one after it."""
PATIENCE_S = 60.0
RTSP_SERVER = ["/usr/bin/python3", str(Path(__file__).with_name("rtsp_server.py"))]


class Server:
    """A camera's server, a process: a new one shows another colour."""

    def __init__(self, scheme: str) -> None:
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self._port = found.getsockname()[1]
        self._scheme = scheme
        self.address = f"{scheme}://127.0.0.1:{self._port}/camera"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, colour: int) -> None:
        shown = "blue" if colour == BLUE else "red"
        if self._scheme == "rtsp":
            command = [*RTSP_SERVER, str(self._port), {"blue": "0xff0000ff", "red": "0xffff0000"}[shown]]
        else:
            source = f"color={shown}:size=320x240:rate=25"
            command = ["ffmpeg", "-nostdin", "-loglevel", "quiet", "-re", "-f", "lavfi", "-i", source]
            command += ["-c:v", "mjpeg", "-f", "mpjpeg", "-listen", "1", self.address]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@pytest.fixture(params=["http", "rtsp"])
def server(request) -> Iterator[Server]:
    if request.param == "http" and shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg, which would serve motion JPEG, is not on PATH")
    if request.param == "rtsp" and not has_rtsp_server():
        pytest.skip(
            "/usr/bin/python3 has no GStreamer RTSP server (Debian: gir1.2-gst-rtsp-server-1.0, python3-gi, "
            "gstreamer1.0-plugins-good, gstreamer1.0-plugins-ugly)"
        )
    server = Server(request.param)
    yield server
    server.kill()


def has_rtsp_server() -> bool:
    return (
        Path(RTSP_SERVER[0]).exists() and subprocess.run(RTSP_SERVER, capture_output=True, check=False).returncode == 0
    )


class Watched:
    """A camera as the runtime captures it, tried again in short order."""

    def __init__(self, address: str, caplog) -> None:
        self.frames: queue.Queue[Frame] = queue.Queue()
        self._stop, self._caplog = threading.Event(), caplog
        camera = make_camera(address, PICTURE, SystemClock(), Counter())
        self._name = camera.name
        self._capture = Capture(camera, self._put, lambda _: None, self._stop, is_open=False, reopen=True)
        self._capture.start()

    def _put(self, frame: Frame) -> bool:
        self.frames.put(frame)
        return True

    def take(self, count: int) -> list[Frame]:
        return [self.frames.get(timeout=PATIENCE_S) for _ in range(count)]

    def lost_after_s(self, since_s: float) -> float:
        """How long after a moment of `time.time` the loss was said."""
        deadline_s = time.monotonic() + PATIENCE_S
        while True:
            said = [record for record in self._caplog.records if "tried again" in record.getMessage()]
            if said:
                return said[0].created - since_s
            assert time.monotonic() < deadline_s, "no loss was said"
            time.sleep(0.01)

    def finish(self) -> list[str]:
        self._stop.set()
        self._capture.finish()
        return [record.getMessage() for record in self._caplog.records]


@pytest.fixture
def watched(server, caplog, monkeypatch) -> Iterator[Watched]:
    monkeypatch.setattr(capture_module, "FIRST_RETRY_S", 0.1)
    caplog.set_level(logging.WARNING, logger=capture_module.__name__)
    server.start(BLUE)
    watched = Watched(server.address, caplog)
    yield watched
    watched.finish()


def colours(frames: list[Frame]) -> set[int]:
    return {int(frame.image[100, 100].argmax()) for frame in frames}


@pytest.mark.parametrize("kind", ["killed", "hanging"])
def test_a_server_is_lost_and_its_return_is_seen(server, watched, kind, record_property) -> None:
    assert colours(watched.take(5)) == {BLUE}
    acted_s = time.time()
    server.send(signal.SIGKILL if kind == "killed" else signal.SIGSTOP)
    lost_s = watched.lost_after_s(acted_s)
    server.kill()
    old = [watched.frames.get_nowait() for _ in range(watched.frames.qsize())]
    returned_ns = time.monotonic_ns()
    server.start(RED)
    new = watched.take(5)
    said = watched.finish()
    again_s = (new[0].end_ns - returned_ns) / 1e9
    record_property(
        "measured", f"{server.address[:4]} {kind}: lost after {lost_s:.2f} s, seen again {again_s:.2f} s after"
    )
    assert colours(old) <= {BLUE}
    assert colours(new) == {RED}
    assert all(frame.end_ns > returned_ns for frame in new)
    there = f"camera {server.address} is there"
    assert len(said) >= 3
    assert [line for line in said if "tried again" not in line] == [there] * (len(said) // 2 + 1)


def test_a_server_that_goes_on_after_hanging_is_seen_again(server, watched) -> None:
    watched.take(2)
    server.send(signal.SIGSTOP)
    watched.lost_after_s(time.time())
    watched.take(watched.frames.qsize())
    resumed_ns = time.monotonic_ns()
    server.send(signal.SIGCONT)
    if server.address.startswith("http"):
        server.kill()  # it serves one client only
        server.start(BLUE)
    assert all(frame.end_ns > resumed_ns for frame in watched.take(5))
