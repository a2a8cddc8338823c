"""Bounded queues in which the newest items win."""

import queue
from typing import TypeVar

T = TypeVar("T")


def push(waiting: "queue.Queue[T]", item: T) -> int:
    """Add an item without waiting; return the number of oldest items that were dropped to make room."""
    dropped = 0
    while True:
        try:
            waiting.put_nowait(item)
            return dropped
        except queue.Full:
            dropped += drop_oldest(waiting)


def drop_oldest(waiting: "queue.Queue[T]") -> int:
    """Take one item out; return 1, or 0 if another thread was quicker."""
    try:
        waiting.get_nowait()
    except queue.Empty:
        return 0
    return 1
