"""Text of others as it may be printed."""

import logging
import os

import pytest

from edge.system.logs import TextFormatter
from edge.system.printable import as_text, from_text, paragraph, visible
from tests.edge.cli.made_text import ODD, SEEN


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


def test_a_line_of_the_log_holds_none(capsys) -> None:
    record = logging.makeLogRecord({"msg": "no such file: %s", "args": (ODD,)})
    assert TextFormatter("foal-edge: %(message)s").format(record) == (
        f"foal-edge: no such file: {SEEN}".replace("\\u000a", "\n  ")
    )


@pytest.mark.parametrize("name", [b"talk", "für.wav".encode(), b"b\xe9b\xe9 \\u00e9.mkv"])
def test_names_that_are_no_text_come_back(name: bytes) -> None:
    text = as_text(os.fsdecode(name))
    assert text.encode().decode() == text
    assert os.fsencode(from_text(text)) == name
