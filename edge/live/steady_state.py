"""The steady state: from a stream's probabilities, a label that keeps still while the person does.

Nothing here reads a clock: times are the ends of the windows. C is the number of labels.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..clock import SECOND_NS, to_ns
from ..errors import EngineError
from ..wire.messages import UNCERTAIN
from .steady_state_config import SteadyStateConfig

SUM_TOLERANCE = 1e-2
"""How far from 1 probabilities may add up: half precision rounds."""


@dataclass(frozen=True)
class Change:
    """The steady state has become another."""

    label: str
    """One of the bundle's, or `uncertain`."""
    previous: str | None
    """None at the first."""
    probs: NDArray[np.float64]
    """Smoothed, `[C]`."""
    confidence: float
    """The label's smoothed probability; where it is `uncertain` the highest of all."""
    since_ns: int
    """End of the window that brought the change."""


class Smoothing:
    """Exponential smoothing in real time of a curve known at uneven times, taken as straight in between.

    So neither another hop nor a short gap changes what the time constant means.
    """

    def __init__(self, time_constant_s: float) -> None:
        self._time_constant_ns = time_constant_s * SECOND_NS
        self._newest = self._smoothed = np.zeros(0)

    def begin(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Forget what was; `[C]` -> itself."""
        self._newest = self._smoothed = values
        return values

    def advance(self, values: NDArray[np.float64], after_ns: int) -> NDArray[np.float64]:
        """Values `[C]` so long (> 0) after the ones before -> smoothed `[C]`."""
        elapsed = after_ns / self._time_constant_ns if self._time_constant_ns else math.inf
        kept = math.exp(-elapsed)
        mean_kept = -math.expm1(-elapsed) / elapsed
        self._smoothed = kept * self._smoothed + (mean_kept - kept) * self._newest + (1 - mean_kept) * values
        self._newest = values
        return self._smoothed


class SteadyStateFilter:
    """One stream's steady state."""

    def __init__(self, labels: Sequence[str], steadying: SteadyStateConfig) -> None:
        self._labels, self._steadying = tuple(labels), steadying
        self._dwell_ns, self._forget_ns = to_ns(steadying.dwell_s), to_ns(steadying.forget_s)
        self._smoothing = Smoothing(steadying.smoothing_s)
        self._label: str | None = None
        self._since_ns = 0
        self._end_ns: int | None = None

    def update(self, probs: NDArray[np.floating[Any]], end_ns: int) -> Change | None:
        """Take in a window's calibrated probabilities `[C]`; the change they bring, always one at the first.

        A window that ends no later than one before it stands on nothing newer, and is passed over.
        EngineError where these are no probabilities.
        """
        self._check(probs)
        after_ns = self._forget_ns + 1 if self._end_ns is None else end_ns - self._end_ns
        if after_ns <= 0:
            return None
        self._end_ns = end_ns
        values = np.array(probs, np.float64)
        if after_ns > self._forget_ns:
            smoothed = self._smoothing.begin(values)
            label = self._choose(smoothed)
        else:
            smoothed = self._smoothing.advance(values, after_ns)
            label = self._held(smoothed, end_ns) or self._choose(smoothed)
        return self._change(label, smoothed, end_ns)

    def _held(self, smoothed: NDArray[np.float64], end_ns: int) -> str | None:
        """The label held, where it is not to be left yet."""
        if self._label is None or self._label == UNCERTAIN:
            return None
        dwells = end_ns - self._since_ns < self._dwell_ns
        stays = dwells or smoothed[self._labels.index(self._label)] >= self._steadying.leave
        return self._label if stays else None

    def _choose(self, smoothed: NDArray[np.float64]) -> str:
        best = int(smoothed.argmax())
        return self._labels[best] if smoothed[best] >= self._steadying.enter else UNCERTAIN

    def _change(self, label: str, smoothed: NDArray[np.float64], end_ns: int) -> Change | None:
        if label == self._label:
            return None
        previous, self._label, self._since_ns = self._label, label, end_ns
        return Change(label, previous, smoothed.copy(), float(smoothed.max()), end_ns)

    def _check(self, probs: NDArray[np.floating[Any]]) -> None:
        count = len(self._labels)
        # written so that nan, which compares with nothing, is refused
        if probs.shape == (count,) and probs.min() >= 0 and abs(float(probs.sum()) - 1) <= SUM_TOLERANCE:
            return
        raise EngineError(
            f"the model gave {probs.tolist()} where {count} probabilities that add up to 1 were expected",
            "run `foal-edge doctor`, or try --backend onnxruntime",
        )
