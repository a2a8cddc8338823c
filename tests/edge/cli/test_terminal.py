"""Text on its way to a terminal: no control character raw, whoever wrote it."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.table import Table

from edge.cli import tables as show
from edge.cli import terminal
from edge.cli.terminal import print_document, printing
from edge.errors import FoalError
from edge.system.logs import TextFormatter
from edge.system.printable import paragraph, visible
from edge.wire.control_messages import StatusReply
from edge.wire.messages import Message, encode
from tests.edge.made_messages import EVENT, PREDICTION, STATS, STATUS, numbered

ROOT = Path(__file__).parent.parent.parent.parent
ODD = "\x1b]0;owned\x07\x1b[31m\n\r\x9b2J\u202egnorw\u2066\x00\x7f\u2028"
SEEN = "\\u001b]0;owned\\u0007\\u001b[31m\\u000a\\u000d\\u009b2J\\u202egnorw\\u2066\\u0000\\u007f\\u2028"
STEERING = {chr(number) for number in [*range(32), *range(0x7F, 0xA0)]} - {"\n"} | set("\u202e\u2066\u2028")


def test_what_steers_a_terminal_is_spelled_out() -> None:
    assert visible(ODD) == SEEN
    assert visible("\ud83d") == "\\ud83d"


@pytest.mark.parametrize(
    "text", ["", "glad", "überrascht", "幸せ", "سعيد", "नाराज़", "😀 👩‍👩‍👧", "a\\u001b", "[red]x[/red]"]
)
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


def test_a_second_line_does_not_look_like_one_of_our_own() -> None:
    assert paragraph("clip\x1b.mp4 is damaged\nfoal-edge: all is well\n") == (
        "clip\\u001b.mp4 is damaged\n  foal-edge: all is well"
    )


@pytest.mark.parametrize(
    "message",
    [
        numbered(1, PREDICTION, stream=ODD, label=ODD, labels=[ODD, "calm"]),
        numbered(1, EVENT, stream=ODD, label=ODD, previous=ODD),
        numbered(1, STATUS, stream=ODD),
        numbered(1, STATS, queues={ODD: 1}),
    ],
    ids=lambda message: type(message).__name__,
)
def test_a_message_is_printed_in_one_line_without_any(message: Message, capsys) -> None:
    terminal.console.print(show.line(message))
    printed = capsys.readouterr().out
    assert SEEN in printed
    assert printed.count("\n") == 1
    assert not STEERING & set(printed)


def test_a_status_report_is_printed_without_any(capsys) -> None:
    reply = StatusReply({"bundle": ODD, ODD: "here"}, [numbered(1, STATUS, stream=ODD)], None)
    for part in show.status_report(reply):
        terminal.console.print(part)
    printed = capsys.readouterr().out
    assert printed.count("\\u001b]0;owned") >= 2
    assert not STEERING & set(printed)


def test_titles_and_heads_of_tables_are_printed_without_any(capsys) -> None:
    table = Table(ODD, title=ODD)
    table.add_row(ODD)
    terminal.console.print(table)
    printed = capsys.readouterr().out
    assert printed.count("\\u001b]0;owned") == 3
    assert not STEERING & set(printed)


def test_a_document_means_the_same_and_holds_none(capsys) -> None:
    message = numbered(1, EVENT, stream=ODD, label="überrascht")
    print_document(encode(message, "json"))
    printed = capsys.readouterr().out
    assert json.loads(printed) == json.loads(encode(message, "json"))
    assert "überrascht" in printed
    assert printed.count("\n") == 1
    assert not STEERING & set(printed)


def test_a_line_of_the_log_holds_none(capsys) -> None:
    record = logging.makeLogRecord({"msg": "no such file: %s", "args": (ODD,)})
    assert TextFormatter("foal-edge: %(message)s").format(record) == (
        f"foal-edge: no such file: {SEEN}".replace("\\u000a", "\n  ")
    )


def test_where_stdout_takes_no_more_that_is_said() -> None:
    with pytest.raises(FoalError, match="cannot print: No space left on device; give stdout"), printing():
        raise OSError(28, "No space left on device")
    with pytest.raises(BrokenPipeError), printing():
        raise BrokenPipeError


@pytest.mark.parametrize("columns", ["0", "00", "1", "7", "", "many"])
def test_every_width_prints(columns: str) -> None:
    code = "from edge.cli.terminal import console; console.print('here it is'); console.print('and here')"
    environment = {**os.environ, "COLUMNS": columns, "TERM": "dumb"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("here it is\nand here\n", "")
