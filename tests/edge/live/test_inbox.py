"""The newest events win, stream by stream; what does not fit is counted."""

import threading
from collections.abc import Sequence

import numpy as np
import pytest

from edge.live.inbox import MOST_BLOCKS, MOST_FRAMES, Delivery, Inbox
from edge.preprocess.media import Block, Discontinuity, Frame
from edge.preprocess.windowing import Due


def block(time_ns: int) -> Block:
    return Block(np.zeros(1, np.float32), time_ns)


def frame(time_ns: int) -> Frame:
    return Frame(np.zeros((1, 1, 3), np.uint8), time_ns)


def times(deliveries: Sequence[Delivery]) -> list[tuple[int, int]]:
    return [(delivery.stream, delivery.media.end_ns) for delivery in deliveries]


def test_events_come_out_in_the_order_of_their_arrival() -> None:
    inbox = Inbox([1, 1])
    media = [(0, block(5)), (1, frame(1)), (1, block(3)), (0, frame(2)), (1, block(4))]
    for stream, item in media:
        inbox.put(stream, item)
    assert inbox.waiting() == {"frames": 2, "blocks": 3}
    assert [(delivery.stream, id(delivery.media)) for delivery in inbox.take(0)] == [(s, id(e)) for s, e in media]
    assert inbox.take(0) == []
    assert [+dropped for dropped in inbox.dropped] == [{}, {}]


@pytest.mark.parametrize(
    ("make", "most", "reason"), [(frame, MOST_FRAMES, "frames_overload"), (block, MOST_BLOCKS, "blocks_overload")]
)
def test_the_oldest_gives_way_and_is_counted_for_its_stream(make, most: int, reason: str) -> None:
    inbox = Inbox([1, 1])
    inbox.put(0, make(7))
    for time_ns in range(most + 3):
        inbox.put(1, make(time_ns))
    assert times(inbox.take(0)) == [(0, 7), *((1, time_ns) for time_ns in range(3, most + 3))]
    assert [+dropped for dropped in inbox.dropped] == [{}, {reason: 3}]


def test_frames_do_not_push_out_blocks() -> None:
    inbox = Inbox([1])
    inbox.put(0, block(0))
    for time_ns in range(1, 100):
        inbox.put(0, frame(time_ns))
    assert [time_ns for _, time_ns in times(inbox.take(0))] == [0, *range(100 - MOST_FRAMES, 100)]


def take_in_thread(inbox: Inbox, taken: list[list[Delivery]], linger_s: float = 0.0) -> threading.Thread:
    taker = threading.Thread(target=lambda: taken.append(inbox.take(30, linger_s)))
    taker.start()
    return taker


def test_a_waiting_taker_is_woken_by_an_event() -> None:
    inbox, taken = Inbox([1]), []
    taker = take_in_thread(inbox, taken)
    inbox.put(0, block(9))
    taker.join()
    assert times(taken[0]) == [(0, 9)]


@pytest.mark.parametrize("wanted", [block(10), frame(6)])
def test_what_no_window_wants_yet_wakes_nobody_and_comes_along(wanted: Block | Frame) -> None:
    inbox, taken = Inbox([1, 1]), []
    taker = threading.Thread(target=lambda: taken.append(inbox.take(30, 0.0, [Due(10, 6), Due(10, 6)])))
    taker.start()
    for stream, item in ((0, block(8)), (1, block(9)), (1, frame(5))):
        inbox.put(stream, item)
    taker.join(0.2)
    assert taker.is_alive()
    inbox.put(1, wanted)
    taker.join()
    assert times(taken[0]) == [(0, 8), (1, 9), (1, 5), (1, wanted.end_ns)]


def test_what_is_wanted_and_there_already_is_not_waited_for() -> None:
    inbox = Inbox([1])
    inbox.put(0, block(8))
    assert times(inbox.take(0.0, 0.0, [Due(10, 6)])) == [(0, 8)]
    for item in (frame(5), frame(6)):
        inbox.put(0, item)
    assert times(inbox.take(30, 0.0, [Due(10, 6)])) == [(0, 5), (0, 6)]
    inbox.put(0, block(10))
    assert times(inbox.take(30, 0.0, [Due(10, 6)])) == [(0, 10)]


