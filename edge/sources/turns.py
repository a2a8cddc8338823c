"""Turns of recordings that are decoded in real time: few of their threads at once.

Python runs one thread at a time, and a decoder gives that right away and wants it back many times for each packet.
Where a dozen threads do so together, most of the time goes into handing it over (docs/experiments.md, 2026-11-30).
"""

import os
import threading
from collections.abc import Iterator
from typing import TypeVar

T = TypeVar("T")

MOST_AT_ONCE = max(1, (os.cpu_count() or 1) // 2)
"""Number of recordings that are decoded at once; the other cores are for the model."""
turns = threading.BoundedSemaphore(MOST_AT_ONCE)


def in_turn(items: Iterator[T]) -> Iterator[T]:
    """Yield items, each made in a turn; what makes them must not wait for others, such as a network."""
    while True:
        with turns:
            try:
                item = next(items)
            except StopIteration:
                return
        yield item
