"""The loop's figures once a second, the hop it sustains, and the sign that it lives; on a clock that stands still."""

import logging
from collections import Counter
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edge.live.hop_control import HopControl
from edge.live.inbox import MOST_FRAMES, Inbox
from edge.live.supervision import Supervisor
from edge.preprocess.media import Frame
from edge.wire.drop_reasons import DROP_REASONS
from edge.wire.messages import Stats

MS = 1_000_000


class Lively:
    """Counts the signs of life."""

    def __init__(self) -> None:
        self.signs: list[int] = []

    def alive(self, now_ns: int) -> None:
        self.signs.append(now_ns)


class Supervised:
    """A supervisor whose surroundings a test sets by hand."""

    def __init__(self, clock: Any, *, adapt: bool) -> None:
        self.published: list[Any] = []
        self.publisher = SimpleNamespace(
            dropped=Counter(messages_queue=1), waiting=4, publish=self.published.append, last=list
        )
        self.inbox = Inbox([1, 1])
        counted = [(Counter(windows_empty=2), 3), (Counter(windows_late=5), 4)]
        self.streams = [
            SimpleNamespace(reporter=SimpleNamespace(drops=SimpleNamespace(counts=counts), predictions=predictions))
            for counts, predictions in counted
        ]
        self.notifier = Lively()
        hop_control = HopControl(500 * MS, adapt)
        self.supervisor = Supervisor(
            "s" * 32, hop_control, self.inbox, self.publisher, self.streams, self.notifier, clock
        )

    def work(self, turns: int, begin_ms: int, each_ms: int, busy_ms: int) -> None:
        for turn in range(turns):
            start_ns = (begin_ms + turn * each_ms) * MS
            self.supervisor.turn(start_ns, start_ns + busy_ms * MS)


def test_once_a_second_it_says_how_the_whole_runtime_does(clock) -> None:
    made = Supervised(clock, adapt=False)
    for time_ns in range(MOST_FRAMES + 2):
        made.inbox.put(1, Frame(np.zeros((1, 1, 3), np.uint8), time_ns))
    made.work(turns=30, begin_ms=0, each_ms=100, busy_ms=25)
    assert [type(message) for message in made.published] == [Stats] * 2
    stats = made.published[-1]
    assert stats.busy == pytest.approx(0.25, abs=0.02)
    assert (stats.seq, stats.hop_s, stats.predictions) == (1, 0.5, 7)
    assert stats.uptime_s == pytest.approx(stats.mono_publish / 1e9)
    assert stats.queues == {"frames": MOST_FRAMES, "blocks": 0, "messages": 4}
    expected = {"frames_overload": 2, "windows_empty": 2, "windows_late": 5, "messages_queue": 1}
    assert stats.dropped == dict.fromkeys(DROP_REASONS, 0) | expected
    assert len(made.notifier.signs) == 30


def test_what_was_dropped_outside_the_loop_is_said_stream_by_stream(clock) -> None:
    made = Supervised(clock, adapt=False)
    for time_ns in range(MOST_FRAMES + 1):
        made.inbox.put(0, Frame(np.zeros((1, 1, 3), np.uint8), time_ns))
    dropped = [{reason: count for reason, count in stream.items() if count} for stream in made.supervisor.dropped()]
    assert dropped == [{"frames_overload": 1, "messages_queue": 1}, {"messages_queue": 1}]


@pytest.mark.parametrize("adapt", [True, False])
def test_a_machine_that_cannot_keep_up_is_given_a_longer_hop_where_that_is_asked_for(clock, caplog, adapt) -> None:
    made = Supervised(clock, adapt=adapt)
    with caplog.at_level(logging.INFO):
        made.work(turns=200, begin_ms=0, each_ms=100, busy_ms=100)
    stretched = made.supervisor.hop_ns > 500 * MS
    assert stretched == adapt == (made.published[-1].hop_s > 0.5)
    assert any("predicting every" in record.getMessage() for record in caplog.records) == adapt
