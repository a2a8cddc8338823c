"""Times of messages for people: by the clock, or by the place in a recording."""

import time

import pytest

from edge.cli.times import Times, clock_time, position
from edge.wire.messages import Node
from tests.edge.made_messages import EVENT, PREDICTION, STATS, STATUS, numbered

BEGAN_NS = 10_000_000_000


@pytest.fixture
def in_utc(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (-1, "0:00.0"),
        (0, "0:00.0"),
        (3_899_999_999, "0:03.8"),
        (59_999_999_999, "0:59.9"),
        (60_000_000_000, "1:00.0"),
        (3_599_900_000_000, "59:59.9"),
        (3_723_450_000_000, "1:02:03.4"),
    ],
)
def test_a_place_in_a_recording(ns: int, text: str) -> None:
    assert position(ns) == text


def test_a_time_of_day_is_this_machines(in_utc) -> None:
    assert clock_time(1_700_000_000_987_654_321) == "22:13:20.9"


def test_what_a_message_stands_for_is_its_window_its_change_or_its_sending(in_utc) -> None:
    seconds = {"t_end": 1, "t_since": 2, "t_publish": 3}
    messages = [
        numbered(0, PREDICTION, t_end=1_000_000_000),
        numbered(0, EVENT, t_since=2_000_000_000),
        numbered(0, STATUS, t_publish=3_000_000_000),
        numbered(0, STATS, t_publish=3_000_000_000),
    ]
    assert [Times().of(message) for message in messages] == [f"00:00:0{second}.0" for second in (*seconds.values(), 3)]
    assert Times().place_ns(messages[0]) is None


def test_a_time_of_a_node_is_one_of_the_proxys_machine(in_utc) -> None:
    ahead = Node("a", "p", 0, 3_000_000_000, 1)
    assert Times().of(numbered(0, STATUS, t_publish=5_000_000_000, node=ahead)) == "00:00:02.0"
    unknown = Node("a", "p", None, None, None)
    assert Times().of(numbered(0, STATUS, t_publish=5_000_000_000, node=unknown)) == "00:00:05.0"


def test_a_recorded_stream_has_its_place_and_another_the_clock(in_utc) -> None:
    times = Times({"cam1": BEGAN_NS})
    assert times.of(numbered(0, PREDICTION, mono_end=BEGAN_NS + 3_500_000_000)) == "0:03.5"
    assert times.place_ns(numbered(0, STATUS, mono_publish=BEGAN_NS + 7)) == 7
    assert times.of(numbered(0, PREDICTION, stream="door", t_end=1_000_000_000)) == "00:00:01.0"


def test_the_whole_run_has_a_place_where_all_recordings_have_begun_at_once(in_utc) -> None:
    stats = numbered(0, STATS, mono_publish=BEGAN_NS + 1_000_000_000, t_publish=0)
    assert Times({"a": BEGAN_NS, "b": BEGAN_NS}).of(stats) == "0:01.0"
    assert Times({"a": BEGAN_NS, "b": 1}).of(stats) == "00:00:00.0"
