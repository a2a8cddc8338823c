"""Removal of the DC offset that a converter or its bias adds to every sample, constant or drifting."""

import numpy as np
from numpy.typing import NDArray

from .media import Samples

AVERAGED_S = 0.2
"""Length of the moving average, in seconds, applied twice: it removes changes over 2 s and more, and less than a
thousandth of 50 Hz and above."""


def without_offset(samples: Samples, rate_hz: int) -> Samples:
    """Return float32 `[n]` less the average around each sample; voices do not change audibly."""
    half = round(AVERAGED_S * rate_hz) // 2
    return (samples - averaged(averaged(samples.astype(np.float64), half), half)).astype(np.float32)


def averaged(samples: NDArray[np.float64], half: int) -> NDArray[np.float64]:
    """Return, for each sample, the mean of it and up to `half` samples on either side."""
    sums = np.concatenate([np.zeros(1), np.cumsum(samples)])
    places = np.arange(len(samples))
    first, last = np.maximum(places - half, 0), np.minimum(places + half + 1, len(samples))
    return np.asarray((sums[last] - sums[first]) / (last - first))
