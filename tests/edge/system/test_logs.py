"""Log lines, as people and as programs read them."""

import json
import logging
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.system import logs

OURS = logging.getLogger("edge.sources.capture")
OTHERS = logging.getLogger("somebody.else")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """What is configured is the whole process's: give it back."""
    root, package = logging.getLogger(), logging.getLogger("edge")
    handlers, level, hooks = list(root.handlers), package.level, (sys.excepthook, threading.excepthook)
    yield
    root.handlers[:] = handlers
    package.setLevel(level)
    logging.captureWarnings(False)
    sys.excepthook, threading.excepthook = hooks


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_text_is_a_line_for_people(capsys) -> None:
    logs.configure("text", False)
    OURS.warning("camera %s is lost", 0, extra={"stream": "cam1"})
    assert capsys.readouterr().err == "foal-edge: camera 0 is lost\n"


def test_json_is_an_object_a_line(capsys) -> None:
    logs.configure("json", False)
    before = datetime.now(timezone.utc)
    OURS.warning("camera %s is lost", 0, extra={"stream": "cam1", "device": "video"})
    OURS.error("twice")
    first, second = lines(capsys)
    time = datetime.fromisoformat(first.pop("time"))
    assert time.utcoffset() == timedelta(0)
    assert abs(time - before) < timedelta(seconds=20)
    assert first == {
        "level": "warning",
        "logger": "edge.sources.capture",
        "thread": "MainThread",
        "message": "camera 0 is lost",
        "stream": "cam1",
        "device": "video",
    }
    assert (second["level"], second["message"]) == ("error", "twice")


def test_a_whole_second_is_written_like_any_other(capsys) -> None:
    record = logging.makeLogRecord({"msg": "x", "created": 1_700_000_000.0})
    assert json.loads(logs.JsonFormatter().format(record))["time"] == "2023-11-14T22:13:20.000000+00:00"


def test_the_thread_is_named(capsys) -> None:
    logs.configure("json", False)
    thread = threading.Thread(target=OURS.warning, args=("x",), name="camera 0")
    thread.start()
    thread.join()
    assert lines(capsys)[0]["thread"] == "camera 0"


def test_an_exception_is_text_of_the_same_line(capsys) -> None:
    logs.configure("json", False)
    try:
        raise ValueError("no\nsuch thing")
    except ValueError:
        OURS.exception("a\r\nbroken\u2028line", stack_info=True)
    (line,) = lines(capsys)
    assert line["message"] == "a\r\nbroken\u2028line"
    assert line["exception"].startswith("Traceback (most recent call last):\n")
    assert line["exception"].endswith("ValueError: no\nsuch thing")
    assert line["stack"].startswith("Stack")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Path("/dev/video0"), "/dev/video0"),
        ("\udcff", "\udcff"),
        ("zürich", "zürich"),
        (float("nan"), "nan"),
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (True, True),
        (None, None),
        ({1: (float("inf"), {2})}, {"1": ["inf", [2]]}),
        (OSError(2, "gone"), "[Errno 2] gone"),
    ],
)
def test_any_extra_is_written_in_ascii(capsys, value: object, written: object) -> None:
    logs.configure("json", False)
    OURS.warning("x", extra={"what": value})
    text = capsys.readouterr().err
    assert text.isascii()
    assert text.count("\n") == 1
    assert json.loads(text)["what"] == written


def test_an_extra_does_not_hide_what_a_line_says_anyway(capsys) -> None:
    logs.configure("json", False)
    OURS.warning("x", extra={"level": 3})
    (line,) = lines(capsys)
    assert (line["level"], line["level_"]) == ("warning", 3)


@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.parametrize(("verbose", "expected"), [(False, ["news", "bad"]), (True, ["detail", "news", "bad"])])
def test_news_are_of_this_program_alone(capsys, log_format: logs.LogFormat, verbose: bool, expected: list[str]) -> None:
    logs.configure(log_format, verbose)
    for logger in (OURS, OTHERS):
        logger.debug("detail")
        logger.info("news")
    OTHERS.warning("bad")
    text = capsys.readouterr().err
    assert [word for word in ("detail", "news", "bad") if word in text] == expected
    assert len(text.splitlines()) == len(expected)


