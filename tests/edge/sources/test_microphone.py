"""Microphones: the forms tried, the times of blocks, mixing and resampling, on a PortAudio of a few lines."""

import os
import sys
from collections import Counter
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edge.bundle import Sound
from edge.clock import SystemClock
from edge.errors import SourceError
from edge.sources import microphone as microphone_module
from edge.sources.microphone import LARGEST_BACKLOG, Microphone

MICROPHONE_VARIABLE = "FOAL_MICROPHONE"
SOUND = Sound(16000, 6.0)
SECOND_NS = 1_000_000_000
BLOCK_NS = 20_000_000


class PortAudioError(Exception):
    """As sounddevice's."""


class FakeSoundDevice(SimpleNamespace):
    """An input device that records in `forms` alone, (rate, channels); the test calls `stream.callback` itself."""

    PortAudioError = PortAudioError

    def __init__(self, *forms: tuple[int, int]) -> None:
        super().__init__(forms=forms, stream=None)

    def query_devices(self, device: Any, kind: str) -> dict[str, Any]:
        if device == "nowhere":
            raise ValueError("No input device matching 'nowhere'")
        return {"default_samplerate": float(self.forms[0][0]), "max_input_channels": self.forms[0][1]}

    def check_input_settings(self, device: Any, samplerate: int, channels: int, dtype: str) -> None:
        if channels == 0 or (samplerate, channels) not in self.forms:
            raise PortAudioError("Invalid sample rate")

    def InputStream(self, **options: Any) -> SimpleNamespace:
        self.stream = SimpleNamespace(**options, closed=False, start=lambda: None)
        self.stream.close = lambda: setattr(self.stream, "closed", True)
        return self.stream


@pytest.fixture
def device(monkeypatch):
    def install(*forms: tuple[int, int]) -> FakeSoundDevice:
        fake = FakeSoundDevice(*forms)
        monkeypatch.setitem(sys.modules, "sounddevice", fake)
        return fake

    return install


def deliver(fake: FakeSoundDevice, samples: np.ndarray, ago_s: float = 0.0, adc_s: float = 5.0) -> None:
    """A block whose last sample was captured `ago_s` before the callback."""
    now_s = adc_s + len(samples) / fake.stream.samplerate + ago_s
    fake.stream.callback(samples, len(samples), SimpleNamespace(inputBufferAdcTime=adc_s, currentTime=now_s), None)


def block(level: float, channels: int = 1, frames: int = 320) -> np.ndarray:
    return np.full((frames, channels), level, np.float32)


