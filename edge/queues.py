"""Bounded queues in which the newest win."""

import queue
from typing import TypeVar

T = TypeVar("T")


def push(waiting: "queue.Queue[T]", item: T) -> int:
    """Add an item without waiting; the oldest make room. Returns how many were dropped for it."""
    dropped = 0
    while True:
        try:
            waiting.put_nowait(item)
            return dropped
        except queue.Full:
            dropped += drop_oldest(waiting)


def drop_oldest(waiting: "queue.Queue[T]") -> int:
    """Take one item out, 0 where another thread was quicker."""
    try:
        waiting.get_nowait()
    except queue.Empty:
        return 0
    return 1
