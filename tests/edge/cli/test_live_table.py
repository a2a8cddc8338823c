"""The live table: a row a stream, the last events, and nothing that steers the terminal."""

import errno
import io

import pytest
from rich.console import Console

from edge.cli import live_table
from edge.cli.journal import Journal
from edge.cli.live_table import EVENTS, LiveTable, hearing, sight
from edge.cli.terminal import Terminal
from edge.cli.times import Times
from edge.wire.evidence import AudioEvidence, VideoEvidence
from tests.edge.cli.made_text import ODD, STEERING
from tests.edge.made_messages import EVENT, OF_PEOPLE, PERSON, PREDICTION, STATUS, numbered

TIMES = Times({"cam1": 0, "door": 0})
ENDED = numbered(0, STATUS, state="stopped")
HEARD = numbered(0, PREDICTION, audio=AudioEvidence("ok", -20.0, 0.8))


def table(*, console: Console | None = None, shows_latency: bool = True) -> LiveTable:
    file = console or Console(file=io.StringIO(), width=120)
    return LiveTable(Journal(TIMES, shows_latency=shows_latency), TIMES, file, shows_latency=shows_latency)


def last_drawn(shown: LiveTable, *messages) -> list[str]:
    console = shown._live.console
    with shown:
        for message in messages:
            shown(message)
    return [line.rstrip() for line in console.file.getvalue().splitlines() if line.strip()]


def test_a_stream_has_one_row_with_the_newest_prediction() -> None:
    lines = last_drawn(table(), STATUS, HEARD, numbered(1, HEARD, label="calm", confidence=0.6, mono_end=2_000_000_000))
    assert lines[0].split() == ["at", "stream", "seems", "audio", "video", "agreement", "latency"]
    assert lines[1].startswith("0:02.0  cam1    calm")
    assert lines[1].split()[-7:] == ["60%", "voice", "80%", "off", "-", "4", "ms"]
    assert lines[2:] == ["0:00.0  cam1  online: audio ok, video off"]


def test_each_of_several_people_has_a_row_below_the_stream() -> None:
    listens = AudioEvidence("no_speech", -30.0, 0.75, voice_of="other")
    hidden = VideoEvidence("ok", 2, None, 12)
    other = numbered(0, PERSON, person=1, label="glad", audio=listens, video=hidden)
    drawn = last_drawn(table(), OF_PEOPLE["prediction"], PERSON, other)
    assert drawn[1].split()[1:3] == ["cam1", "glad"]
    assert [line.split()[1:3] for line in drawn[2:4]] == [["#1", "glad"], ["#2", "main"]]
    assert "another speaks  face hidden" in drawn[2]
    assert drawn[3].split()[-6:] == ["62%", "speaks", "face", "+0.50", "4", "ms"]
    left = last_drawn(table(), PERSON, other, numbered(10, OF_PEOPLE["status"], people=[1], left=[2]))
    assert [line.split()[:2] for line in left[1:3]] == [["cam1", "-"], ["0:00.0", "#1"]]
    assert "#2" not in "".join(left)


def test_every_stream_has_a_row_even_before_its_first_prediction() -> None:
    lines = last_drawn(table(shows_latency=False), numbered(0, STATUS, stream="door"), HEARD)
    assert "latency" not in lines[0]
    assert [line.split()[1] for line in lines[1:2]] == ["cam1"]
    assert lines[2].split() == ["door", "-", "ok", "off"]


def test_only_the_last_events_stay() -> None:
    events = [numbered(number, EVENT, mono_since=number * 1_000_000_000) for number in range(EVENTS + 3)]
    lines = last_drawn(table(), HEARD, *events)
    assert [line.split()[0] for line in lines[-EVENTS:]] == [f"0:0{number}.0" for number in range(3, EVENTS + 3)]


def test_it_is_not_drawn_for_each_message(monkeypatch) -> None:
    monkeypatch.setattr(live_table, "REFRESH_S", 1e9)
    shown = table(console=Console(file=io.StringIO(), width=120, force_terminal=True))
    drawn: list[bool] = []
    with shown:
        monkeypatch.setattr(shown._live, "update", lambda *_, refresh: drawn.append(refresh))
        shown._drawn_s = float("inf")
        for _ in range(50):
            shown(HEARD)
        assert drawn == []
    assert drawn == [True]


def test_no_text_of_a_message_steers_the_terminal() -> None:
    console = Terminal(io.StringIO())
    named = numbered(0, HEARD, stream=ODD, label=ODD, labels=[ODD, "calm"])
    drawn = "".join(last_drawn(table(console=console), named, numbered(0, EVENT, stream=ODD, previous=ODD)))
    assert not STEERING & set(drawn)


def test_what_is_heard_and_seen_is_said_in_words() -> None:
    assert hearing(HEARD, None) == "voice 80%"
    assert hearing(HEARD, numbered(0, STATUS, audio="lost")) == "nothing arrives"
    assert hearing(numbered(0, HEARD, audio=AudioEvidence("clipping", -1.0, 0.5)), None) == "voice 50%, too loud"
    assert hearing(PREDICTION, numbered(0, STATUS, audio="off")) == "off"
    assert sight(PREDICTION, None) == "1 face"
    assert sight(numbered(0, PREDICTION, video=VideoEvidence("ok", 2, None, 3)), None) == "2 faces"
    assert sight(numbered(0, PREDICTION, video=VideoEvidence("ok", None, None, 3)), None) == "picture"
    assert sight(PREDICTION, numbered(0, STATUS, video="dark")) == "lens covered, or too little light"
    assert sight(PREDICTION, ENDED) == ""


def test_a_stream_that_has_ended_is_said_to_have_stopped() -> None:
    begun, ended = last_drawn(table(), HEARD, STATUS, ENDED, numbered(0, ENDED, stream="door"))[1:3]
    assert begun.split()[-5:] == ["75%", "stopped", "-", "4", "ms"]
    assert ended.split() == ["door", "-", "stopped"]


@pytest.mark.parametrize("columns", [20, 40, 60, 80])
def test_a_narrow_terminal_shows_people_with_their_numbers(columns: int) -> None:
    shown = table(console=Console(file=io.StringIO(), width=columns))
    lines = last_drawn(shown, OF_PEOPLE["prediction"], PERSON)
    assert all(len(line) <= columns for line in lines)
    (person,) = [line for line in lines if "#2" in line]  # the words of cells may go on below
    assert "calm" in person
    assert "62%" in person
    assert ("speaks" in person) == (columns >= 40)


@pytest.mark.parametrize("columns", [20, 40, 60, 80, 200])
def test_a_narrow_terminal_shows_fewer_columns_and_each_label_whole(columns: int) -> None:
    long = numbered(0, HEARD, stream="a-very-long-name-of-a-lobby", label="uncertain", confidence=1.0)
    shown = table(console=Console(file=io.StringIO(), width=columns))
    lines = last_drawn(shown, long, numbered(0, STATUS, stream=long.stream, video="no_face"))
    assert all(len(line) <= columns for line in lines)
    assert "uncertain" in lines[1]
    assert "100%" in lines[1]
    assert ("agreement" in lines[0].split()) == (columns >= 80)


def test_a_terminal_that_has_gone_is_no_error_at_the_end() -> None:
    class Gone(io.StringIO):
        def write(self, _: str) -> int:
            raise OSError(errno.EIO, "Input/output error")

    with table(console=Console(file=Gone(), width=80)):
        pass
