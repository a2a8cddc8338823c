"""From what a device or a track delivers to one channel of usable samples, before anything is resampled.

A resampler would spread a sample that is not a number over its neighbours.
"""

from collections.abc import Sequence

import av
import numpy as np
from numpy.typing import NDArray

from ..preprocess.media import Samples
from ..wire.drop_reasons import SAMPLES_NOT_FINITE
from .defects import CANCELLED, Defects

LARGEST = 2.0**31
"""Full scale of the largest integers that sound is written in: beyond it lies no sample, and its square overflows."""
CENTRE = "FC"
"""Where films have their voices."""
CANCELLING = 0.02
"""Of the loudest channel's power: below it a mix has lost what is to be heard. Two voices, each on a side of its own,
leave a quarter; a sixteenth of a stereo picture is as wide as music gets."""
RESTORED = 0.2
"""And above it the mix is taken again; far above, so that nothing flips to and fro."""
MEMORY_S = 1.0
"""The powers are those of about the last second."""
INAUDIBLE = 1e-10
"""A power (-100 dBFS) below which no channel is anything to go by."""


class Mono:
    """One source's channels made one: their mean, of films the centre, or one channel where that is silence.

    Decided by each piece and what went before it alone, so that the same sound is always mixed in the same way.
    """

    def __init__(self, rate_hz: int, names: Sequence[str], remarks: Defects) -> None:
        """`names` of the channels, as FFmpeg has them; any others where they have no place."""
        self._rate_hz, self._remarks = rate_hz, remarks
        self._centre = list(names).index(CENTRE) if len(names) > 2 and CENTRE in names else None
        self._powers = np.zeros(len(names))
        self._mixed_power = 0.0
        self._alone: int | None = None
        """The channel that stands for all, None where they are mixed."""

    def __call__(self, channels: NDArray[np.float32], time_ns: int | None = None) -> Samples:
        """float32 `[channels, n]` -> `[n]`; what is no number becomes silence, counted and said."""
        usable = self._usable(channels, time_ns)
        if len(usable) == 1 or usable.shape[1] == 0:
            return np.asarray(usable[0])
        mixed = usable[self._centre] if self._centre is not None else usable.mean(axis=0, dtype=np.float32)
        self._judge(usable, mixed, time_ns)
        return np.asarray(mixed if self._alone is None else usable[self._alone])

    def _usable(self, channels: NDArray[np.float32], time_ns: int | None) -> NDArray[np.float32]:
        unusable = ~(np.abs(channels) <= LARGEST)
        count = int(np.count_nonzero(unusable))
        if not count:
            return channels
        self._remarks.count(SAMPLES_NOT_FINITE, count)
        what = "samples that are no numbers; such are taken for silence and counted"
        self._remarks.say(SAMPLES_NOT_FINITE, time_ns, what)
        return np.where(unusable, np.float32(0), channels)

    def _judge(self, channels: NDArray[np.float32], mixed: Samples, time_ns: int | None) -> None:
        """Whether the mix still says what its channels do, an offset that they share aside."""
        mixed, channels = mixed - mixed.mean(), channels - channels.mean(axis=1, keepdims=True)
        kept = float(np.exp(-mixed.size / (MEMORY_S * self._rate_hz)))
        self._powers = kept * self._powers + np.square(channels, dtype=np.float64).sum(axis=1)
        self._mixed_power = kept * self._mixed_power + float(np.square(mixed, dtype=np.float64).sum())
        loudest = int(self._powers.argmax())
        power = float(self._powers[loudest])
        if self._alone is not None:
            self._alone = None if self._mixed_power > RESTORED * power else self._alone
        elif self._mixed_power < CANCELLING * power and power > INAUDIBLE * MEMORY_S * self._rate_hz:
            self._alone = loudest
            self._remarks.say(CANCELLED, time_ns, f"{self._reason()}; channel {loudest + 1} is taken alone")

    def _reason(self) -> str:
        """Why a mix is silent."""
        if self._centre is not None:
            return "its centre channel is silent"
        return "its channels cancel one another out"


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
