"""The report of an annotation: a bar on a terminal, else a line a recording."""

import io
import logging
from pathlib import Path

import pytest

from edge.annotation.collection import Entry
from edge.annotation.crew import Task
from edge.annotation.protocol import Done, Failed, Note, Position
from edge.cli import annotation_report
from edge.cli.annotation_report import AnnotationReport
from edge.cli.terminal import Terminal

TASKS = [Task(Entry(Path(name), Path(name)), ["csv"]) for name in ("a.mp4", "b.mp4", "c.mp4")]


class Screen(io.StringIO):
    def __init__(self, is_terminal: bool) -> None:
        super().__init__()
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal


def show(monkeypatch: pytest.MonkeyPatch, *, is_terminal: bool, is_quiet: bool = False) -> tuple[AnnotationReport, str]:
    """What is shown of three recordings, one of them done before, one damaged."""
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    screen = Screen(is_terminal)
    monkeypatch.setattr(annotation_report, "complaints", Terminal(screen))
    with AnnotationReport(3, is_quiet=is_quiet) as report:
        report.begin("a model")
        report.skip(1)
        report(TASKS[0], Position(1.0, 4.0))
        report(TASKS[1], Position(1.0, None))
        report(TASKS[0], Note(logging.WARNING, "a.mp4 has no audio"))
        report(TASKS[0], Note(logging.INFO, "a.mp4 takes track 0"))
        report(TASKS[0], Done(8, 4.0, 0.5))
        report(TASKS[1], Failed("b.mp4 is damaged", 3))
        report.finish(Path("out"))
    return report, screen.getvalue()


def test_without_a_terminal_each_recording_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    report, shown = show(monkeypatch, is_terminal=False)
    assert shown.splitlines() == [
        "a model",
        "foal-edge: a.mp4 has no audio",
        "foal-edge: a.mp4 takes track 0",
        "a.mp4: 8 windows, 8.0 times as fast as it plays",
        "1 of 3 recordings annotated in out: 8 windows in 4.0 s of recordings, 1 were done before",
    ]
    assert report.failed == ["b.mp4 is damaged"]


def test_on_a_terminal_a_bar_stands_in_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    _, shown = show(monkeypatch, is_terminal=True)
    assert "annotating" in shown
    assert "a.mp4: 8 windows" not in shown
    assert "a.mp4 has no audio" in shown
    assert "1 of 3 recordings annotated in out" in shown


def test_quiet_shows_warnings_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    _, shown = show(monkeypatch, is_terminal=True, is_quiet=True)
    assert shown.splitlines() == ["foal-edge: a.mp4 has no audio"]
