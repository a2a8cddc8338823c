"""Sound without its offset: what a converter or its bias adds to every sample, the same for ever or drifting."""

import numpy as np
from numpy.typing import NDArray

from .media import Samples

AVERAGED_S = 0.2
"""Averaged twice over this long: what changes within 2 s or more goes, of 50 Hz and above a thousandth."""


def without_offset(samples: Samples, rate_hz: int) -> Samples:
    """float32 `[n]` less the average of what surrounds each sample: no voice is changed that can be heard."""
    half = round(AVERAGED_S * rate_hz) // 2
    return (samples - averaged(averaged(samples.astype(np.float64), half), half)).astype(np.float32)


def averaged(samples: NDArray[np.float64], half: int) -> NDArray[np.float64]:
    """The mean of each sample and up to `half` of them on either side."""
    sums = np.concatenate([np.zeros(1), np.cumsum(samples)])
    places = np.arange(len(samples))
    first, last = np.maximum(places - half, 0), np.minimum(places + half + 1, len(samples))
    return np.asarray((sums[last] - sums[first]) / (last - first))
