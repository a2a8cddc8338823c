"""The sound card's clock, fitted against the system's for as long as it runs.

A card's quartz is off by up to a few hundred ppm: counted by its samples alone, sound would leave the picture by half a
second in an hour. The times at which its blocks are observed do not drift, but jitter, and mostly to the late side.
"""

import math

from ..clock import SECOND_NS

JITTER_S = 0.005
"""Expected of one observation; one that is later than this counts no more than if it were so late."""
LARGEST_DRIFT = 200e-6
"""Expected of a card's clock, before anything is known of it."""
WANDER_PER_S = 1e-14
"""Variance that the drift gains in a second: 1 ppm in 100 s, as a quartz does that grows warm."""
SLACK = 5e-6
"""By which the bound of arrivals gives way: it was carried on with a drift that was not known well."""
STEP_NS = 20_000_000
"""Observations that all disagree by more than this, and for `STEP_S`, are no jitter: samples were lost or made up."""
STEP_S = 1.0


class CardClock:
    """A Kalman filter of two numbers: how far capture times are ahead of the samples' count, and how that drifts.

    Until the drift is known this is a line fitted to all observations; later ones outweigh those of minutes ago. Times
    are integers, each reckoned from the count, so that no rounding adds up.
    """

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._is_begun = False
        self._counted_ns = self._ahead_ns = self._end_ns = 0
        self._most_ahead_ns: float = math.inf
        """Bounds `_ahead_ns`, by the arrival that waited least; the fit itself goes by the usual one."""
        self._drift = 0.0
        self._ahead_variance, self._covariance, self._drift_variance = 0.0, 0.0, LARGEST_DRIFT**2
        self._step_counted_ns: int | None = None
        self._step_late_ns = 0

    @property
    def drift_ppm(self) -> float:
        """By how much the card is believed to run fast, in millionths."""
        return -1e6 * self._drift

    def end_ns(self, samples: int, observed_ns: int, arrived_ns: int) -> int:
        """Capture time of the end of a block, later than that of the block before.

        `samples` counts all that the card has delivered, those of this block and of blocks that were dropped included;
        `observed_ns` is when its last sample was captured as far as can be seen; `arrived_ns`, when it had come, is a
        bound: nothing arrives before it was captured.
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
        """Take an observation as it is; what is known of the drift stays."""
        self._ahead_ns, self._ahead_variance, self._covariance = ahead_ns, JITTER_S**2, 0.0
        self._most_ahead_ns, self._step_counted_ns = math.inf, None

    def _predict(self, passed_ns: int) -> None:
        """What is expected after so much more sound, and how surely."""
        passed_s = passed_ns / SECOND_NS
        self._ahead_ns += round(self._drift * passed_ns)
        if self._most_ahead_ns < math.inf:
            self._most_ahead_ns += round((self._drift + SLACK) * passed_ns)
        self._ahead_variance += passed_s * (2 * self._covariance + passed_s * self._drift_variance)
        self._covariance += passed_s * self._drift_variance
        self._drift_variance += passed_s * WANDER_PER_S

    def _correct(self, late_ns: int) -> None:
        """What an observation so much later than expected changes."""
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
        """Whether observations have disagreed long enough; `_step_late_ns` is then the earliest of them."""
        if abs(late_ns) <= STEP_NS or (self._step_counted_ns is not None and late_ns * self._step_late_ns < 0):
            self._step_counted_ns = None
            return False
        if self._step_counted_ns is None:
            self._step_counted_ns, self._step_late_ns = self._counted_ns, late_ns
        self._step_late_ns = min(self._step_late_ns, late_ns)
        return self._counted_ns - self._step_counted_ns >= STEP_S * SECOND_NS
