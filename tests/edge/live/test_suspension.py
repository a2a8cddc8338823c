"""Gaps are noticed whichever clock shows them, and nothing from before one is said as of now."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest
import zmq

from edge.clock import SystemClock
from edge.live.recognizer import Recognizer
from edge.live.reporter import CHECK_NS
from edge.live.suspension import GAP_NS, SuspensionWatch
from edge.wire.messages import Prediction, Status, decode
from tests.edge.made_messages import EVENT, PERSON, PREDICTION, STATUS
from tests.edge.made_run import MS, MadeRun, recorded

SECOND_NS = 10**9
PART = b"--next\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%b\r\n"
JPEG = cv2.imencode(".jpg", np.full((48, 64, 3), 200, np.uint8))[1].tobytes()
PATIENCE_MS = 60_000
STOPPED_S = 3.0


def test_without_a_gap_there_is_none(clock) -> None:
    watch = SuspensionWatch(clock)
    for _ in range(10):
        clock.time_ns += GAP_NS
        assert watch.awake_since_ns() == 0


@pytest.mark.parametrize(("awake_s", "suspended_s"), [(30, 0), (0, 30), (1, 1)])
def test_a_gap_ends_where_it_is_noticed(clock, caplog, awake_s: int, suspended_s: int) -> None:
    watch = SuspensionWatch(clock)
    clock.time_ns += awake_s * SECOND_NS
    clock.suspended_ns += suspended_s * SECOND_NS
    assert watch.awake_since_ns() == clock.time_ns
    assert f"stopped or suspended for {awake_s + suspended_s}.0 s" in caplog.text
    clock.time_ns += MS
    assert watch.awake_since_ns() == clock.time_ns - MS


def test_what_took_long_before_the_start_is_no_gap(clock, caplog) -> None:
    watch = SuspensionWatch(clock)
    clock.time_ns += 5 * GAP_NS
    watch.start()
    assert (watch.awake_since_ns(), caplog.text) == (0, "")
    watch.close()


def test_a_thread_ticks_so_that_a_long_step_is_no_gap() -> None:
    clock = SystemClock()
    watch = SuspensionWatch(clock)
    watch.start()
    threading.Event().wait(2 * GAP_NS / SECOND_NS)
    assert watch.awake_since_ns() == 0
    watch.close()


def test_what_was_judged_before_a_gap_is_stale_but_what_carries_its_own_time_is_not(clock) -> None:
    clock.time_ns = 100 * SECOND_NS
    watch = SuspensionWatch(clock)
    before = {"mono_publish": clock.time_ns}
    clock.time_ns += 30 * SECOND_NS
    after = {"mono_publish": clock.time_ns + MS}
    stopped = msgspec.structs.replace(STATUS, state="stopped", **before)
    stale = [
        watch.is_stale(msgspec.structs.replace(message, **before)) for message in (PREDICTION, PERSON, STATUS, EVENT)
    ]
    assert (stale, watch.is_stale(stopped)) == ([True, True, True, False], False)
    assert not any(watch.is_stale(msgspec.structs.replace(message, **after)) for message in (PREDICTION, STATUS))


def test_all_streams_begin_anew_after_a_gap(manifest, numpy_backend) -> None:
    made = MadeRun(Recognizer(manifest, numpy_backend), names=("cam1", "cam2"))
    made.step(1000, recorded(1000), recorded(1000))
    before = len(made.of_kind(Prediction))
    made.take(31_200 * MS, made.loop.discontinuities(31_200 * MS))
    assert len(made.of_kind(Prediction)) == before
    counts = [reporter.drops.counts for reporter in made.reporters]
    assert [(each["windows_late"], each["windows_stale"]) for each in counts] == [(1, 60), (1, 60)]
    made.step(31_200 + CHECK_NS // MS, recorded(1000), recorded(1000))
    assert len(made.of_kind(Prediction)) == before


@pytest.fixture
def camera() -> Iterator[tuple[str, list[str]]]:
    """The address of a motion JPEG camera, and who has connected to it."""
    connected: list[str] = []
    over = threading.Event()

    class Camera(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            connected.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=next")
            self.end_headers()
            try:
                while not over.wait(0.04):
                    self.wfile.write(PART % (len(JPEG), JPEG))
            except ConnectionError:
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Camera)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/", connected
    over.set()
    server.shutdown()
    thread.join()
    server.server_close()


class Listener:
    """What a run publishes, from its beginning."""

    def __init__(self, address: str) -> None:
        self.socket = zmq.Context.instance().socket(zmq.SUB)
        self.socket.subscribe(b"")
        self.socket.connect(address)
        self.heard: list[Prediction | Status] = []

    def until(self, enough: Callable[[list[Prediction]], bool]) -> None:
        """Listen until the predictions are enough."""
        while not enough(self.predictions):
            assert self.socket.poll(PATIENCE_MS), "nothing is published"
            self.heard.append(decode(self.socket.recv_multipart()[1]))

    @property
    def predictions(self) -> list[Prediction]:
        return [message for message in self.heard if isinstance(message, Prediction)]


def test_a_program_that_was_stopped_and_continued_says_nothing_of_before(tmp_path: Path, camera) -> None:
    address, connected = camera
    listener = Listener(f"ipc://{tmp_path}/run")
    options = ["--camera", address, "--mic", "off", "--framing", "whole", "--backend", "onnxruntime", "--quiet"]
    command = [sys.executable, "-m", "edge", *options, "--bind", f"ipc://{tmp_path}/run", "--control", "off"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as program:
        listener.until(lambda predictions: len(predictions) >= 3)
        program.send_signal(signal.SIGSTOP)
        stopped_ns = time.monotonic_ns()
        time.sleep(STOPPED_S)  # not waited for anything: the gap itself
        continued_ns = time.monotonic_ns()
        program.send_signal(signal.SIGCONT)
        listener.until(lambda predictions: sum(p.mono_start > continued_ns for p in predictions) >= 2)
        program.send_signal(signal.SIGINT)
        said = program.communicate(timeout=PATIENCE_MS / 1000)[1]
    listener.socket.close(0)
    joined = [p for p in listener.predictions if p.mono_start < stopped_ns and p.mono_end > continued_ns]
    late = [p for p in listener.predictions if p.mono_publish > continued_ns and p.mono_end < continued_ns]
    assert (joined, late) == ([], [])
    assert len(connected) >= 2  # more where a busy machine stalls the camera, too
    assert "stopped or suspended for " in said
    assert program.returncode == 0
