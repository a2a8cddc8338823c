"""How late sound is against picture, from claps that are heard and flashes that are seen."""

from dataclasses import dataclass

import numpy as np

from ..clock import SECOND_NS
from ..errors import SourceError
from .onsets import Evidence, Times

LARGEST_SKEW_NS = SECOND_NS
"""Of a clap and a flash that are one event."""
LEAST_PAIRS = 3
LARGEST_SPREAD_MS = 50.0
"""Pairs that differ by more are not of one event each."""


@dataclass(frozen=True)
class Skew:
    """What was measured."""

    skew_ms: float
    """By how much sound is later than picture, the median of all pairs; negative where it is earlier."""
    spread_ms: float
    """Median distance of a pair from that."""
    pairs: int
    """Claps that had their flash."""
    frame_ms: float
    """From one frame to the next: the picture tells no more precisely when it flashed."""

    @property
    def av_offset_ms(self) -> float:
        """What is to be added to the sound's times."""
        return -self.skew_ms


def measure(evidence: Evidence, rate_hz: int) -> Skew:
    """The skew of sound at this rate; SourceError where too few claps and flashes belong together."""
    claps_ns, flashes_ns = evidence.claps_ns(rate_hz), evidence.flashes_ns()
    late_ms = pair(claps_ns, flashes_ns) / 1e6
    if len(late_ms) < LEAST_PAIRS:
        raise SourceError(
            f"{len(claps_ns)} claps and {len(flashes_ns)} flashes make {len(late_ms)} pairs within a second; at least "
            f"{LEAST_PAIRS} are needed: clap and flash at once, every two seconds, or measure for longer"
        )
    skew_ms = float(np.median(late_ms))
    spread_ms = float(np.median(np.abs(late_ms - skew_ms)))
    if spread_ms > LARGEST_SPREAD_MS:
        raise SourceError(
            f"{len(late_ms)} claps and flashes differ by {spread_ms:.0f} ms among themselves; expected at most "
            f"{LARGEST_SPREAD_MS:.0f} ms: flash with each clap, and keep the room quiet and the light steady otherwise"
        )
    return Skew(skew_ms, spread_ms, len(late_ms), evidence.frame_ns / 1e6)


def pair(claps_ns: Times, flashes_ns: Times) -> Times:
    """By how much claps `[n]` are later than flashes `[m]`, int64 `[pairs]`: of those nearest to each other."""
    late_ns = claps_ns[:, None] - flashes_ns[None]
    far_ns = np.abs(late_ns)
    is_nearest = (far_ns == far_ns.min(axis=1)[:, None]) & (far_ns == far_ns.min(axis=0))
    return np.asarray(late_ns[is_nearest & (far_ns <= LARGEST_SKEW_NS)], np.int64)
