"""The whole runtime while its devices are lost and return, as a subscriber sees it.

Needs FOAL_MICROPHONE=1, and a sound server that may be killed: FOAL_MICROPHONE_START is a command that starts it again
and leaves its process id in the file `pid` beside it. The camera is FFmpeg, serving motion JPEG on loopback.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge.wire.messages import Message, Prediction, Status
from edge.wire.subscriber import Subscriber

from .test_live import HEARS, running

PATIENCE_S = 40.0
"""Reopening is tried every 10 s at last."""
SLOWEST_LOSS_S = 3.0

pytestmark = pytest.mark.skipif(
    not (os.environ.get("FOAL_MICROPHONE") == "1" and "FOAL_MICROPHONE_START" in os.environ and shutil.which("ffmpeg")),
    reason="FOAL_MICROPHONE=1, FOAL_MICROPHONE_START or ffmpeg are not there",
)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def camera(address: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A test picture, 10 frames a second, to the first who asks."""
    command = ["ffmpeg", "-nostdin", "-loglevel", "quiet", "-re", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=10"]
    with subprocess.Popen([*command, "-f", "mpjpeg", "-listen", "1", address]) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(subscriber: Subscriber, wanted: Callable[[Message], bool]) -> Message:
    """The first message that is wanted."""
    until_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < until_s:
        message = subscriber.receive(1.0)
        if message is not None and wanted(message):
            return message
    pytest.fail(f"nothing of the kind within {PATIENCE_S} s")


def has_states(audio: tuple[str, ...], video: str) -> Callable[[Message], bool]:
    return lambda message: isinstance(message, Status) and message.audio in audio and message.video == video


def test_each_is_lost_and_returns_while_the_other_goes_on(tmp_path: Path, record_property) -> None:
    address = f"http://127.0.0.1:{free_port()}/live.mjpeg"
    with camera(address) as served:
        time.sleep(1)
        with (
            running(tmp_path, "--camera", address, "--framing", "whole", "--av-offset-ms", "0") as published,
            Subscriber(published) as subscriber,
        ):
            wait_for(subscriber, has_states(HEARS, "ok"))

            served.kill()
            gone_ns = time.monotonic_ns()
            lost = wait_for(subscriber, has_states(HEARS, "lost"))
            assert lost.state == "degraded"
            camera_loss_s = (lost.mono_publish - gone_ns) / 1e9
            heard_only = wait_for(subscriber, lambda message: isinstance(message, Prediction))
            assert heard_only.audio.state in HEARS
            assert (heard_only.video.frames, heard_only.agreement) == (0, None)
            with camera(address):
                back_ns = time.monotonic_ns()
                seen = wait_for(subscriber, lambda m: isinstance(m, Prediction) and m.video.state == "ok")
                camera_return_s = (seen.mono_publish - back_ns) / 1e9
                assert 0 < seen.video.frames <= 1 + (seen.mono_end - back_ns) / 2e8

                server = int((Path(os.environ["FOAL_MICROPHONE_START"]).parent / "pid").read_text())
                os.kill(server, signal.SIGKILL)
                gone_ns = time.monotonic_ns()
                lost = wait_for(subscriber, has_states(("lost",), "ok"))
                microphone_loss_s = (lost.mono_publish - gone_ns) / 1e9
                seen_only = wait_for(subscriber, lambda message: isinstance(message, Prediction))
                assert (seen_only.audio.rms_dbfs, seen_only.agreement, seen_only.video.state) == (None, None, "ok")
                subprocess.run([os.environ["FOAL_MICROPHONE_START"]], check=True)
                back_ns = time.monotonic_ns()
                wait_for(subscriber, has_states(HEARS, "ok"))
                microphone_return_s = (time.monotonic_ns() - back_ns) / 1e9
    assert max(camera_loss_s, microphone_loss_s) < SLOWEST_LOSS_S
    record_property(
        "measured",
        f"camera's server killed: told after {camera_loss_s:.1f} s, seen again {camera_return_s:.1f} s after; sound "
        f" server killed: told after {microphone_loss_s:.1f} s, heard again {microphone_return_s:.1f} s after",
    )
