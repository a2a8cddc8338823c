"""What is printed, and what a terminal that stands still or goes away does."""

import fcntl
import logging
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from edge.cli import printer as printer_module
from edge.cli.printer import Printer
from edge.wire.messages import Prediction
from edge.wire.subscriber import Subscriber
from tests.edge.made_messages import STATUS

ROOT = Path(__file__).parents[3]


def test_everything_is_printed_in_order() -> None:
    printed: list[object] = []
    printer = Printer(printed.append, threading.Event(), waits=True)
    messages = [STATUS] * 3000
    for message in messages:
        printer(message)
    printer.close()
    assert printed == messages


def test_where_the_reader_has_gone_the_run_is_stopped() -> None:
    def gone(_: object) -> None:
        raise BrokenPipeError

    stop = threading.Event()
    printer = Printer(gone, stop, waits=True)
    printer(STATUS)
    assert stop.wait(60)
    for _ in range(2000):
        printer(STATUS)
    printer.close()


def test_a_full_disk_is_said_once_and_the_run_goes_on(caplog) -> None:
    def full(_: object) -> None:
        raise OSError(28, "No space left on device")

    stop = threading.Event()
    printer = Printer(full, stop, waits=False)
    for _ in range(2000):
        printer(STATUS)
    printer.close()
    assert not stop.is_set()
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "No space left" in caplog.text


def test_a_terminal_that_stands_still_holds_up_neither_messages_nor_the_end(tmp_path, monkeypatch) -> None:
    address = f"ipc://{tmp_path}/publisher"
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    os.write(writing, b"x" * 4096)
    command = [sys.executable, "-m", "edge", "--demo", "--bind", address, "--threads", "1"]
    with subprocess.Popen(command, cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, text=True) as process:
        try:
            with Subscriber(address, "emotion.") as subscriber:
                received = [subscriber.receive(30) for _ in range(4)]
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
        finally:
            process.kill()
            os.close(reading)
            os.close(writing)
    assert all(isinstance(message, Prediction) for message in received)


def test_the_last_lines_are_waited_for_but_not_for_ever(monkeypatch) -> None:
    monkeypatch.setattr(printer_module, "CLOSE_S", 0.05)
    release = threading.Event()
    printer = Printer(lambda message: release.wait(60), threading.Event(), waits=False)
    printer(STATUS)
    printer.close()
    assert any(thread.name == "printer" for thread in threading.enumerate())
    release.set()
