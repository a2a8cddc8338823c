"""The newest events win; what does not fit is counted."""

import threading
from collections import Counter

import numpy as np
import pytest

from edge.inbox import MOST_BLOCKS, MOST_FRAMES, Inbox
from edge.samples import Block, Frame


def block(time_ns: int) -> Block:
    return Block(np.zeros(1, np.float32), time_ns)


def frame(time_ns: int) -> Frame:
    return Frame(np.zeros((1, 1, 3), np.uint8), time_ns)


@pytest.fixture
def dropped() -> Counter[str]:
    return Counter()


def test_events_come_out_in_the_order_of_their_arrival(dropped) -> None:
    inbox = Inbox(dropped)
    events = [block(5), frame(1), block(3), frame(2), block(4)]
    for event in events:
        inbox.put(event)
    assert [id(event) for event in inbox.take(0)] == [id(event) for event in events]
    assert inbox.take(0) == []
    assert not dropped


@pytest.mark.parametrize(
    ("make", "most", "reason"), [(frame, MOST_FRAMES, "frames_overload"), (block, MOST_BLOCKS, "blocks_overload")]
)
def test_the_oldest_gives_way_and_is_counted(dropped, make, most: int, reason: str) -> None:
    inbox = Inbox(dropped)
    for time_ns in range(most + 3):
        inbox.put(make(time_ns))
    assert [event.end_ns for event in inbox.take(0)] == list(range(3, most + 3))
    assert dropped == {reason: 3}


def test_frames_do_not_push_out_blocks(dropped) -> None:
    inbox = Inbox(dropped)
    inbox.put(block(0))
    for time_ns in range(1, 100):
        inbox.put(frame(time_ns))
    assert [event.end_ns for event in inbox.take(0)] == [0, *range(100 - MOST_FRAMES, 100)]


def test_a_waiting_taker_is_woken_by_an_event(dropped) -> None:
    inbox, taken = Inbox(dropped), []
    taker = threading.Thread(target=lambda: taken.extend(inbox.take(30)))
    taker.start()
    inbox.put(block(9))
    taker.join()
    assert [event.end_ns for event in taken] == [9]


def test_a_waiting_taker_is_woken_by_closing(dropped) -> None:
    inbox, taken = Inbox(dropped), []
    taker = threading.Thread(target=lambda: taken.append(inbox.take(30)))
    taker.start()
    inbox.close()
    taker.join()
    assert taken == [[]]


def test_it_is_closed_once_everything_has_been_taken(dropped) -> None:
    inbox = Inbox(dropped)
    inbox.put(block(1))
    inbox.close()
    assert not inbox.closed
    assert len(inbox.take(30)) == 1
    assert inbox.closed


@pytest.mark.parametrize("timeout_s", [0, -5])
def test_past_the_time_there_is_nothing(dropped, timeout_s: float) -> None:
    assert Inbox(dropped).take(timeout_s) == []
