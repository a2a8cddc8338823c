"""Lines as a person reads them: no control character raw, whoever wrote it."""

import json

import pytest

from edge.cli.lines import describe_load, print_line, printing
from edge.errors import FoalError
from edge.wire.messages import encode
from tests.edge.cli.made_text import ODD, STEERING
from tests.edge.made_messages import EVENT, STATS, numbered


def test_the_load_in_a_line() -> None:
    assert describe_load(STATS) == (
        "up 4 s  8 predictions  hop 0.5 s  busy 25%  waiting frames 1, blocks 2  dropped windows_late 1"
    )
    assert describe_load(numbered(0, STATS, queues={"frames": 0}, dropped={})).endswith(
        "waiting nothing  dropped nothing"
    )


def test_a_document_means_the_same_and_holds_none(capsys) -> None:
    message = numbered(1, EVENT, stream=ODD, label="überrascht")
    print_line(encode(message, "json").decode())
    printed = capsys.readouterr().out
    assert json.loads(printed) == json.loads(encode(message, "json"))
    assert "überrascht" in printed
    assert printed.count("\n") == 1
    assert not STEERING & set(printed)


def test_where_stdout_takes_no_more_that_is_said() -> None:
    with pytest.raises(FoalError, match="cannot print: No space left on device; redirect stdout"), printing():
        raise OSError(28, "No space left on device")
    with pytest.raises(BrokenPipeError), printing():
        raise BrokenPipeError
