"""Fit of a sound card's clock to the system's clock, for as long as the card runs.

The quartz of a card is off by up to a few hundred ppm: timed by its sample count alone, audio would drift from video by
half a second in an hour. The times at which blocks are observed do not drift but jitter, mostly to the late side.
"""

import math

from ..clock import SECOND_NS

JITTER_S = 0.005
"""Expected jitter of one observation; later observations are clipped to about this, as jitter is one-sided."""
LARGEST_DRIFT = 200e-6
"""Standard deviation of the drift before the first observation."""
WANDER_PER_S = 1e-14
"""Variance that the drift gains each second: 1 ppm in 100 s, as of a quartz that warms up."""
SLACK = 5e-6
"""Rate at which the bound from arrival times is relaxed, as the drift used to extend it is uncertain."""
STEP_NS = 20_000_000
"""Disagreement that is not jitter if it lasts for `STEP_S`: samples were lost or inserted."""
STEP_S = 1.0
"""Time for which all observations must disagree before the fit restarts."""


class CardClock:
    """Kalman filter of two states: the offset of capture times from the sample count, and the drift of that offset.

    At first this equals a line fitted to all observations; later, recent observations outweigh those of minutes ago.
    Times are integers computed from the sample count, so that rounding errors do not accumulate.
    """

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._is_begun = False
        self._counted_ns = self._ahead_ns = self._end_ns = 0
        self._most_ahead_ns: float = math.inf
        """Upper bound of `_ahead_ns`, from the arrival with the least delay; the fit follows the typical delay."""
        self._drift = 0.0
        self._ahead_variance, self._covariance, self._drift_variance = 0.0, 0.0, LARGEST_DRIFT**2
        self._step_counted_ns: int | None = None
        self._step_late_ns = 0

    @property
    def drift_ppm(self) -> float:
        """Estimate of how fast the card runs against the system clock, in ppm."""
        return -1e6 * self._drift

    def end_ns(self, samples: int, observed_ns: int, arrived_ns: int) -> int:
        """Return the capture time of the end of a block, later than that of the previous block.

        `samples` counts all samples that the card has delivered, including this block and dropped blocks.
        `observed_ns` is the observed capture time of the last sample. `arrived_ns`, when the block arrived, is an upper
        bound: no sample arrives before it was captured.
        """
        counted_ns = samples * SECOND_NS // self._rate_hz
        if self._is_begun:
            self._predict(counted_ns - self._counted_ns)
            self._counted_ns = counted_ns
            self._correct(observed_ns - counted_ns - self._ahead_ns)
        else:
            self._is_begun, self._counted_ns = True, counted_ns
            self._begin(observed_ns - counted_ns)
            self._end_ns = counted_ns + self._ahead_ns - 1
        self._most_ahead_ns = min(self._most_ahead_ns, arrived_ns - counted_ns)
        self._end_ns = max(self._end_ns + 1, counted_ns + int(min(self._ahead_ns, self._most_ahead_ns)))
        return self._end_ns

    def _begin(self, ahead_ns: int) -> None:
        """Restart the offset at an observation, keeping the estimate of the drift."""
        self._ahead_ns, self._ahead_variance, self._covariance = ahead_ns, JITTER_S**2, 0.0
        self._most_ahead_ns, self._step_counted_ns = math.inf, None

    def _predict(self, passed_ns: int) -> None:
        """Advance the state and its covariance by the duration of the samples since the last observation."""
        passed_s = passed_ns / SECOND_NS
        self._ahead_ns += round(self._drift * passed_ns)
        if self._most_ahead_ns < math.inf:
            self._most_ahead_ns += round((self._drift + SLACK) * passed_ns)
        self._ahead_variance += passed_s * (2 * self._covariance + passed_s * self._drift_variance)
        self._covariance += passed_s * self._drift_variance
        self._drift_variance += passed_s * WANDER_PER_S

    def _correct(self, late_ns: int) -> None:
        """Update the state by an observation `late_ns` later than predicted."""
        if self._has_stepped(late_ns):
            self._begin(self._ahead_ns + self._step_late_ns)
            return
        variance = self._ahead_variance + JITTER_S**2
        believed_ns = min(late_ns, math.sqrt(variance) * SECOND_NS)
        ahead_gain, drift_gain = self._ahead_variance / variance, self._covariance / variance
        self._ahead_ns += round(ahead_gain * believed_ns)
        self._drift += drift_gain * believed_ns / SECOND_NS
        self._ahead_variance -= ahead_gain * self._ahead_variance
        self._drift_variance -= drift_gain * self._covariance
        self._covariance -= ahead_gain * self._covariance

    def _has_stepped(self, late_ns: int) -> bool:
        """Return whether observations have disagreed long enough; `_step_late_ns` is then the earliest of them."""
        if abs(late_ns) <= STEP_NS or (self._step_counted_ns is not None and late_ns * self._step_late_ns < 0):
            self._step_counted_ns = None
            return False
        if self._step_counted_ns is None:
            self._step_counted_ns, self._step_late_ns = self._counted_ns, late_ns
        self._step_late_ns = min(self._step_late_ns, late_ns)
        return self._counted_ns - self._step_counted_ns >= STEP_S * SECOND_NS
