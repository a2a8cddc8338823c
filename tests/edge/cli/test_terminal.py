"""Tables on their way to a terminal: no control character raw, whoever wrote it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.table import Table

from edge.cli import terminal
from edge.cli.status import status_report
from edge.wire.control_messages import StatusReply
from tests.edge.cli.made_text import ODD, STEERING
from tests.edge.made_messages import STATUS, numbered

ROOT = Path(__file__).parents[3]


def test_a_status_report_is_printed_without_any(capsys) -> None:
    reply = StatusReply({"bundle": ODD, ODD: "here"}, [numbered(1, STATUS, stream=ODD)], None)
    for part in status_report(reply):
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


@pytest.mark.parametrize("columns", ["0", "00", "1", "7", "", "many"])
def test_every_width_prints(columns: str) -> None:
    code = "from edge.cli.terminal import console; console.print('here it is'); console.print('and here')"
    environment = {**os.environ, "COLUMNS": columns, "TERM": "dumb"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("here it is\nand here\n", "")
