"""Real signals to real processes: the first ends them in order, the second at once, even in the midst of C code."""

import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from edge.system.signals import FORCED_STATUS
from tests.edge.sources.silent import silent_server

ROOT = Path(__file__).parents[3]
PATIENCE_S = 60.0
INT, TERM, HUP = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
HANGS = """
import ctypes, sys
from edge.system.signals import interruptible
libc, lock = ctypes.CDLL(None), ctypes.create_string_buffer(256)
with interruptible() as stop:
    print("ready", flush=True)
    if sys.argv[1] == "in order":
        while not stop.wait(0.1):
            pass
        print("asked", flush=True)
    libc.pthread_mutex_lock(lock)
    libc.pthread_mutex_lock(lock)  # for ever, and no signal wakes it
"""
TELLS = """
import threading
from edge.system import signals as interrupts
threading.Thread(target=lambda: (stop.wait(), print("asked", flush=True))).start()
"""
ENDS = """
from edge.system.signals import interruptible
with interruptible() as stop:
    print("ready", flush=True)
    stop.wait(60)
print("ended in order", flush=True)
"""


@pytest.fixture(autouse=True)
def hangups_are_not_ignored() -> Iterator[None]:
    """The tests may be started by nohup, whose children ignore hangups, as the program rightly does then."""
    before = signal.signal(HUP, signal.SIG_DFL)
    yield
    signal.signal(HUP, before)


@contextmanager
def running(*arguments: str, **options: Any) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, *arguments]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    with subprocess.Popen(command, cwd=ROOT, text=True, **streams) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("number", [INT, TERM, HUP])
def test_the_first_signal_asks(number: signal.Signals) -> None:
    with running("-c", ENDS) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.stdout.readline() == "ended in order\n"
        assert process.wait(PATIENCE_S) == 0


@pytest.mark.parametrize("second", [INT, TERM])
@pytest.mark.parametrize("first", [INT, TERM, HUP])
def test_the_second_signal_ends_what_hangs_in_c(first: signal.Signals, second: signal.Signals) -> None:
    with running("-c", HANGS, "in order") as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(first)
        assert process.stdout.readline() == "asked\n"
        process.send_signal(second)
        assert process.wait(PATIENCE_S) == FORCED_STATUS


def test_a_stop_is_set_although_the_main_thread_hangs_in_c() -> None:
    hangs = HANGS.replace("with interruptible() as stop:", f"with interruptible() as stop:{indented(TELLS)}", 1)
    with running("-c", hangs, "at once") as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(INT)
        assert process.stdout.readline() == "asked\n"
        process.send_signal(INT)
        assert process.wait(PATIENCE_S) == FORCED_STATUS


def indented(code: str) -> str:
    return code.rstrip("\n").replace("\n", "\n    ")


def test_a_terminal_that_hangs_up_twice_still_ends_in_order() -> None:
    with running("-c", HANGS, "in order") as process:
        assert process.stdout.readline() == "ready\n"
        for _ in range(3):
            process.send_signal(HUP)
        assert process.stdout.readline() == "asked\n"
        assert process.poll() is None


def test_a_terminal_that_hangs_up_again_at_the_end_changes_nothing() -> None:
    with running("-c", f"{ENDS}input()\n", stdin=subprocess.PIPE) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(HUP)
        assert process.stdout.readline() == "ended in order\n"
        process.send_signal(HUP)
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.wait(PATIENCE_S) == 0


def test_who_was_told_to_survive_the_terminal_does() -> None:
    ignoring = f"import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n{ENDS}"
    with running("-c", ignoring) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(HUP)
        process.send_signal(TERM)
        assert process.stdout.readline() == "ended in order\n"
        assert process.wait(PATIENCE_S) == 0


def test_the_terminal_shows_its_cursor_again() -> None:
    ours, theirs = pty.openpty()
    try:
        with running("-c", HANGS, "in order", stderr=theirs) as process:
            process.stdout.readline()
            process.send_signal(INT)
            process.stdout.readline()
            process.send_signal(INT)
            assert process.wait(PATIENCE_S) == FORCED_STATUS
        assert os.read(ours, 100) == b"\x1b[?25h"
    finally:
        os.close(ours)
        os.close(theirs)


SILENT = [
    ("--file", "http://127.0.0.1:{}/a.mp4"), ("--camera", "rtsp://127.0.0.1:{}/a"), ("--camera", "http://127.0.0.1:{}/a"),
]  # fmt: skip


@pytest.mark.parametrize(("option", "address"), SILENT)
def test_a_server_that_says_nothing_holds_no_second_signal_up(option: str, address: str) -> None:
    connected = threading.Event()
    with silent_server(connected=connected) as port:
        arguments = [option, address.format(port), "--mic", "off", "--bind", "tcp://127.0.0.1:*"]
        with running("-m", "edge", *arguments) as process:
            assert connected.wait(PATIENCE_S)
            process.send_signal(INT)
            process.send_signal(TERM)
            assert process.wait(PATIENCE_S) == FORCED_STATUS


def test_a_single_signal_meanwhile_ends_it_as_asked() -> None:
    connected = threading.Event()
    with silent_server(connected=connected) as port:
        arguments = ["--file", f"http://127.0.0.1:{port}/a.mp4", "--bind", "tcp://127.0.0.1:*"]
        with running("-m", "edge", *arguments) as process:
            assert connected.wait(PATIENCE_S)
            process.send_signal(INT)
            assert process.wait(PATIENCE_S) == 0
            assert "no answer within 5 s" in process.stderr.read()