@pytest.mark.parametrize(
    ("forms", "rate_hz", "channels"),
    [
        ([(16000, 1)], 16000, 1),
        ([(48000, 2), (16000, 1)], 16000, 1),
        ([(48000, 2), (48000, 1)], 48000, 1),
        ([(44100, 2)], 44100, 2),
    ],
)
def test_the_form_nearest_to_the_bundles_is_taken(device, clock, forms, rate_hz: int, channels: int) -> None:
    fake = device(*forms)
    Microphone("default", SOUND, clock, Counter()).open()
    assert (fake.stream.samplerate, fake.stream.channels, fake.stream.blocksize) == (rate_hz, channels, rate_hz // 50)
    assert fake.stream.dtype == "float32"


@pytest.mark.parametrize(("spec", "asked"), [("default", None), ("3", 3), ("USB", "USB")])
def test_a_device_is_the_default_a_number_or_a_name(device, clock, spec: str, asked: Any) -> None:
    fake = device((16000, 1))
    Microphone(spec, SOUND, clock, Counter()).open()
    assert fake.stream.device == asked


@pytest.mark.parametrize(("ago_s", "ago_ns"), [(0.0, 0), (0.015, 15_000_000), (0.9, 900_000_000)])
def test_a_block_is_timed_by_its_adc_time(device, clock, ago_s: float, ago_ns: int) -> None:
    fake, clock.time_ns = device((16000, 1)), 60 * SECOND_NS
    microphone = Microphone("default", SOUND, clock, Counter())
    microphone.open()
    deliver(fake, block(0.5), ago_s + 1e-9)
    assert next(microphone.events()).end_ns == pytest.approx(60 * SECOND_NS - ago_ns, abs=2)


@pytest.mark.parametrize(("ago_s", "adc_s"), [(1.5, 5.0), (-0.5, 5.0), (0.01, 0.0), (0.01, -1.0)])
def test_an_adc_time_that_cannot_be_is_replaced_by_now(device, clock, ago_s: float, adc_s: float) -> None:
    fake, clock.time_ns = device((16000, 1)), 60 * SECOND_NS
    microphone = Microphone("default", SOUND, clock, Counter())
    microphone.open()
    deliver(fake, block(0.5), ago_s, adc_s)
    assert next(microphone.events()).end_ns == 60 * SECOND_NS


def test_blocks_are_copied_out_of_the_callback_in_order(device, clock) -> None:
    fake = device((16000, 1))
    microphone = Microphone("default", SOUND, clock, Counter())
    microphone.open()
    buffer = block(0.0)
    for level in (0.25, 0.5, 0.75):
        buffer[:] = level
        deliver(fake, buffer)
    events = microphone.events()
    assert [set(next(events).samples.tolist()) for _ in range(3)] == [{0.25}, {0.5}, {0.75}]


def test_channels_are_mixed_to_their_mean(device, clock) -> None:
    fake = device((16000, 2))
    microphone = Microphone("default", SOUND, clock, Counter())
    microphone.open()
    deliver(fake, np.tile(np.float32([0.5, -0.25]), (320, 1)))
    np.testing.assert_array_equal(next(microphone.events()).samples, np.full(320, 0.125, np.float32))


@pytest.mark.parametrize("rate_hz", [48000, 44100, 8000])
def test_another_rate_is_resampled_without_a_break(device, clock, rate_hz: int) -> None:
    fake = device((rate_hz, 1))
    microphone = Microphone("default", SOUND, clock, Counter())
    microphone.open()
    sine = np.sin(2 * np.pi * 440 * np.arange(rate_hz) / rate_hz).astype(np.float32)[:, None]
    for part in np.split(sine, 50):
        deliver(fake, part)
    events = microphone.events()
    heard = np.concatenate([next(events).samples for _ in range(50)])
    assert len(heard) == pytest.approx(16000, abs=40)
    assert int(np.abs(np.fft.rfft(heard, 16000)).argmax()) == 440
    assert np.abs(np.diff(heard[200:])).max() < 1.05 * 2 * np.pi * 440 / 16000


def test_without_a_block_it_is_lost(device, clock, monkeypatch) -> None:
    monkeypatch.setattr(microphone_module, "LOST_S", 0.001)
    device((16000, 1))
    microphone = Microphone("default", SOUND, clock, Counter())
    microphone.open()
    with pytest.raises(SourceError, match="microphone default gives no more sound; check"):
        next(microphone.events())


def test_where_nobody_takes_its_blocks_the_newest_win(device, clock) -> None:
    fake = device((16000, 1))
    microphone = Microphone("default", SOUND, clock, Counter())
    microphone.open()
    for number in range(LARGEST_BACKLOG + 1):
        deliver(fake, block(float(number)))
    assert next(microphone.events()).samples[0] == 1.0


def test_closing_releases_the_device_and_forgets_its_blocks(device, clock, monkeypatch) -> None:
    monkeypatch.setattr(microphone_module, "LOST_S", 0.001)
    fake = device((16000, 1))
    microphone = Microphone("default", SOUND, clock, Counter())
    microphone.open()
    deliver(fake, block(0.5))
    microphone.close()
    assert fake.stream.closed
    microphone.open()
    with pytest.raises(SourceError):
        next(microphone.events())


@pytest.mark.parametrize(
    ("spec", "forms", "reason"),
    [("nowhere", [(16000, 1)], "No input device matching"), ("default", [(44100, 0)], "it records in no form")],
)
def test_a_device_that_cannot_be_had_is_named_with_a_remedy(device, clock, spec, forms, reason: str) -> None:
    fake = device(*forms)
    fake.forms = [(1, 0)] if forms[0][1] == 0 else fake.forms
    with pytest.raises(SourceError, match=reason) as refused:
        Microphone(spec, SOUND, clock, Counter()).open()
    assert str(refused.value).startswith(f"cannot open microphone {spec}: ")
    assert str(refused.value).endswith("; foal-edge devices lists what is there")


@pytest.mark.skipif(
    os.environ.get(MICROPHONE_VARIABLE) != "1",
    reason=f"{MICROPHONE_VARIABLE}=1 says that this machine has a working default input device; it is not set",
)
def test_a_real_microphone_gives_a_second_of_sound_by_the_clock() -> None:
    clock = SystemClock()
    microphone = Microphone("default", SOUND, clock, Counter())
    microphone.open()
    try:
        events = microphone.events()
        blocks = [next(events) for _ in range(50)]
    finally:
        microphone.close()
    ends = np.array([block.end_ns for block in blocks])
    assert (np.diff(ends) >= 0).all()
    assert 0 <= clock.now_ns() - ends[-1] < 5 * SECOND_NS
    assert sum(len(block.samples) for block in blocks) == pytest.approx(16000, abs=400)
    assert ends[-1] - ends[0] == pytest.approx(49 * BLOCK_NS, abs=SECOND_NS / 2), "a sound server's delay may settle"
