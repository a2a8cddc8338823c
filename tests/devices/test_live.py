"""The whole runtime on real devices, as a subscriber sees it.

FOAL_CAMERA names a camera (as `--camera` takes it) that shows a face; FOAL_MICROPHONE=1 says that the default
microphone hears something.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge.wire.messages import Prediction
from edge.wire.subscriber import Subscriber

ROOT = Path(__file__).parents[2]
CAMERA = os.environ.get("FOAL_CAMERA")
ABSENT_CAMERA = "/dev/no-such-camera"
HEARS = ("ok", "no_speech")
"""States of audio that arrives, whether anybody speaks or not."""
PATIENCE_S = 120.0
"""An emulated machine takes its time; a real one needs two seconds."""

needs_camera = pytest.mark.skipif(CAMERA is None, reason="FOAL_CAMERA names no camera")
needs_microphone = pytest.mark.skipif(
    os.environ.get("FOAL_MICROPHONE") != "1", reason="FOAL_MICROPHONE=1 does not say that there is a microphone"
)


@contextmanager
def running(tmp_path: Path, *options: str) -> Iterator[str]:
    """A runtime on its own socket; it must end cleanly on Ctrl-C."""
    address = f"ipc://{tmp_path}/publisher"
    command = [sys.executable, "-m", "edge", "--bind", address, "--quiet", *options]
    with subprocess.Popen(command, cwd=ROOT) as process:
        try:
            yield address
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE_S) == 0


def predictions(address: str, count: int) -> list[Prediction]:
    with Subscriber(address, "emotion.main.") as subscriber:
        received = [subscriber.receive(PATIENCE_S) for _ in range(count)]
    assert all(isinstance(message, Prediction) for message in received)
    return received


@needs_camera
@needs_microphone
def test_camera_and_microphone(tmp_path):
    with running(tmp_path, "--camera", CAMERA, "--mic", "default") as address:
        received = predictions(address, 8)
    both = [message for message in received if message.audio.state in HEARS and message.video.state == "ok"]
    assert len(both) >= 5
    assert all(message.video.box is not None for message in both)
    assert all((message.agreement is not None) == (message.audio.state == "ok") for message in both)
    assert [message.seq for message in received] == list(range(received[0].seq, received[0].seq + 8))


@needs_camera
def test_camera_alone(tmp_path):
    with running(tmp_path, "--camera", CAMERA, "--mic", "off") as address:
        received = predictions(address, 5)
    assert {message.audio.state for message in received} == {"off"}
    assert received[-1].video.state == "ok"
    assert received[-1].agreement is None


@needs_microphone
def test_microphone_while_the_camera_is_lost(tmp_path):
    with running(tmp_path, "--camera", ABSENT_CAMERA, "--mic", "default") as address:
        received = predictions(address, 8)
    assert {message.audio.state for message in received[4:]} <= {*HEARS, "silent"}
    assert {message.video.state for message in received[4:]} == {"lost"}
    assert all(message.video.frames == 0 and message.agreement is None for message in received)
