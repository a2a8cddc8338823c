"""The newest win: pushing never waits, and says what it cost."""

import queue

import pytest

from edge.queues import drop_oldest, push


@pytest.mark.parametrize(
    ("room", "pushed", "kept"), [(3, 2, [0, 1]), (3, 3, [0, 1, 2]), (3, 5, [2, 3, 4]), (1, 4, [3])]
)
def test_the_newest_stay_in_order(room, pushed, kept):
    waiting = queue.Queue(room)
    dropped = sum(push(waiting, number) for number in range(pushed))
    assert [waiting.get_nowait() for _ in range(waiting.qsize())] == kept
    assert dropped == pushed - len(kept)


def test_nothing_is_dropped_from_an_empty_queue():
    assert drop_oldest(queue.Queue()) == 0
