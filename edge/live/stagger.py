"""Begins of the streams of a live run: a few together, so that not all windows are due at the same moment.

A stream more in a batch than these few makes its windows no cheaper (docs/experiments.md, 2026-11-30), only later. The
begin itself costs more than what follows: the first faces are searched for in whole frames. So many streams begin over
several hops.
"""

from ..clock import SECOND_NS

TOGETHER = 4
"""Number of streams that begin together."""
GROUPS_A_HOP = 2
"""Number of groups that begin within one hop."""
LONGEST_HOP_NS = SECOND_NS // 2
"""Longest hop over which the begins are spread."""


def delays_ns(streams: int, hop_ns: int) -> list[int]:
    """Return how long after the run each of its streams begins, in ns: where in a hop, spread evenly, and which hop."""
    groups, hop_ns = -(-streams // TOGETHER), min(hop_ns, LONGEST_HOP_NS)
    begins_ns = [group * hop_ns // groups + group // GROUPS_A_HOP * hop_ns for group in range(groups)]
    return [begins_ns[index // TOGETHER] for index in range(streams)]
