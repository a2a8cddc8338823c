"""Begins of the streams of a live run: a few together, so that not all windows are due at the same moment.

A stream more in a batch than these few makes its windows no cheaper (docs/experiments.md, 2026-11-30), only later.
"""

from ..clock import SECOND_NS

TOGETHER = 4
"""Number of streams that begin together."""
LONGEST_NS = SECOND_NS // 2
"""Longest time that a stream begins after the first."""


def delays_ns(streams: int, hop_ns: int) -> list[int]:
    """Return how long after the run each of its streams begins, in ns: less than a hop, spread evenly over it."""
    groups = -(-streams // TOGETHER)
    return [index // TOGETHER * min(hop_ns, LONGEST_NS) // groups for index in range(streams)]
