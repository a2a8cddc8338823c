"""Microphones, through PortAudio. Its callback copies and enqueues, nothing else."""

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
from .audio_conversion import Mono, Resampler
from .card_clock import CardClock
from .defects import Defects
from .portaudio import STREAMS, portaudio

FIRST_S = 3.0
"""What the first block may take: a sound server may have to wake."""
BELIEVABLE_S = 1.0
"""An ADC time further than this from now is none."""
SETTLED_S = 2.0
"""Until then a sound server may claim a delay that it does not have: PulseAudio, 0.7 s for its first 1.2 s."""
BELIEVABLE_AT_FIRST_S = 0.1
LARGEST_BACKLOG = 256


@dataclass(frozen=True)
class Delivered:
    """What the callback hands on."""

    samples: Samples
    """float32 `[n, channels]` at the device's rate."""
    count: int
    """Samples that the device has delivered up to the end of these."""
    observed_ns: int
    """When the last of them was captured, as far as can be seen."""
    arrived_ns: int
    """When they came."""
    waited_s: float
    """Since the block before, if there was one, suspended time included."""


class CallbackBuffer:
    """PortAudio's callback for as long as a device is open: a copy, its count and time, the queue."""

    def __init__(self, rate_hz: int, clock: Clock, dropped: Counter[str]) -> None:
        self.rate_hz = rate_hz
        self.waiting: queue.Queue[Delivered] = queue.Queue(LARGEST_BACKLOG)
        self._clock, self._dropped = clock, dropped
        self._count = 0
        self._called_ns: int | None = None

    def __call__(self, samples: Samples, frames: int, times: Any, status: Any) -> None:
        """Called from PortAudio's own thread."""
        now_ns, boot_ns = self._clock.now_ns(), self._clock.boot_ns()
        waited_s, self._called_ns = (boot_ns - (self._called_ns or boot_ns)) / SECOND_NS, boot_ns
        self._count += frames
        is_settled = self._count > SETTLED_S * self.rate_hz
        ago_s = self._now_s(now_ns, times.currentTime) - times.inputBufferAdcTime - frames / self.rate_hz
        believable_s = BELIEVABLE_S if is_settled else BELIEVABLE_AT_FIRST_S
        is_believable = times.inputBufferAdcTime > 0 and 0 <= ago_s < believable_s
        observed_ns = now_ns - to_ns(ago_s) if is_believable else now_ns
        if lost := push(self.waiting, Delivered(samples.copy(), self._count, observed_ns, now_ns, waited_s)):
            self._dropped[BLOCKS_OVERLOAD] += lost

    def _now_s(self, now_ns: int, current_s: float) -> float:
        """Now, on the clock that PortAudio goes by: it was `current_s` before this thread had to wait for Python."""
        clocks_s = (now_ns / SECOND_NS, self._clock.unix_ns(now_ns) / SECOND_NS)
        return next((now_s for now_s in clocks_s if 0 <= now_s - current_s < BELIEVABLE_S), current_s)


class Microphone:
    """An input device: `default`, a number, or part of a name. Sound is mixed to mono at the bundle's rate."""

    def __init__(self, spec: str, audio: AudioSpec, clock: Clock, dropped: Counter[str]) -> None:
        self.name = f"microphone {spec}"
        self._spec, self._rate_hz, self._clock, self._dropped = spec, audio.rate_hz, clock, dropped
        self._remarks = Defects(self.name, dropped)
        self._intake = CallbackBuffer(audio.rate_hz, clock, dropped)
        self._card = CardClock(audio.rate_hz)
        self._stream: Any = None

    @property
    def drift_ppm(self) -> float:
        """By how much the sound card's clock is believed to run fast, in millionths."""
        return self._card.drift_ppm

    def open(self) -> None:
        """SourceError where there is no such device, or no form of sound that both sides know."""
        sd = portaudio()
        try:
            self._stream = STREAMS.open(sd, partial(self._start, sd))
        except (sd.PortAudioError, ValueError) as error:
            reason = str(error)
            if self._spec == "default" and "device -1" in reason:
                reason = "this machine has no default input device"
            raise SourceError(f"cannot open {self.name}: {reason}; foal-edge devices lists what is there") from error

    def _start(self, sd: ModuleType) -> Any:
        """A stream that runs, with an intake and a clock of its own; what a lost one still delivers goes nowhere."""
        device = None if self._spec == "default" else int(self._spec) if self._spec.isdecimal() else self._spec
        about = sd.query_devices(device, "input")
        native_hz, channels = round(about["default_samplerate"]), int(about["max_input_channels"])
        forms = [(self._rate_hz, 1), (native_hz, 1), (native_hz, channels)]
        accepted = [form for form in forms if accepts(sd, device, *form)]
        if not accepted:
            raise ValueError("it records in no form that PortAudio offers")
        rate_hz, channels = accepted[0]
        self._intake, self._card = CallbackBuffer(rate_hz, self._clock, self._dropped), CardClock(rate_hz)
        stream = sd.InputStream(
            device=device,
            samplerate=rate_hz,
            channels=channels,
            blocksize=round(BLOCK_S * rate_hz),
            dtype="float32",
            callback=self._intake,
        )
        try:
            stream.start()
        except sd.PortAudioError:
            stream.close()
            raise
        return stream

    def read(self) -> Iterator[Block]:
        """Blocks as they are recorded; SourceError where none comes for half a second, 3 s at first."""
        intake = self._intake
        resampled = Resampler(intake.rate_hz, self._rate_hz)
        mono: Mono | None = None
        patience_s = FIRST_S
        while True:
            try:
                block = intake.waiting.get(timeout=patience_s)
            except queue.Empty:
                block = None
            # what a sound server has kept while nothing ran is from before: it is opened anew, as where nothing comes
            if block is None or block.waited_s > patience_s:
                raise SourceError(f"{self.name} gives no more sound; check its cable and the sound server")
            patience_s = AUDIO_LOST_S
            mono = mono or Mono(intake.rate_hz, [""] * block.samples.shape[1], self._remarks)
            end_ns = self._card.end_ns(block.count, block.observed_ns, block.arrived_ns)
            yield Block(resampled(mono(block.samples.T)), end_ns)

    def close(self) -> None:
        """Release the device; a driver that hangs is not waited for."""
        if self._stream is not None:
            STREAMS.close(portaudio(), self._stream, self.name)
            self._stream = None


def accepts(sd: ModuleType, device: int | str | None, rate_hz: int, channels: int) -> bool:
    """Whether a device records at this rate with so many channels."""
    try:
        sd.check_input_settings(device=device, samplerate=rate_hz, channels=channels, dtype="float32")
    except sd.PortAudioError:
        return False
    return True
