"""What pictures and sounds say of their device: made ones whose truth is known, and real recordings, lit and driven."""

import math
import os
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from edge.live.signal_quality import is_clipping, is_dark, is_muted, rms_dbfs, speech_share
from edge.sources.media import read_audio

RATE_HZ, STUDIO_HZ = 16000, 48000


def noise(mean: float, sigma: float, shape=(480, 640, 3)) -> np.ndarray:
    """A sensor's: cut off at black."""
    values = np.random.default_rng(0).normal(mean, sigma, shape)
    return np.uint8(np.clip(values, 0, 255))


COVERED = {
    "digital black": noise(0, 0),
    "black of a limited range": noise(16, 0),
    "a little noise": noise(0, 2),
    "a high gain": noise(0, 12),
    "noise on a limited range": noise(16, 8),
    "full HD": noise(3, 4, (1080, 1920, 3)),
    "tiny": noise(2, 2, (8, 8, 3)),
    "after JPEG": cv2.imdecode(cv2.imencode(".jpg", noise(4, 6))[1], cv2.IMREAD_COLOR),
    "a finger, red at one side": np.uint8(noise(2, 3) + np.linspace(0, 20, 640)[None, :, None] * [1.0, 0.3, 0.2]),
}


@pytest.mark.parametrize("image", COVERED.values(), ids=COVERED.keys())
def test_a_covered_lens_is_dark_whatever_its_sensor_makes_of_it(image) -> None:
    assert is_dark(image)


def test_a_lamp_that_is_small_changes_nothing() -> None:
    image = noise(2, 2)
    image[200:230, 200:230] = 255
    assert is_dark(image)


def lit(share: float) -> np.ndarray:
    """A person before a wall, lit by a share of what shows them well."""
    image = np.full((480, 640, 3), 60.0)
    cv2.ellipse(image, (320, 240), (90, 130), 0, 0, 360, (180.0, 140.0, 120.0), -1)
    return np.uint8(np.clip(image * share + np.random.default_rng(0).normal(0, 3, image.shape), 0, 255))


@pytest.mark.parametrize("share", [1.0, 1 / 4, 1 / 8])
def test_a_dim_room_is_not_dark(share: float) -> None:
    assert not is_dark(lit(share))


def test_an_evenly_grey_wall_is_not_dark() -> None:
    assert not is_dark(noise(40, 3))


@pytest.mark.parametrize("share", [1.0, 1 / 4, 1 / 8])
def test_real_faces_are_not_dark_in_dim_light(recordings, share: float) -> None:
    for path in recordings:
        with av.open(str(path)) as container:
            image = next(container.decode(video=0)).to_ndarray(format="rgb24")
        assert not is_dark(np.uint8(image * share))


def test_a_view_that_is_not_contiguous_will_do() -> None:
    assert is_dark(noise(0, 0)[:, ::-1])
    assert not is_dark(lit(1.0)[::-1, :, ::-1])


def voice(seconds: float = 1.0, rate_hz: int = RATE_HZ) -> np.ndarray:
    """Partials of 150 Hz that swell, peak 1: as peaked as speech."""
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    partials = sum(np.cos(2 * np.pi * 150 * k * time_s + k * k) / k for k in range(1, 20))
    swell = 0.1 + np.square(np.sin(2 * np.pi * 2 * time_s))
    return np.float32(partials * swell / np.abs(partials * swell).max())


def driven(samples: np.ndarray, gain: float) -> np.ndarray:
    return np.clip(np.float32(samples * gain / np.abs(samples).max()), -1, 1)


def as_int16(samples: np.ndarray) -> np.ndarray:
    """There and back, as a sound card's samples come."""
    return np.int16(np.clip(np.round(samples * 32768), -32768, 32767)).astype(np.float32) / 32768


def resampled(samples: np.ndarray) -> np.ndarray:
    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE_HZ)
    frame = av.AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
    frame.sample_rate = STUDIO_HZ
    return np.concatenate([part.to_ndarray()[0] for given in (frame, None) for part in resampler.resample(given)])


def test_a_loud_but_clean_voice_is_not_clipping() -> None:
    assert not is_clipping(voice())
    assert not is_clipping(as_int16(voice()))
    assert not is_clipping(np.float32(0.99) * np.sin(np.arange(RATE_HZ, dtype=np.float32) / 6))


@pytest.mark.parametrize("gain", [2.0, 4.0, 30.0])
def test_what_is_cut_off_is_clipping(gain: float) -> None:
    assert is_clipping(driven(voice(), gain))
    assert is_clipping(as_int16(voice() * gain))
    assert is_clipping(-driven(voice(), gain))


