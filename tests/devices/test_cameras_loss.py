"""A camera that is unplugged, plugged in again and covered, on a real V4L2 device.

FOAL_CAMERA names a camera (as `--camera` takes it) that shows something. What happens to it is done by shell commands:
FOAL_CAMERA_UNPLUG ends what it gives, FOAL_CAMERA_PLUG begins it again, FOAL_CAMERA_COVER has it give black instead.
The last two may go on running; they are ended with the test.
"""

import logging
import os
import queue
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from edge.bundle.manifest import VideoSpec
from edge.clock import SystemClock
from edge.errors import SourceError
from edge.live.signal_quality import is_dark
from edge.preprocess.media import VIDEO_LOST_S, Frame
from edge.sources.camera import LocalCamera
from edge.sources.capture import Capture

CAMERA = os.environ.get("FOAL_CAMERA")
COMMANDS = ("FOAL_CAMERA_UNPLUG", "FOAL_CAMERA_PLUG", "FOAL_CAMERA_COVER")
PICTURE = VideoSpec(5.0, 64, 64, "whole")
SLOT_S = 1 / PICTURE.rate_hz
PATIENCE_S = 60.0
"""An emulated machine takes its time to start a program; a real one needs a second."""
SLACK_S = 1.0

pytestmark = [
    pytest.mark.skipif(CAMERA is None, reason="FOAL_CAMERA names no camera"),
    pytest.mark.skipif(
        not all(map(os.environ.get, COMMANDS)), reason=f"{', '.join(COMMANDS)} do not all say how to unplug the camera"
    ),
]
Act = Callable[[str], None]


@pytest.fixture
def act() -> Iterator[Act]:
    """Runs the command that a variable holds; afterwards the camera is as it was."""
    running: list[subprocess.Popen[bytes]] = []

    def end_all() -> None:
        for process in running:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        running.clear()

    def run(variable: str) -> None:
        if variable == "FOAL_CAMERA_UNPLUG":
            end_all()
            subprocess.run(os.environ[variable], shell=True, check=False)
        else:
            running.append(subprocess.Popen(os.environ[variable], shell=True, start_new_session=True))

    run("FOAL_CAMERA_UNPLUG")
    run("FOAL_CAMERA_PLUG")
    yield run
    end_all()


def opened() -> LocalCamera:
    camera = LocalCamera(str(CAMERA), PICTURE, SystemClock(), Counter())
    deadline_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            camera.open()
            return camera
        except SourceError:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.2)


def test_no_frame_for_a_second_is_a_lost_camera(act: Act, record_property) -> None:
    camera = opened()
    media = camera.read()
    frames = [next(media) for _ in range(5)]
    act("FOAL_CAMERA_UNPLUG")
    error = drain(media, frames)
    lost_s = time.monotonic() - frames[-1].end_ns / 1e9
    camera.close()
    record_property("measured", f"camera lost {lost_s:.2f} s after its last frame")
    assert str(error) == f"{camera.name} gives no more frames; check its cable"
    assert lost_s <= VIDEO_LOST_S + SLOT_S + SLACK_S


def drain(media: Iterator[Frame], frames: list[Frame]) -> SourceError | None:
    """Add the frames that are left; what ended them."""
    try:
        frames.extend(media)
    except SourceError as error:
        return error
    return None


def test_frames_come_again_once_it_is_plugged_in(act: Act, caplog, record_property) -> None:
    taken: queue.Queue[Frame] = queue.Queue()
    stop, ended = threading.Event(), []
    camera = LocalCamera(str(CAMERA), PICTURE, SystemClock(), Counter())

    def put(frame: Frame) -> bool:
        taken.put(frame)
        return True

    capture = Capture(camera, put, ended.append, stop, is_open=False, reopen=True)
    with caplog.at_level(logging.WARNING):
        capture.start()
        taken.get(timeout=PATIENCE_S)
        act("FOAL_CAMERA_UNPLUG")
        wait_for_silence(taken)
        plugged_ns = time.monotonic_ns()
        act("FOAL_CAMERA_PLUG")
        again = [taken.get(timeout=PATIENCE_S) for _ in range(5)]
        stop.set()
        capture.finish()
    record_property("measured", f"frames {(again[0].end_ns - plugged_ns) / 1e9:.1f} s after it was plugged in again")
    assert all(frame.end_ns > plugged_ns for frame in again)
    said = [record.getMessage() for record in caplog.records]
    there = f"{camera.name} is there"
    lost = f"{camera.name} gives no more frames; check its cable; it is tried again from now on"
    assert said == [there, lost, there]
    assert ended == [None]


def wait_for_silence(taken: "queue.Queue[Frame]") -> None:
    with suppress(queue.Empty):  # what is waited for
        while True:
            taken.get(timeout=VIDEO_LOST_S + 2 * SLACK_S)


def test_a_covered_lens_is_dark(act: Act) -> None:
    assert not is_dark(shown())
    act("FOAL_CAMERA_UNPLUG")
    act("FOAL_CAMERA_COVER")
    assert is_dark(shown())


def shown():
    """What the camera shows now; a driver may hold a few pictures of before."""
    camera = opened()
    images = [frame.image for frame, _ in zip(camera.read(), range(5), strict=False)]
    camera.close()
    return images[-1]