def test_the_first_waits_for_the_company_of_others() -> None:
    inbox, taken = Inbox([1, 1]), []
    inbox.put(0, block(1))
    taker = take_in_thread(inbox, taken, linger_s=0.5)
    inbox.put(1, block(2))
    taker.join()
    assert times(taken[0]) == [(0, 1), (1, 2)]


def test_a_waiting_taker_is_woken_by_the_end() -> None:
    inbox, taken = Inbox([1]), []
    taker = take_in_thread(inbox, taken)
    inbox.end(0, None)
    taker.join()
    assert taken == [[Delivery(0, None)]]


def test_company_is_not_waited_for_past_the_end() -> None:
    inbox, taken = Inbox([1]), []
    inbox.put(0, block(1))
    inbox.end(0, None)
    taker = take_in_thread(inbox, taken, linger_s=30)
    taker.join(10)
    assert not taker.is_alive()
    assert [delivery.media is None for delivery in taken[0]] == [False, True]


def test_a_stream_ends_with_its_last_capture_and_after_its_last_event() -> None:
    inbox = Inbox([2, 1])
    inbox.put(0, block(1))
    inbox.end(0, None)
    assert [delivery.media is None for delivery in inbox.take(0)] == [False]
    inbox.put(0, frame(2))
    inbox.end(0, None)
    assert [(delivery.stream, delivery.media is None) for delivery in inbox.take(0)] == [(0, False), (0, True)]


def test_what_breaks_a_capture_ends_its_stream_alone() -> None:
    inbox, error = Inbox([2, 1]), ZeroDivisionError()
    assert inbox.put(0, block(1))
    inbox.end(0, error)
    inbox.end(0, ValueError())
    assert not inbox.put(0, block(2))
    assert inbox.put(1, block(3))
    first, end, other = inbox.take(0)
    assert (first.media.end_ns, end, other.media.end_ns) == (1, Delivery(0, None, error), 3)


def test_of_a_dismissed_stream_nothing_more_is_taken() -> None:
    inbox = Inbox([1, 1])
    inbox.dismiss(0)
    assert not inbox.put(0, block(1))
    inbox.end(0, None)
    assert inbox.take(0) == []


@pytest.mark.parametrize(
    "garbage",
    [
        None,
        Block(np.zeros((1, 1), np.float32), 0),
        Block(np.zeros(1), 0),
        Frame(np.zeros((0, 0, 3), np.uint8), 0),
        Frame(np.zeros((1, 20_000, 3), np.uint8), 0),
        Frame(np.zeros((2, 2), np.uint8), 0),
        Frame(np.zeros((2, 2, 4), np.uint8), 0),
        Frame(np.zeros((2, 2, 3), np.float32), 0),
        Frame(None, 0),
        Frame(np.zeros((2, 2, 3), np.uint8), 10**20),
        Frame(np.zeros((2, 2, 3), np.uint8), 0.5),
        Block(np.zeros(1, np.float32), None),
    ],
)
def test_what_is_no_event_is_refused(garbage) -> None:
    inbox = Inbox([1])
    with pytest.raises(ValueError, match=r"expected|neither"):
        inbox.put(0, garbage)
    assert inbox.take(0) == []


@pytest.mark.parametrize("timeout_s", [0, -5])
def test_past_the_time_there_is_nothing(timeout_s: float) -> None:
    assert Inbox([1]).take(timeout_s) == []


def test_of_a_streams_discontinuities_the_newest_is_kept_in_its_place() -> None:
    inbox = Inbox([1, 1])
    for time_ns in range(1000):
        inbox.put(0, Discontinuity(time_ns))
    inbox.put(1, Discontinuity(7))
    inbox.put(0, block(1001))
    assert times(inbox.take(0)) == [(0, 999), (1, 7), (0, 1001)]
    assert inbox.take(0) == []


def test_a_discontinuity_is_taken_before_the_end() -> None:
    inbox = Inbox([1])
    inbox.put(0, Discontinuity(1))
    inbox.end(0, None)
    assert [delivery.media for delivery in inbox.take(0)] == [Discontinuity(1), None]
