"""Removal of the DC offset that a converter or its bias adds to every sample, constant or drifting."""

import numpy as np
from numpy.typing import NDArray

from .media import Samples
from .sequence_ring import SequenceRing

AVERAGED_S = 0.2
"""Length of the moving average, in seconds, applied twice: it removes changes over 2 s and more, and less than a
thousandth of 50 Hz and above."""


def without_offset(samples: Samples, rate_hz: int) -> Samples:
    """Return float32 `[n]` less the average around each sample; voices do not change audibly."""
    half, wide = reach(rate_hz) // 2, samples.astype(np.float64)
    counts = np.full(len(wide), 2 * half + 1.0)
    lacking = np.arange(half, 0, -1)[: len(wide)]
    counts[:half] -= lacking
    counts[len(wide) - len(lacking) :] -= lacking[::-1]
    wide -= averaged(averaged(wide, half, counts), half, counts)
    return wide.astype(np.float32)


def averaged(samples: NDArray[np.float64], half: int, counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of each sample and up to `half` on either side of it, which `counts` `[n]` says are so many."""
    begin, end = half + 1, half + 1 + len(samples)
    sums = np.empty(end + half)
    sums[:begin] = 0
    np.cumsum(samples, out=sums[begin:end])
    sums[end:] = sums[end - 1]
    means = sums[half + begin :] - sums[: len(samples)]
    means /= counts
    return np.asarray(means)


def reach(rate_hz: int) -> int:
    """Return the number of samples to either side on which a sample without the offset depends."""
    return 2 * (round(AVERAGED_S * rate_hz) // 2)


class OffsetRemover:
    """Remover of the DC offset of a run while it grows, with the result of `without_offset` on the whole run.

    The newest samples, whose averages lack what comes next, are computed again when that has come.
    """

    def __init__(self, rate_hz: int, kept: int) -> None:
        """Make a remover that keeps so many samples."""
        self._rate_hz, self._reach, self._kept = rate_hz, reach(rate_hz), kept
        self.samples = SequenceRing(kept, room=kept // 8)
        """Samples without the offset, by their positions in the run."""
        self._settled = 0

    def clear(self, position: int = 0) -> None:
        """Forget everything: a run begins at this position."""
        self.samples.clear(position)
        self._settled = position

    def update(self, run: SequenceRing, end: int) -> None:
        """Bring `samples` up to a position of the run, as if the run ended there."""
        oldest = max(run.first, end - self._kept)
        if self._settled < oldest or end < self.samples.first:
            self.clear(oldest)
        settled = max(self.samples.first, min(self._settled, end - self._reach))
        first = max(run.first, settled - self._reach)
        self.samples.write(settled, without_offset(run.view(first, end), self._rate_hz)[settled - first :])
        self._settled = max(settled, end - self._reach)
