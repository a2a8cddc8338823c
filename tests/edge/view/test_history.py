"""The history of a stream: ten minutes and no more, in order, altered by what comes later."""

import numpy as np
import pytest

from edge.clock import SECOND_NS
from edge.view.history import KEPT_NS, MOST_CHANGES, MOST_POINTS, StreamHistory, percentiles
from edge.wire.evidence import Latency
from edge.wire.messages import Message, Stats
from tests.edge.made_messages import EVENT, OF_PEOPLE, PERSON, PICTURE, PREDICTION, STATUS, numbered
from tests.edge.view.made_history import run

NOON_NS = 1_700_000_000 * SECOND_NS


def history_of(messages: list[Message]) -> StreamHistory:
    history = StreamHistory("main")
    for message in messages:
        if not isinstance(message, Stats):
            history.add(message)
    return history


def at(end_ns: int, **fields) -> Message:
    return numbered(end_ns // SECOND_NS, PREDICTION, t_end=end_ns, **fields)


def test_thirty_minutes_leave_the_last_ten():
    sizes = set()
    history = StreamHistory("main")
    for number, message in enumerate(run(3600, NOON_NS)):
        if not isinstance(message, Stats):
            history.add(message)
        if number > 3600:
            sizes.add((len(history.points), len(history.changes) <= MOST_CHANGES))
    assert sizes == {(KEPT_NS // (SECOND_NS // 2) + 1, True)}
    assert history.points[-1].time_ns - history.points[0].time_ns == KEPT_NS


def test_a_hop_that_is_too_short_is_bounded_too():
    history = history_of([at(NOON_NS + n * 1_000_000) for n in range(MOST_POINTS + 10)])
    assert len(history.points) == MOST_POINTS


def test_the_steady_state_belongs_to_the_prediction_that_caused_it():
    event = numbered(0, EVENT, t_since=NOON_NS + SECOND_NS, label="glad")
    history = history_of([at(NOON_NS), at(NOON_NS + SECOND_NS)])
    shown = history.revision
    history.add(event)
    history.add(at(NOON_NS + 2 * SECOND_NS))
    assert [point.steady for point in history.points] == [None, "glad", "glad"]
    assert [point.time_ns - NOON_NS for point in history.since(shown)] == [SECOND_NS, 2 * SECOND_NS]
    assert history.since(history.revision) == []


def test_a_recording_that_begins_again_replaces_what_it_repeats():
    history = history_of([at(second * SECOND_NS) for second in (1, 2, 3)])
    history.add(at(2 * SECOND_NS, session="cd"))
    assert [point.time_ns // SECOND_NS for point in history.points] == [1, 2]


def test_other_labels_begin_a_new_history():
    history = history_of([at(NOON_NS), at(NOON_NS + 1, labels=["a", "b", "c"], probs=[0.2, 0.3, 0.5])])
    assert [len(point.prediction.labels) for point in history.points] == [3]


def test_changes_of_devices_and_sessions_are_told_in_order():
    statuses = [
        STATUS,
        numbered(10, audio="lost", state="degraded"),
        numbered(11, audio="lost", state="degraded"),
        numbered(0, session="cd"),
    ]
    texts = [change.text for change in history_of(statuses).changes]
    assert texts[:3] == ["stream: online", "audio: ok", "video: off"]
    assert texts[3:5] == ["stream: online → degraded", "audio: ok → lost"]
    assert texts[5] == "started anew"
    assert len(texts) == 9


def test_the_newest_picture_is_kept_until_the_session_ends():
    history = history_of([PICTURE, numbered(5, PICTURE)])
    assert history.picture.seq == 5
    history.add(numbered(0, STATUS, session="cd"))
    assert history.picture is None


def test_drops_are_those_of_the_newest_message():
    history = history_of([numbered(1, PREDICTION, dropped={"a": 1}), numbered(2, STATUS, dropped={"a": 2})])
    assert history.dropped == {"a": 2}
    history.add(numbered(0, STATUS, session="cd", dropped={"a": 0}))
    assert history.dropped == {"a": 0}


@pytest.mark.parametrize("count", [1, 2, 7, 120])
def test_percentiles_are_those_of_numpy(count: int):
    values = list(np.random.default_rng(count).gamma(2, 10, count))
    found = percentiles(values)
    assert found.last == values[0]
    assert [found.p50, found.p99] == pytest.approx(np.percentile(values, [50, 99]))


def test_latency_is_of_the_last_minute_alone():
    def taking(second: int, total_ms: float) -> Message:
        return at(NOON_NS + second * SECOND_NS, latency_ms=Latency(1, 2, 3, total_ms))

    history = history_of([taking(0, 9000), *(taking(second, second) for second in range(1, 62))])
    latency = history.latency()
    assert list(latency) == ["encode_video", "encode_audio", "fuse", "total"]
    assert latency["total"] == pytest.approx((61, 31, np.percentile(range(1, 62), 99)))
    assert latency["encode_audio"] == (2, 2, 2)


def test_nothing_has_no_latency():
    assert StreamHistory("main").latency() == {}


def test_people_come_and_leave_and_a_new_session_has_none():
    there = numbered(1, OF_PEOPLE["status"], came=[1, 2], left=[])
    history = history_of([PERSON, numbered(0, PERSON, person=1), there])
    assert [person.person for person in history.people.all()] == [1, 2]
    history.add(numbered(2, there, people=[1], came=[], left=[2]))
    assert [person.person for person in history.people.all()] == [1]
    assert [change.text for change in history.changes][-3:] == ["person 1 came", "person 2 came", "person 2 left"]
    history.add(numbered(0, PREDICTION, session="cd"))
    assert history.people.all() == []
