"""Conversion of a device's or track's audio: downmix to one channel of finite samples, then resampling.

The downmix comes first because a resampler would spread a NaN over the neighbouring samples.
"""

from collections.abc import Sequence

import av
import numpy as np
from numpy.typing import NDArray

from ..preprocess.media import Samples
from ..wire.drop_reasons import SAMPLES_NOT_FINITE
from .defects import CHANNELS_CANCEL, Defects

LARGEST_SAMPLE = 2.0**31
"""Full scale of 32-bit integer audio. No valid sample is larger, and the square of one could overflow."""
CENTRE_CHANNEL = "FC"
"""FFmpeg's name of the front centre channel, which carries the dialogue in films."""
CANCELLATION_RATIO = 0.02
"""Ratio of the mix's power to the loudest channel's below which the mix is taken to have cancelled out. Two voices
panned to opposite sides leave 1/4; the widest stereo music leaves about 1/16."""
RECOVERY_RATIO = 0.2
"""Ratio above which the mix is used again; well above `CANCELLATION_RATIO`, for hysteresis."""
POWER_MEMORY_S = 1.0
"""Time constant of the averaged powers."""
INAUDIBLE_POWER = 1e-10
"""Power (-100 dBFS) below which a channel counts as silent."""


class Downmixer:
    """Downmix of one source's channels to mono.

    The mix is the centre channel of surround audio, else the mean of all channels. If the mix is silent while a channel
    is not, the loudest channel is used instead. The choice depends only on the current and earlier pieces, so that the
    same audio is always mixed in the same way.
    """

    def __init__(self, rate_hz: int, names: Sequence[str], defects: Defects) -> None:
        """`names` are FFmpeg's channel names; any others mean that the channels have no speaker positions."""
        self._rate_hz, self._defects = rate_hz, defects
        self._centre = list(names).index(CENTRE_CHANNEL) if len(names) > 2 and CENTRE_CHANNEL in names else None
        self._powers = np.zeros(len(names))
        self._mixed_power = 0.0
        self._selected_channel: int | None = None
        """Index of the channel used instead of the mix; None while the mix is used."""

    def __call__(self, channels: NDArray[np.float32], time_ns: int | None = None) -> Samples:
        """Mix float32 `[channels, n]` to float32 `[n]`; non-finite samples become 0, are counted and warned of once."""
        usable = self._usable(channels, time_ns)
        if len(usable) == 1 or usable.shape[1] == 0:
            return np.asarray(usable[0])
        mixed = usable[self._centre] if self._centre is not None else usable.mean(axis=0, dtype=np.float32)
        self._detect_cancellation(usable, mixed, time_ns)
        return np.asarray(mixed if self._selected_channel is None else usable[self._selected_channel])

    def _usable(self, channels: NDArray[np.float32], time_ns: int | None) -> NDArray[np.float32]:
        unusable = ~(np.abs(channels) <= LARGEST_SAMPLE)
        count = int(np.count_nonzero(unusable))
        if not count:
            return channels
        self._defects.count(SAMPLES_NOT_FINITE, count)
        what = "samples are not finite numbers; they are replaced by silence and counted"
        self._defects.report(SAMPLES_NOT_FINITE, time_ns, what)
        return np.where(unusable, np.float32(0), channels)

    def _detect_cancellation(self, channels: NDArray[np.float32], mixed: Samples, time_ns: int | None) -> None:
        """Update `_selected_channel` from the powers of the channels and the mix, ignoring a common DC offset."""
        mixed, channels = mixed - mixed.mean(), channels - channels.mean(axis=1, keepdims=True)
        kept = float(np.exp(-mixed.size / (POWER_MEMORY_S * self._rate_hz)))
        self._powers = kept * self._powers + np.square(channels, dtype=np.float64).sum(axis=1)
        self._mixed_power = kept * self._mixed_power + float(np.square(mixed, dtype=np.float64).sum())
        loudest = int(self._powers.argmax())
        power = float(self._powers[loudest])
        if self._selected_channel is not None:
            self._selected_channel = None if self._mixed_power > RECOVERY_RATIO * power else self._selected_channel
        elif (
            self._mixed_power < CANCELLATION_RATIO * power and power > INAUDIBLE_POWER * POWER_MEMORY_S * self._rate_hz
        ):
            self._selected_channel = loudest
            self._defects.report(CHANNELS_CANCEL, time_ns, f"{self._reason()}; only channel {loudest + 1} is used")

    def _reason(self) -> str:
        """Return the cause of a silent mix, for the warning."""
        if self._centre is not None:
            return "its centre channel is silent"
        return "its channels cancel each other out"


class Resampler:
    """Resampler of mono audio; passes samples through unchanged if both rates are the same."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._from_hz = from_hz
        self._resampler = None if from_hz == to_hz else av.AudioResampler(format="flt", layout="mono", rate=to_hz)

    def __call__(self, mono: Samples) -> Samples:
        """Resample float32 `[n]`; return the output samples completed so far, float32 `[m]`."""
        if self._resampler is None:
            return mono
        frame = av.AudioFrame.from_ndarray(mono[None], format="flt", layout="mono")
        frame.sample_rate = self._from_hz
        return self._join(self._resampler.resample(frame))

    def finish(self) -> Samples:
        """Return the samples that are left at the end."""
        return np.zeros(0, np.float32) if self._resampler is None else self._join(self._resampler.resample(None))

    def _join(self, parts: list[av.AudioFrame]) -> Samples:
        return np.concatenate([np.zeros(0, np.float32), *(part.to_ndarray()[0] for part in parts)])
