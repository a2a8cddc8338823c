"""An unbroken sound at another rate, piece by piece."""

import av
import numpy as np

from ..preprocess.media import Samples


class Resampler:
    """From one rate to another, mono, or as it is where both are the same."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._from_hz = from_hz
        self._resampler = None if from_hz == to_hz else av.AudioResampler(format="flt", layout="mono", rate=to_hz)

    def __call__(self, mono: Samples) -> Samples:
        """float32 `[n]` -> what that completes of the new one."""
        if self._resampler is None:
            return mono
        frame = av.AudioFrame.from_ndarray(mono[None], format="flt", layout="mono")
        frame.sample_rate = self._from_hz
        return self._joined(self._resampler.resample(frame))

    def finish(self) -> Samples:
        """What is left."""
        return np.zeros(0, np.float32) if self._resampler is None else self._joined(self._resampler.resample(None))

    def _joined(self, parts: list[av.AudioFrame]) -> Samples:
        return np.concatenate([np.zeros(0, np.float32), *(part.to_ndarray()[0] for part in parts)])
