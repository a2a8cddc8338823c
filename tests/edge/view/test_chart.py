"""Rows of the chart, and what it has to know to draw them."""

import pytest

from edge.clock import SECOND_NS
from edge.view.chart import COLUMNS, appearance, new_rows
from edge.view.history import StreamHistory
from tests.edge.made_messages import EVENT, PREDICTION, numbered

NOON_NS = 1_700_000_000_123_456_789
HALF_NS = SECOND_NS // 2


def history_at(*half_seconds: int) -> StreamHistory:
    history = StreamHistory("main")
    for number in half_seconds:
        history.add(numbered(number, PREDICTION, t_end=NOON_NS + number * HALF_NS))
    return history


def test_a_row_says_when_and_what():
    history = history_at(0)
    history.add(numbered(0, EVENT, t_since=NOON_NS, label="glad"))
    (row,) = new_rows(history, 0, 0.5)
    assert row == [pytest.approx(NOON_NS / 1e6, abs=1e-3), 0.25, 0.75, None, None, None, "glad", "silent", "ok"]
    assert len(row) == len(appearance(PREDICTION.labels)["columns"])


def test_missing_predictions_leave_a_gap():
    times = [round(row[0] - NOON_NS / 1e6) for row in new_rows(history_at(0, 1, 4, 8), 0, 0.5)]
    assert times == [0, 500, 2000, 2001, 4000]
    assert new_rows(history_at(0, 1, 4, 8), 0, 0.5)[3][1:] == [None] * (2 + len(COLUMNS))


def test_only_what_is_new_is_given_with_the_gap_before_it():
    history = history_at(0, 1)
    shown = history.revision
    assert new_rows(history, shown, 0.5) == []
    history.add(numbered(9, PREDICTION, t_end=NOON_NS + 9 * HALF_NS))
    assert [round(row[0] - NOON_NS / 1e6) for row in new_rows(history, shown, 0.5)] == [501, 4500]


def test_every_label_and_state_has_a_look():
    about = appearance(["angry", "happy"])
    assert {"angry", "happy", "uncertain", "ok", "no_speech", "lost"} <= set(about["fills"])
    assert len(about["patterns"]) == 2
