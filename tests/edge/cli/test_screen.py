"""The screen of a run: a table on a terminal, lines elsewhere."""

import sys

import pytest

from edge.cli.live_table import LiveTable
from edge.cli.screen import RunScreen, is_terminal, showing
from edge.cli.times import Times
from tests.edge.cli.made_text import ODD, SEEN, STEERING
from tests.edge.made_messages import EVENT, PREDICTION, STATUS, numbered


@pytest.mark.parametrize(
    "message",
    [
        numbered(1, PREDICTION, stream=ODD, label=ODD, labels=[ODD, "calm"]),
        numbered(1, EVENT, stream=ODD, label=ODD, previous=ODD),
        numbered(1, STATUS, stream=ODD),
    ],
    ids=lambda message: type(message).__name__,
)
def test_a_message_is_printed_in_one_line_without_any(message, capsys) -> None:
    with showing(Times(), shows_latency=True, as_table=False) as show:
        show(message)
    printed = capsys.readouterr().out
    assert SEEN in printed
    assert printed.count("\n") == 1
    assert not STEERING & set(printed)


def test_on_a_terminal_it_is_a_table(capsys) -> None:
    with showing(Times(), shows_latency=True, as_table=True) as show:
        assert isinstance(show, LiveTable)
        show(PREDICTION)
    assert "glad" in capsys.readouterr().out


def test_a_run_has_its_screen_from_its_start_to_its_end(capsys) -> None:
    screen = RunScreen(as_table=False, is_live=False)
    screen.open(Times({"cam1": 0}), ())
    screen(STATUS)
    screen.close()
    assert capsys.readouterr().out == "0:00.0  cam1  online: audio ok, video off\n"
    RunScreen(as_table=True, is_live=True).close()


@pytest.mark.parametrize(
    ("is_tty", "term", "is_one"), [(True, "xterm", True), (True, "dumb", False), (False, "xterm", False)]
)
def test_a_table_needs_a_terminal_that_can_move_its_cursor(monkeypatch, is_tty: bool, term: str, is_one: bool) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: is_tty)
    monkeypatch.setenv("TERM", term)
    assert is_terminal() is is_one
