"""Steady state of a stream: a label that stays the same while the person's emotion does.

Nothing here reads a clock: times are the ends of windows. C is the number of labels.
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
"""Largest distance of the sum of probabilities from 1: half precision rounds."""


@dataclass(frozen=True)
class Change:
    """Change of the steady state."""

    label: str
    """Label of the bundle, or `uncertain`."""
    previous: str | None
    """Label before; None at the first."""
    probs: NDArray[np.float64]
    """Smoothed probabilities `[C]`."""
    confidence: float
    """Smoothed probability of the label; of `uncertain`, the highest of all labels."""
    since_ns: int
    """End of the window that brought the change."""


class Smoothing:
    """Exponential smoothing in real time of a curve known at uneven times, taken as straight in between.

    Neither another hop nor a short gap changes what the time constant means.
    """

    def __init__(self, time_constant_s: float) -> None:
        self._time_constant_ns = time_constant_s * SECOND_NS
        self._newest = self._smoothed = np.zeros(0)

    def begin(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Start with values `[C]`, forgetting earlier ones, and return them."""
        self._newest = self._smoothed = values
        return values

    def advance(self, values: NDArray[np.float64], after_ns: int) -> NDArray[np.float64]:
        """Return the smoothed values `[C]`, given values `[C]` that come `after_ns` (> 0) after those before."""
        elapsed = after_ns / self._time_constant_ns if self._time_constant_ns else math.inf
        kept = math.exp(-elapsed)
        mean_kept = -math.expm1(-elapsed) / elapsed
        self._smoothed = kept * self._smoothed + (mean_kept - kept) * self._newest + (1 - mean_kept) * values
        self._newest = values
        return self._smoothed


class SteadyStateFilter:
    """Filter from a stream's probabilities to its steady state."""

    def __init__(self, labels: Sequence[str], config: SteadyStateConfig) -> None:
        self._labels, self._config = tuple(labels), config
        self._dwell_ns, self._forget_ns = to_ns(config.dwell_s), to_ns(config.forget_s)
        self._smoothing = Smoothing(config.smoothing_s)
        self._label: str | None = None
        self._smoothed = np.zeros(len(self._labels))
        self._since_ns = 0
        self._end_ns: int | None = None

    def update(self, probs: NDArray[np.floating[Any]], end_ns: int, *, has_evidence: bool = True) -> Change | None:
        """Take a window's calibrated probabilities `[C]`; return the change they cause, None for no change.

        The first window always causes a change. A window that ends no later than the one before has no newer
        evidence and is passed over. One without evidence, neither a voice nor a face, makes the state `uncertain`
        as soon as the dwell of the label held is over. EngineError where the values are no probabilities.
        """
        self._check(probs)
        after_ns = self._forget_ns + 1 if self._end_ns is None else end_ns - self._end_ns
        if after_ns <= 0:
            return None
        self._end_ns = end_ns
        values = np.array(probs, np.float64)
        if after_ns > self._forget_ns:
            smoothed = self._smoothing.begin(values)
            label = self._choose(smoothed, has_evidence)
        else:
            smoothed = self._smoothing.advance(values, after_ns)
            label = self._held(smoothed, end_ns, has_evidence) or self._choose(smoothed, has_evidence)
        return self._change(label, smoothed, end_ns)

    def _held(self, smoothed: NDArray[np.float64], end_ns: int, has_evidence: bool) -> str | None:
        """Return the current label where it is to be kept."""
        if self._label is None or self._label == UNCERTAIN:
            return None
        dwells = end_ns - self._since_ns < self._dwell_ns
        stays = dwells or (has_evidence and smoothed[self._labels.index(self._label)] >= self._config.leave)
        return self._label if stays else None

    def _choose(self, smoothed: NDArray[np.float64], has_evidence: bool) -> str:
        best = int(smoothed.argmax())
        return self._labels[best] if has_evidence and smoothed[best] >= self._config.enter else UNCERTAIN

    def _change(self, label: str, smoothed: NDArray[np.float64], end_ns: int) -> Change | None:
        previous, self._label, self._smoothed = self._label, label, smoothed
        if label != previous:
            self._since_ns = end_ns
        return self.change_from(previous, end_ns)

    @property
    def label(self) -> str:
        """Label of the bundle, or `uncertain`, as it is before the first window."""
        return self._label or UNCERTAIN

    def change_from(self, previous: str | None, end_ns: int) -> Change | None:
        """Return the change to this state from a label that was published before; None where it is the same."""
        if self.label == previous:
            return None
        return Change(self.label, previous, self._smoothed.copy(), float(self._smoothed.max()), end_ns)

    def _check(self, probs: NDArray[np.floating[Any]]) -> None:
        count = len(self._labels)
        # written so that nan, which compares with nothing, is refused
        if probs.shape == (count,) and probs.min() >= 0 and abs(float(probs.sum()) - 1) <= SUM_TOLERANCE:
            return
        raise EngineError(
            f"the model gave {probs.tolist()} where {count} probabilities that add up to 1 were expected",
            "run `foal-edge doctor`, or try --backend onnxruntime",
        )
