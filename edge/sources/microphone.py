"""Microphones, through PortAudio. Its callback copies and enqueues, nothing else."""

import queue
from collections import Counter
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import av
import numpy as np

from ..bounded import push
from ..bundle import Sound
from ..clock import Clock, to_ns
from ..errors import SourceError
from ..samples import BLOCK_S, Block, Samples

LOST_S = 0.5
"""Without a block for this long the microphone is lost, whatever PortAudio claims."""
FIRST_S = 3.0
"""What the first block may take: a sound server may have to wake."""
BELIEVABLE_S = 1.0
"""An ADC time further than this from now is none."""
LARGEST_BACKLOG = 256


def portaudio() -> ModuleType:
    """The sounddevice module; SourceError where the system lacks PortAudio."""
    try:
        import sounddevice
    except OSError as error:
        raise SourceError(
            f"no microphone without PortAudio ({error}); install it (Debian, Ubuntu: apt install libportaudio2) "
            "or say --mic off"
        ) from error
    module: ModuleType = sounddevice
    return module


class Microphone:
    """An input device: `default`, a number, or part of a name. Sound is mixed to mono at the bundle's rate."""

    def __init__(self, spec: str, sound: Sound, clock: Clock, dropped: Counter[str]) -> None:
        self.name = f"microphone {spec}"
        self._spec, self._rate_hz, self._clock, self._dropped = spec, sound.rate_hz, clock, dropped
        self._blocks: queue.Queue[tuple[Samples, int]] = queue.Queue(LARGEST_BACKLOG)
        self._stream: Any = None
        self._device_rate_hz = sound.rate_hz

    def open(self) -> None:
        """SourceError where there is no such device, or no form of sound that both sides know."""
        sd = portaudio()
        device = None if self._spec == "default" else int(self._spec) if self._spec.isdecimal() else self._spec
        try:
            about = sd.query_devices(device, "input")
            native_hz, channels = round(about["default_samplerate"]), int(about["max_input_channels"])
            forms = [(self._rate_hz, 1), (native_hz, 1), (native_hz, channels)]
            self._device_rate_hz, channels = next(form for form in forms if accepts(sd, device, *form))
            self._stream = sd.InputStream(
                device=device,
                samplerate=self._device_rate_hz,
                channels=channels,
                blocksize=round(BLOCK_S * self._device_rate_hz),
                dtype="float32",
                callback=self._on_block,
            )
            self._stream.start()
        except (sd.PortAudioError, ValueError, StopIteration) as error:
            self.close()
            reason = str(error) or "it records in no form that PortAudio offers"
            if device is None and "device -1" in reason:
                reason = "this machine has no default input device"
            raise SourceError(f"cannot open {self.name}: {reason}; foal-edge devices lists what is there") from error

    def _on_block(self, samples: Samples, frames: int, times: Any, status: Any) -> None:
        """PortAudio's callback: a copy, its capture time, the queue."""
        now_ns = self._clock.now_ns()
        ago_s = times.currentTime - times.inputBufferAdcTime - frames / self._device_rate_hz
        end_ns = now_ns - to_ns(ago_s) if 0 <= ago_s < BELIEVABLE_S and times.inputBufferAdcTime > 0 else now_ns
        self._dropped["blocks_overload"] += push(self._blocks, (samples.copy(), end_ns))

    def events(self) -> Iterator[Block]:
        """Blocks as they are recorded; SourceError where none comes for half a second, 3 s at first."""
        resampler = None
        if self._device_rate_hz != self._rate_hz:
            resampler = av.AudioResampler(format="flt", layout="mono", rate=self._rate_hz)
        patience_s = FIRST_S
        while True:
            try:
                samples, end_ns = self._blocks.get(timeout=patience_s)
            except queue.Empty:
                raise SourceError(f"{self.name} gives no more sound; check its cable and the sound server") from None
            patience_s = LOST_S
            mono = samples.mean(axis=1, dtype=np.float32)
            yield Block(resample(resampler, mono, self._device_rate_hz) if resampler else mono, end_ns)

    def close(self) -> None:
        """Release the device."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None
        self._blocks = queue.Queue(LARGEST_BACKLOG)


def accepts(sd: ModuleType, device: int | str | None, rate_hz: int, channels: int) -> bool:
    """Whether a device records at this rate with so many channels."""
    try:
        sd.check_input_settings(device=device, samplerate=rate_hz, channels=channels, dtype="float32")
    except sd.PortAudioError:
        return False
    return True


def resample(resampler: av.AudioResampler, mono: Samples, rate_hz: int) -> Samples:
    """The next float32 `[n]` of an unbroken sound at the resampler's rate."""
    frame = av.AudioFrame.from_ndarray(mono[None], format="flt", layout="mono")
    frame.sample_rate = rate_hz
    return np.concatenate([np.zeros(0, np.float32), *(part.to_ndarray()[0] for part in resampler.resample(frame))])
