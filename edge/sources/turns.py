"""Turns of recordings that are decoded in real time: few of their threads at once.

Python runs one thread at a time, and a decoder gives that right away and wants it back many times for each packet.
Where a dozen threads do so together, most of the time goes into handing it over (docs/experiments.md, 2026-11-30).
"""

import os
import threading
from collections.abc import Iterator, Sequence

from ..clock import SECOND_NS
from ..preprocess.media import Frame, Media

MOST_AT_ONCE = max(1, (os.cpu_count() or 1) // 2)
"""Number of recordings that are decoded at once; the other cores are for the model."""
FRAMES = 2
"""Number of frames of a turn: what a decoder keeps, megabytes of pictures, comes from memory once for both."""
LONGEST_NS = FRAMES * SECOND_NS // 5
"""Longest stretch of a recording that is decoded in one turn: the distance of so many frames."""
AHEAD_NS = SECOND_NS // 10
"""Time before its first item is due at which a turn is taken, as decoding takes time and others have turns as well."""
turns = threading.BoundedSemaphore(MOST_AT_ONCE)


def in_turn(media: Iterator[Media]) -> Iterator[Media]:
    """Yield media, made in turns; what makes them must not wait for others, such as a network.

    A turn ends with its last frame, so that no more than `FRAMES` and one that is kept wait, or after `LONGEST_NS`:
    handing the turn over costs as much as decoding a packet. What is due last in a turn is kept until the next has been
    taken. The first turn has one item, with which playback begins.
    """
    is_over, longest_ns = False, 0
    kept: list[Media] = []
    while not is_over:
        made: list[Media] = []
        error: Exception | None = None
        with turns:
            try:
                is_over = make_some(media, made, longest_ns)
            except Exception as caught:  # raised once what came before it is given
                error = caught
        yield from kept
        if error:
            yield from made
            raise error
        count = count_early(made) if longest_ns else len(made)
        yield from made[:count]
        kept, longest_ns = made[count:], LONGEST_NS
    yield from kept


def make_some(media: Iterator[Media], made: list[Media], longest_ns: int) -> bool:
    """Add the media of one turn, of `longest_ns` at most, to those made; return whether they are the last."""
    frames = 0
    for item in media:
        made.append(item)
        frames += isinstance(item, Frame)
        if frames == FRAMES or item.end_ns - made[0].end_ns >= longest_ns:
            return False
    return True


def count_early(made: Sequence[Media]) -> int:
    """Return the number of media, from the first on, that are due longer than `AHEAD_NS` before the last."""
    return next((number for number, item in enumerate(made) if made[-1].end_ns - item.end_ns < AHEAD_NS), 0)
