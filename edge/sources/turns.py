"""Turns of recordings that are decoded in real time: few of their threads at once.

Python runs one thread at a time, and a decoder gives that right away and wants it back many times for each packet.
Where a dozen threads do so together, most of the time goes into handing it over (docs/experiments.md, 2026-11-30).
"""

import os
import threading
from collections.abc import Iterator

from ..clock import SECOND_NS
from ..preprocess.media import Frame, Media

MOST_AT_ONCE = max(1, (os.cpu_count() or 1) // 2)
"""Number of recordings that are decoded at once; the other cores are for the model."""
LONGEST_NS = SECOND_NS // 5
"""Longest stretch of a recording that is decoded in one turn: the distance of two frames."""
turns = threading.BoundedSemaphore(MOST_AT_ONCE)


def in_turn(media: Iterator[Media]) -> Iterator[Media]:
    """Yield media, made in turns; what makes them must not wait for others, such as a network.

    A turn ends with a frame, so that no more than one waits, or after `LONGEST_NS`: handing the turn over costs as much
    as decoding a packet.
    """
    is_over = False
    while not is_over:
        made: list[Media] = []
        error: Exception | None = None
        with turns:
            try:
                is_over = make_some(media, made)
            except Exception as caught:  # raised once what came before it is given
                error = caught
        yield from made
        if error:
            raise error


def make_some(media: Iterator[Media], made: list[Media]) -> bool:
    """Add the media of one turn to those made; return whether they are the last."""
    for item in media:
        made.append(item)
        if isinstance(item, Frame) or item.end_ns - made[0].end_ns >= LONGEST_NS:
            return False
    return True
