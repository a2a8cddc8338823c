"""Microphones through PortAudio, whose callback only copies and enqueues."""

import queue
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any

from ..bundle.manifest import AudioSpec
from ..clock import SECOND_NS, Clock, to_ns
from ..errors import SourceError
from ..preprocess.media import AUDIO_LOST_S, BLOCK_S, Block, Samples
from ..queues import push
from ..wire.drop_reasons import BLOCKS_OVERLOAD
from .audio_conversion import Downmixer, Resampler
from .card_clock import CardClock
from .defects import Defects
from .names import DEFAULT
from .portaudio import STREAMS, portaudio

FIRST_S = 3.0
"""Time allowed for the first block: a sound server may have to wake up."""
MAX_LATENCY_S = 1.0
"""Largest credible latency of a block; an ADC time further back is ignored."""
SETTLED_S = 2.0
"""Time during which a sound server may report a wrong latency: PulseAudio reports 0.7 s for its first 1.2 s."""
MAX_LATENCY_AT_START_S = 0.1
"""Largest credible latency during that time."""
LARGEST_BACKLOG = 256
"""Largest number of blocks that wait to be read; the oldest are dropped."""


@dataclass(frozen=True)
class CapturedBlock:
    """Block as delivered by the callback."""

    samples: Samples
    """float32 `[n, channels]` at the device's rate."""
    count: int
    """Number of samples that the device has delivered up to the end of this block."""
    observed_ns: int
    """Observed capture time of the last sample."""
    arrived_ns: int
    """Time at which the callback was called."""
    waited_s: float
    """Time since the previous block, suspended time included; 0 for the first."""


class CallbackBuffer:
    """Callback of an open device: copies each block, with its count and times, into a bounded queue."""

    def __init__(self, rate_hz: int, clock: Clock, dropped: Counter[str]) -> None:
        self.rate_hz = rate_hz
        self.waiting: queue.Queue[CapturedBlock] = queue.Queue(LARGEST_BACKLOG)
        self._clock, self._dropped = clock, dropped
        self._count = 0
        self._called_ns: int | None = None

    def __call__(self, samples: Samples, frames: int, times: Any, status: Any) -> None:
        """Enqueue a copy of a block; called from PortAudio's thread."""
        now_ns, boot_ns = self._clock.now_ns(), self._clock.boot_ns()
        waited_s, self._called_ns = (boot_ns - (self._called_ns or boot_ns)) / SECOND_NS, boot_ns
        self._count += frames
        is_settled = self._count > SETTLED_S * self.rate_hz
        ago_s = self._now_s(now_ns, times.currentTime) - times.inputBufferAdcTime - frames / self.rate_hz
        believable_s = MAX_LATENCY_S if is_settled else MAX_LATENCY_AT_START_S
        is_believable = times.inputBufferAdcTime > 0 and 0 <= ago_s < believable_s
        observed_ns = now_ns - to_ns(ago_s) if is_believable else now_ns
        if lost := push(self.waiting, CapturedBlock(samples.copy(), self._count, observed_ns, now_ns, waited_s)):
            self._dropped[BLOCKS_OVERLOAD] += lost

    def _now_s(self, now_ns: int, current_s: float) -> float:
        """Return the time on PortAudio's clock, which read `current_s` before this thread waited for the GIL."""
        clocks_s = (now_ns / SECOND_NS, self._clock.unix_ns(now_ns) / SECOND_NS)
        return next((now_s for now_s in clocks_s if 0 <= now_s - current_s < MAX_LATENCY_S), current_s)


class Microphone:
    """Input device, downmixed to mono at the bundle's rate; `spec` is `default`, a number, or part of a name."""

    def __init__(self, spec: str, audio: AudioSpec, clock: Clock, dropped: Counter[str]) -> None:
        self.name = f"microphone {spec}"
        self._spec, self._rate_hz, self._clock, self._dropped = spec, audio.rate_hz, clock, dropped
        self._defects = Defects(self.name, dropped)
        self._buffer = CallbackBuffer(audio.rate_hz, clock, dropped)
        self._card = CardClock(audio.rate_hz)
        self._stream: Any = None

    @property
    def drift_ppm(self) -> float:
        """Estimate of how fast the sound card's clock runs, in ppm."""
        return self._card.drift_ppm

    def open(self) -> None:
        """Open the device; raises SourceError if it is missing or has no supported format."""
        sd = portaudio()
        try:
            self._stream = STREAMS.open(sd, partial(self._start, sd))
        except (sd.PortAudioError, ValueError) as error:
            reason = str(error)
            if self._spec == DEFAULT and "device -1" in reason:
                reason = "this machine has no default input device"
            raise SourceError(f"cannot open {self.name}: {reason}; foal-edge devices lists what is there") from error

    def _start(self, sd: ModuleType) -> Any:
        """Start a stream with its own buffer and clock, so that a lost stream's late blocks go nowhere."""
        device = None if self._spec == DEFAULT else int(self._spec) if self._spec.isdecimal() else self._spec
        about = sd.query_devices(device, "input")
        native_hz, channels = round(about["default_samplerate"]), int(about["max_input_channels"])
        formats = [(self._rate_hz, 1), (native_hz, 1), (native_hz, channels)]
        accepted = [audio_format for audio_format in formats if is_supported(sd, device, *audio_format)]
        if not accepted:
            raise ValueError("it supports neither of the tried sample rates and channel counts")
        rate_hz, channels = accepted[0]
        self._buffer, self._card = CallbackBuffer(rate_hz, self._clock, self._dropped), CardClock(rate_hz)
        stream = sd.InputStream(
            device=device,
            samplerate=rate_hz,
            channels=channels,
            blocksize=round(BLOCK_S * rate_hz),
            dtype="float32",
            callback=self._buffer,
        )
        try:
            stream.start()
        except sd.PortAudioError:
            stream.close()
            raise
        return stream

    def read(self) -> Iterator[Block]:
        """Yield blocks as they are recorded; raises SourceError if none comes for 0.5 s, at first 3 s."""
        buffer = self._buffer
        resample = Resampler(buffer.rate_hz, self._rate_hz)
        downmix: Downmixer | None = None
        patience_s = FIRST_S
        while True:
            try:
                block = buffer.waiting.get(timeout=patience_s)
            except queue.Empty:
                block = None
            # what a sound server kept while the system was suspended is outdated: the device is reopened
            if block is None or block.waited_s > patience_s:
                raise SourceError(f"{self.name} gives no more audio; check its cable and the sound server")
            patience_s = AUDIO_LOST_S
            downmix = downmix or Downmixer(buffer.rate_hz, [""] * block.samples.shape[1], self._defects)
            end_ns = self._card.end_ns(block.count, block.observed_ns, block.arrived_ns)
            yield Block(resample(downmix(block.samples.T)), end_ns)

    def close(self) -> None:
        """Release the device; a driver that hangs is abandoned."""
        if self._stream is not None:
            STREAMS.close(portaudio(), self._stream, self.name)
            self._stream = None


def is_supported(sd: ModuleType, device: int | str | None, rate_hz: int, channels: int) -> bool:
    """Return whether a device records at this rate with this number of channels."""
    try:
        sd.check_input_settings(device=device, samplerate=rate_hz, channels=channels, dtype="float32")
    except sd.PortAudioError:
        return False
    return True
