"""Microphones: the formats tried, the times of blocks, mixing and resampling, on a PortAudio of a few lines."""

import os
import sys
from collections import Counter
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edge.bundle.manifest import AudioSpec
from edge.clock import SystemClock
from edge.errors import SourceError
from edge.sources import microphone as microphone_module
from edge.sources import portaudio
from edge.sources.microphone import LARGEST_BACKLOG, Microphone

MICROPHONE_VARIABLE = "FOAL_MICROPHONE"
SOUND = AudioSpec(16000, 6.0)
SECOND_NS = 1_000_000_000
BLOCK_NS = 20_000_000


class PortAudioError(Exception):
    """As sounddevice's."""


class FakeSoundDevice(SimpleNamespace):
    """An input device that records in `forms` alone, (rate, channels); the test calls `stream.callback` itself."""

    PortAudioError = PortAudioError

    def __init__(self, *forms: tuple[int, int]) -> None:
        super().__init__(forms=forms, stream=None, _terminate=lambda: None, _initialize=lambda: None)

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


@pytest.fixture(autouse=True)
def own_streams(monkeypatch):
    monkeypatch.setattr(microphone_module, "STREAMS", portaudio.Streams())


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
def test_the_format_nearest_to_the_bundles_is_used(device, clock, forms, rate_hz: int, channels: int) -> None:
    fake = device(*forms)
    Microphone("default", SOUND, clock, Counter()).open()
    assert (fake.stream.samplerate, fake.stream.channels, fake.stream.blocksize) == (rate_hz, channels, rate_hz // 50)
    assert fake.stream.dtype == "float32"


@pytest.mark.parametrize(("spec", "asked"), [("default", None), ("3", 3), ("USB", "USB")])
def test_a_device_is_the_default_a_number_or_a_name(device, clock, spec: str, asked: Any) -> None:
    fake = device((16000, 1))
    Microphone(spec, SOUND, clock, Counter()).open()
    assert fake.stream.device == asked


@pytest.mark.parametrize(("ago_s", "ago_ns"), [(0.0, 0), (0.015, 15_000_000), (0.09, 90_000_000)])
def test_a_block_is_timed_by_its_adc_time(device, clock, ago_s: float, ago_ns: int) -> None:
    fake, clock.time_ns = device((16000, 1)), 60 * SECOND_NS
    microphone = Microphone("default", SOUND, clock, Counter())
    microphone.open()
    deliver(fake, block(0.5), ago_s + 1e-9)
    assert next(microphone.read()).end_ns == pytest.approx(60 * SECOND_NS - ago_ns, abs=2)


@pytest.mark.parametrize("unix_ahead_ns", [0, 1_700_000_000 * SECOND_NS])
def test_waiting_for_the_gil_is_not_taken_for_latency_of_the_card(device, clock, unix_ahead_ns: int) -> None:
    """PortAudio goes by the monotonic clock or by that of the wall; the callback runs 40 ms after it read it."""
    fake, clock.time_ns, clock.unix_ahead_ns = device((16000, 1)), 60 * SECOND_NS, unix_ahead_ns
    microphone = Microphone("default", SOUND, clock, Counter())
    microphone.open()
    deliver(fake, block(0.5), 0.015, adc_s=(unix_ahead_ns + 60 * SECOND_NS) / SECOND_NS - 0.04 - 0.015 - 0.02)
    assert next(microphone.read()).end_ns == pytest.approx(60 * SECOND_NS - 55_000_000, abs=1000)


@pytest.mark.parametrize(("ago_s", "adc_s"), [(1.5, 5.0), (0.7, 5.0), (-0.5, 5.0), (0.01, 0.0), (0.01, -1.0)])
def test_an_adc_time_that_cannot_be_is_replaced_by_now(device, clock, ago_s: float, adc_s: float) -> None:
    fake, clock.time_ns = device((16000, 1)), 60 * SECOND_NS
    microphone = Microphone("default", SOUND, clock, Counter())
    microphone.open()
    deliver(fake, block(0.5), ago_s, adc_s)
    assert next(microphone.read()).end_ns == 60 * SECOND_NS


def test_times_are_those_of_the_fitted_clock_also_past_dropped_blocks(device, clock) -> None:
    """Blocks jitter by up to 12 ms and twice as many come as the backlog holds; the card is 200 ppm fast."""
    fake, jitter = device((16000, 1)), np.random.default_rng(0).uniform(0, 12e6, 6000).astype(int)
    dropped: Counter[str] = Counter()
    microphone = Microphone("default", SOUND, clock, dropped)
    microphone.open()
    media, wrong_ms = microphone.read(), []
    for number in range(6000):
        true_ns = 60 * SECOND_NS + round((number + 1) * BLOCK_NS / 1.0002)
        clock.time_ns = true_ns + int(jitter[number])
        deliver(fake, block(number), adc_s=0.0)
        if not 1000 <= number < 1000 + 2 * LARGEST_BACKLOG:
            while fake.stream.callback.waiting.qsize():
                heard = next(media)
            assert heard.samples[0] == number
            wrong_ms.append((heard.end_ns - true_ns) / 1e6)
    assert dropped["blocks_overload"] > 0
    assert max(map(abs, wrong_ms[50:])) < 9
    assert max(np.abs(np.diff(wrong_ms[-1000:]))) < 0.1, "smooth, where observations jump by 12 ms"
    assert microphone.drift_ppm == pytest.approx(200, abs=25)


def test_no_block_is_from_the_future(device, clock) -> None:
    """The first second comes late, as from a sound server that wakes; from then on nothing waits."""
    fake = device((16000, 1))
    microphone = Microphone("default", SOUND, clock, Counter())
    microphone.open()
    media = microphone.read()
    for number in range(200):
        clock.time_ns = 60 * SECOND_NS + number * BLOCK_NS + (15_000_000 if number < 50 else 0)
        deliver(fake, block(number), adc_s=0.0)
        assert next(media).end_ns <= clock.time_ns


def test_blocks_are_copied_out_of_the_callback_in_order(device, clock) -> None:
    fake = device((16000, 1))
    microphone = Microphone("default", SOUND, clock, Counter())
    microphone.open()
    buffer = block(0.0)
    for level in (0.25, 0.5, 0.75):
        buffer[:] = level
        deliver(fake, buffer)
    media = microphone.read()
    assert [set(next(media).samples.tolist()) for _ in range(3)] == [{0.25}, {0.5}, {0.75}]


def test_channels_are_mixed_to_their_mean(device, clock) -> None:
    fake = device((16000, 2))
    microphone = Microphone("default", SOUND, clock, Counter())
    microphone.open()
    deliver(fake, np.tile(np.float32([0.5, -0.25]), (320, 1)))
    np.testing.assert_array_equal(next(microphone.read()).samples, np.full(320, 0.125, np.float32))


def test_cancelling_channels_and_non_finite_samples_are_reported_and_counted(device, clock, caplog) -> None:
    fake, dropped = device((16000, 2)), Counter()
    microphone = Microphone("default", SOUND, clock, dropped)
    microphone.open()
    sine = np.sin(2 * np.pi * 440 * np.arange(320) / 16000).astype(np.float32)
    samples = np.stack([sine, -sine], axis=1)
    samples[7, 0] = np.nan
    deliver(fake, samples)
    np.testing.assert_array_equal(np.abs(next(microphone.read()).samples)[8:], np.abs(sine)[8:])
    assert dropped["samples_not_finite"] == 1
    assert [said.split(": ")[0] for said in caplog.messages] == ["microphone default"] * 2


@pytest.mark.parametrize("rate_hz", [48000, 44100, 8000])
def test_another_rate_is_resampled_without_a_break(device, clock, rate_hz: int) -> None:
    fake = device((rate_hz, 1))
    microphone = Microphone("default", SOUND, clock, Counter())
    microphone.open()
    sine = np.sin(2 * np.pi * 440 * np.arange(rate_hz) / rate_hz).astype(np.float32)[:, None]
    for part in np.split(sine, 50):
        deliver(fake, part)
    media = microphone.read()
    heard = np.concatenate([next(media).samples for _ in range(50)])
    assert len(heard) == pytest.approx(16000, abs=40)
    assert int(np.abs(np.fft.rfft(heard, 16000)).argmax()) == 440
    assert np.abs(np.diff(heard[200:])).max() < 1.05 * 2 * np.pi * 440 / 16000


def test_without_a_block_it_is_lost(device, clock, monkeypatch) -> None:
    monkeypatch.setattr(microphone_module, "FIRST_S", 0.001)
    device((16000, 1))
    microphone = Microphone("default", SOUND, clock, Counter())
    microphone.open()
    with pytest.raises(SourceError, match="microphone default gives no more audio; check"):
        next(microphone.read())


def test_where_nobody_takes_its_blocks_the_newest_win(device, clock) -> None:
    fake = device((16000, 1))
    microphone = Microphone("default", SOUND, clock, Counter())
    microphone.open()
    for number in range(LARGEST_BACKLOG + 1):
        deliver(fake, block(float(number)))
    assert next(microphone.read()).samples[0] == 1.0


def test_closing_releases_the_device_and_forgets_its_blocks(device, clock, monkeypatch) -> None:
    monkeypatch.setattr(microphone_module, "FIRST_S", 0.001)
    fake = device((16000, 1))
    microphone = Microphone("default", SOUND, clock, Counter())
    microphone.open()
    deliver(fake, block(0.5))
    old = fake.stream
    microphone.close()
    assert old.closed
    microphone.open()
    old.callback(block(0.5), 320, SimpleNamespace(inputBufferAdcTime=5.0, currentTime=5.02), None)
    with pytest.raises(SourceError):
        next(microphone.read())


def test_opened_again_its_clock_begins_anew(device, clock) -> None:
    fake, microphone = device((16000, 1)), Microphone("default", SOUND, clock, Counter())
    for begin_s in (60, 4000):
        clock.time_ns = begin_s * SECOND_NS
        microphone.open()
        for _ in range(3):
            clock.time_ns += BLOCK_NS
            deliver(fake, block(0.5), adc_s=0.0)
        media = microphone.read()
        ends_ns = [next(media).end_ns for _ in range(3)]
        assert ends_ns == [begin_s * SECOND_NS + BLOCK_NS * number for number in (1, 2, 3)]
        microphone.close()


def test_where_a_stream_does_not_start_it_is_closed(device, clock) -> None:
    fake = device((16000, 1))

    def fail() -> None:
        raise PortAudioError("Host error")

    make = fake.InputStream
    streams = []

    def make_one_that_fails(**options: Any) -> SimpleNamespace:
        streams.append(make(**options))
        streams[-1].start = fail
        return streams[-1]

    fake.InputStream = make_one_that_fails
    with pytest.raises(SourceError, match="cannot open microphone default: Host error; foal-edge devices"):
        Microphone("default", SOUND, clock, Counter()).open()
    assert [stream.closed for stream in streams] == [True, True], "tried once more with PortAudio begun anew"


@pytest.mark.parametrize(
    ("spec", "forms", "reason"),
    [("nowhere", [(16000, 1)], "No input device matching"), ("default", [(44100, 0)], "it supports neither")],
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
        media = microphone.read()
        blocks = [next(media) for _ in range(50)]
    finally:
        microphone.close()
    ends = np.array([block.end_ns for block in blocks])
    assert (np.diff(ends) >= 0).all()
    assert 0 <= clock.now_ns() - ends[-1] < 5 * SECOND_NS
    assert sum(len(block.samples) for block in blocks) == pytest.approx(16000, abs=400)
    assert ends[-1] - ends[0] == pytest.approx(49 * BLOCK_NS, abs=50_000_000)
