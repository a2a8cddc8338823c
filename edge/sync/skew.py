"""Skew of audio against video, from pairs of claps and flashes that happen together."""

from dataclasses import dataclass

import numpy as np

from ..clock import SECOND_NS
from ..errors import SourceError
from .onsets import OnsetDetector, Times

LARGEST_SKEW_NS = SECOND_NS
"""Largest time between a clap and a flash that count as a pair."""
LEAST_PAIRS = 3
"""Least number of pairs for a measurement."""
LARGEST_SPREAD_MS = 50.0
"""Largest credible spread; pairs that differ by more did not happen together."""


@dataclass(frozen=True)
class Skew:
    """Measured skew."""

    skew_ms: float
    """Median delay of audio against video over all pairs; negative if audio is early."""
    spread_ms: float
    """Median absolute deviation of the pairs from `skew_ms`."""
    pairs: int
    """Number of claps paired with a flash."""
    frame_ms: float
    """Time from one frame to the next, which limits the precision of a flash's time."""

    @property
    def av_offset_ms(self) -> float:
        """Offset to add to audio times to compensate the skew."""
        return -self.skew_ms


def measure_skew(detector: OnsetDetector, rate_hz: int) -> Skew:
    """Measure the skew, with audio at `rate_hz`; raises SourceError if too few claps and flashes belong together."""
    claps_ns, flashes_ns = detector.claps_ns(rate_hz), detector.flashes_ns()
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
    return Skew(skew_ms, spread_ms, len(late_ms), detector.frame_ns / 1e6)


def pair(claps_ns: Times, flashes_ns: Times) -> Times:
    """Return the delays of claps `[n]` after flashes `[m]`, int64 `[pairs]` in ns, of mutually nearest pairs."""
    late_ns = claps_ns[:, None] - flashes_ns[None]
    far_ns = np.abs(late_ns)
    is_nearest = (far_ns == far_ns.min(axis=1)[:, None]) & (far_ns == far_ns.min(axis=0))
    return np.asarray(late_ns[is_nearest & (far_ns <= LARGEST_SKEW_NS)], np.int64)