def test_configuring_again_replaces_and_leaves_others_handlers(capsys, caplog) -> None:
    logs.configure("json", True)
    logs.configure("text", False)
    OURS.warning("once")
    assert capsys.readouterr().err == "foal-edge: once\n"
    assert caplog.messages == ["once"]


def test_a_stderr_put_in_place_later_is_written_to(capsys, monkeypatch, tmp_path) -> None:
    logs.configure("text", False)
    with (tmp_path / "log").open("w") as file:
        monkeypatch.setattr(sys, "stderr", file)
        OURS.warning("here")
    assert (tmp_path / "log").read_text() == "foal-edge: here\n"


def test_pythons_warnings_are_records_in_json(capsys) -> None:
    logs.configure("json", False)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old\nways", DeprecationWarning, stacklevel=1)
    (line,) = lines(capsys)
    assert (line["logger"], line["level"]) == ("py.warnings", "warning")
    assert "old\nways" in line["message"]


UNFORESEEN = """
import threading
from edge.system import logs
logs.configure({log_format!r}, False)
thread = threading.Thread(target=lambda: 1 / 0, name="camera 0")
thread.start()
thread.join()
{{}}["nothing"]
"""


def run_unforeseen(log_format: str) -> list[str]:
    program = [sys.executable, "-c", UNFORESEEN.format(log_format=log_format)]
    root = Path(logs.__file__).parents[2]
    ended = subprocess.run(program, capture_output=True, text=True, cwd=root, env={**os.environ, "PYTHONPATH": ""})
    assert ended.returncode == 1
    return ended.stderr.splitlines()


def test_what_ends_a_thread_or_the_program_is_a_record_in_json() -> None:
    thread, program = map(json.loads, run_unforeseen("json"))
    assert (thread["level"], program["level"]) == ("critical", "critical")
    assert "camera 0" in thread["message"]
    assert thread["exception"].endswith("ZeroDivisionError: division by zero")
    assert program["exception"].endswith("KeyError: 'nothing'")


def test_what_ends_a_thread_or_the_program_is_a_traceback_in_text() -> None:
    written = run_unforeseen("text")
    assert written[0].startswith("Exception in thread camera 0")
    assert written[-1] == "KeyError: 'nothing'"


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_the_secret_of_an_address_is_in_no_line_whoever_wrote_it_there(capsys, log_format: logs.LogFormat) -> None:
    address = "rtsp://user:s3cr3t@cam/live?password=s3cr3t"
    logs.configure(log_format, verbose=True)
    try:
        raise OSError(5, "Input/output error", address)
    except OSError:
        OTHERS.exception("cannot open %s", address, extra={"at": {"address": address}})
    thread = threading.Thread(target=OTHERS.error, args=("gone",), name=f"camera {address}")
    thread.start()
    thread.join()
    for hook in (sys.excepthook, lambda *error: threading.excepthook(threading.ExceptHookArgs((*error, None)))):
        hook(OSError, OSError(5, "Input/output error", address), None)
    said = capsys.readouterr().err
    assert "s3cr3t" not in said
    assert "rtsp://***@cam/live?password=***" in said
    assert said.count("[Errno 5]") == 3


def test_what_repeats_without_end_is_said_at_a_bounded_rate(monkeypatch, caplog) -> None:
    now_s = [5.0]
    monkeypatch.setattr(logs.time, "monotonic", lambda: now_s[0])
    say = logs.RateLimitedLog(OURS, lines=2, each_s=60.0)
    for number in range(10):
        say(logging.WARNING, "camera %d is lost", number)
    now_s[0] += 60
    say(logging.WARNING, "camera %d is there", 0)
    say(logging.WARNING, "camera %d is lost", 0)
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING] == [
        "camera 0 is lost",
        "camera 1 is lost",
        "camera 0 is there; 8 lines like it were left out before",
        "camera 0 is lost",
    ]