def test_clipping_takes_more_than_a_thousandth_in_plateaus() -> None:
    samples = np.zeros(RATE_HZ, np.float32)
    samples[100:116] = 1.0
    assert not is_clipping(samples)
    samples[116] = -1.0
    assert is_clipping(samples)
    alone = np.zeros(RATE_HZ, np.float32)
    alone[::4] = 1.0
    assert not is_clipping(alone)


def seconds(samples: np.ndarray) -> list[np.ndarray]:
    """Every second of a recording, half a second apart."""
    return [samples[i : i + RATE_HZ] for i in range(0, max(1, len(samples) - RATE_HZ + 1), RATE_HZ // 2)]


def ever_clips(samples: np.ndarray) -> bool:
    return any(map(is_clipping, seconds(samples)))


@pytest.fixture(scope="module")
def speech() -> list[np.ndarray]:
    """Some dozens of recordings at 48 kHz, peak 1."""
    folder = os.environ.get("FOAL_DATA")
    if not folder:
        pytest.skip("FOAL_DATA names no folder of recorded speech")
    emodb, ravdess = sorted(Path(folder).glob("emodb/*.*")), sorted(Path(folder).glob("ravdess/*/*.*"))
    return [driven(read_audio(path, STUDIO_HZ), 1.0) for path in (*emodb[::30], *ravdess[::60])]


def test_real_speech_is_clipping_only_where_it_was_cut_off(speech, record_property) -> None:
    assert len(speech) > 20
    found = {}
    for gain in (0.99, 2.0, 4.0):
        cut_before = [ever_clips(resampled(driven(samples, gain))) for samples in speech]
        cut_here = [ever_clips(as_int16(driven(resampled(samples), gain))) for samples in speech]
        found[gain] = (float(np.mean(cut_before)), float(np.mean(cut_here)))
    record_property("measured", f"clipping found in speech (cut before resampling, cut at 16 kHz) by gain: {found}")
    assert found[0.99] == (0, 0)
    assert found[2.0][0] >= 0.85
    assert found[2.0][1] == 1
    assert found[4.0] == (1, 1)


def test_clips_of_a_talking_face_are_clipping_only_where_they_are_overdriven(recordings) -> None:
    for path in recordings:
        samples = read_audio(path, RATE_HZ)
        assert not ever_clips(samples)
        assert not ever_clips(driven(samples, 0.99))
        assert ever_clips(driven(samples, 2.0))


def test_muted_is_every_sample_zero() -> None:
    silence = np.zeros(RATE_HZ, np.float32)
    assert is_muted(silence)
    assert is_muted(-silence)
    silence[-1] = 1 / 32768
    assert not is_muted(silence)


def test_nothing_is_neither_muted_nor_clipping() -> None:
    assert not is_muted(np.zeros(0, np.float32))
    assert not is_clipping(np.zeros(0, np.float32))
    assert not is_clipping(np.ones(1, np.float32))


RATE_HZ = 16000


def sine(amplitude: float, seconds: float) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * 200 * np.arange(round(seconds * RATE_HZ)) / RATE_HZ)).astype(np.float32)


@pytest.mark.parametrize("amplitude", [1.0, 0.5, 0.001])
def test_a_sine_is_3_db_below_its_amplitude(amplitude: float) -> None:
    assert rms_dbfs(sine(amplitude, 1.0)) == pytest.approx(20 * math.log10(amplitude) - 10 * math.log10(2), abs=1e-3)


def test_a_full_square_wave_is_0_dbfs() -> None:
    assert rms_dbfs(np.float32([1, -1, 1, -1])) == 0.0


@pytest.mark.parametrize("samples", [np.zeros(0, np.float32), np.zeros(100, np.float32)])
def test_silence_and_nothing_have_no_level(samples: np.ndarray) -> None:
    assert rms_dbfs(samples) is None


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([(0.001, 1.0), (0.3, 1.0)], 0.5),
        ([(0.001, 3.0), (0.3, 1.0)], 0.25),
        ([(0.3, 2.0)], 0.0),
        ([(0.0, 2.0)], 0.0),
        ([(0.00001, 1.0), (0.001, 1.0)], 0.0),
    ],
    ids=["half", "quarter", "nothing stands out", "digital silence", "below -50 dBFS"],
)
def test_speech_is_the_share_that_stands_out(parts: list[tuple[float, float]], expected: float) -> None:
    samples = np.concatenate([sine(amplitude, seconds) for amplitude, seconds in parts])
    assert speech_share(samples, RATE_HZ) == pytest.approx(expected)


@pytest.mark.parametrize(("count", "expected"), [(0, None), (319, None), (320, 0.0), (639, 0.0)])
def test_under_one_piece_of_20_ms_there_is_no_share(count: int, expected: float | None) -> None:
    assert speech_share(np.full(count, 0.5, np.float32), RATE_HZ) == expected
