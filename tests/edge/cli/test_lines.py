"""Lines as a person reads them: messages in words, and no control character raw, whoever wrote it."""

import json

import pytest

from edge.cli.lines import describe, print_line, print_message, printing
from edge.errors import FoalError
from edge.wire.messages import Latency, Message, Prediction, encode
from tests.edge.cli.made_text import ODD, SEEN, STEERING
from tests.edge.made_messages import EVENT, PREDICTION, STATS, STATUS, numbered


def prediction(seq: int, *, total: float = 12.34, **fields: float) -> Prediction:
    times = {"mono_start": 1_000_000_000, "mono_end": 7_000_000_000}
    return numbered(seq, PREDICTION, latency_ms=Latency(1, 2, 3, total), **times, **fields)


def test_a_prediction_in_a_describe() -> None:
    assert describe(prediction(7)) == (
        "cam1 #7  glad      calm  25%  glad  75%  agreement   -    audio silent  video ok (30 frames)  "
        "window 6.0 s  latency 12.3 ms"
    )
    assert "agreement -0.50" in describe(prediction(7, agreement=-0.5))


def test_a_status_in_a_describe() -> None:
    assert describe(numbered(1, STATUS, state="degraded", audio="lost")) == "cam1 degraded: audio lost, video off"


def test_an_event_in_a_describe() -> None:
    assert describe(EVENT) == "cam1 is uncertain (50%), before glad"
    assert describe(numbered(0, EVENT, label="calm", previous=None)) == "cam1 is calm (50%)"


def test_stats_in_a_describe() -> None:
    assert describe(STATS) == (
        "up 4 s  8 predictions  hop 0.5 s  busy 25%  waiting frames 1, blocks 2  dropped windows_late 1"
    )
    assert describe(numbered(0, STATS, queues={"frames": 0}, dropped={})).endswith("waiting nothing  dropped nothing")


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
    print_message(message)
    printed = capsys.readouterr().out
    assert SEEN in printed
    assert printed.count("\n") == 1
    assert not STEERING & set(printed)


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
