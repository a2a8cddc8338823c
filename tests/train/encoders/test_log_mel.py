"""The log-mel spectrogram against numpy's FFT."""

import numpy as np
import pytest
import torch

from train.encoders.log_mel import MEL_BANDS, LogMel, frame_mask

RATE_HZ = 16_000
SAMPLES = 3200
FRAMES = SAMPLES // 160
LENGTHS = [0, 1, 160, 161, 2000, SAMPLES]


@pytest.fixture(scope="module")
def log_mel() -> LogMel:
    return LogMel(RATE_HZ)


@pytest.fixture(scope="module")
def waveform() -> np.ndarray:
    return (np.random.default_rng(0).normal(size=SAMPLES) / 8).astype(np.float32)


def mel_centres() -> np.ndarray:
    """The edges and centres of the bands, in Hz."""
    lowest, highest = 2595 * np.log10(1 + np.array([50.0, 7600.0]) / 700)
    return 700 * (10 ** (np.linspace(lowest, highest, MEL_BANDS + 2) / 2595) - 1)


def reference(waveform: np.ndarray, length: int) -> np.ndarray:
    """float64 `[64, F]` of one waveform, frame by frame."""
    hz = np.fft.rfftfreq(400, 1 / RATE_HZ)
    edges = mel_centres()
    bands = [np.interp(hz, edges[band : band + 3], [0, 1, 0], left=0, right=0) for band in range(MEL_BANDS)]
    padded = np.pad(waveform.astype(np.float64), 120)
    hann = np.hanning(401)[:-1]
    count = -(-length // 160)
    out = np.zeros((MEL_BANDS, len(waveform) // 160))
    if count:
        frames = np.stack([padded[160 * frame :][:400] * hann for frame in range(count)])
        power = np.array(bands) @ (np.abs(np.fft.rfft(frames)) ** 2).T
        decades = np.log10(np.maximum(power, power.max() * 1e-8) + 1e-10)
        out[:, :count] = decades - decades.mean()
    return out


def run(log_mel: LogMel, waveform: np.ndarray, length: int) -> np.ndarray:
    return log_mel(torch.from_numpy(waveform)[None], torch.tensor([length]))[0].numpy()


@pytest.mark.parametrize("length", LENGTHS)
def test_it_equals_numpy(log_mel: LogMel, waveform: np.ndarray, length: int) -> None:
    padded = np.where(np.arange(SAMPLES) < length, waveform, 0)
    np.testing.assert_allclose(run(log_mel, padded, length), reference(padded, length), atol=2e-4)


@pytest.mark.parametrize("length", LENGTHS)
def test_samples_past_the_length_do_not_matter(log_mel: LogMel, waveform: np.ndarray, length: int) -> None:
    padded = np.where(np.arange(SAMPLES) < length, waveform, 0)
    np.testing.assert_allclose(run(log_mel, waveform, length), run(log_mel, padded, length), atol=1e-6)


@pytest.mark.parametrize("length", LENGTHS)
def test_it_is_zero_past_the_length_and_its_mean_is_zero(log_mel: LogMel, waveform: np.ndarray, length: int) -> None:
    found = run(log_mel, waveform, length)
    assert not found[:, -(-length // 160) :].any()
    assert abs(found.mean()) < 1e-5


@pytest.mark.parametrize("gain_db", [-30, -6, 12])
def test_gain_does_not_matter(log_mel: LogMel, waveform: np.ndarray, gain_db: float) -> None:
    louder = waveform * np.float32(10 ** (gain_db / 20))
    np.testing.assert_allclose(run(log_mel, louder, SAMPLES), run(log_mel, waveform, SAMPLES), atol=1e-4)


def test_silence_is_zero(log_mel: LogMel) -> None:
    np.testing.assert_allclose(run(log_mel, np.zeros(SAMPLES, np.float32), SAMPLES), 0.0, atol=1e-5)


def test_rows_of_a_batch_do_not_touch_each_other(log_mel: LogMel, waveform: np.ndarray) -> None:
    batch = torch.from_numpy(np.stack([waveform, 100 * waveform, 0 * waveform]))
    found = log_mel(batch, torch.tensor([SAMPLES, 800, 0]))[0].numpy()
    np.testing.assert_allclose(found, run(log_mel, waveform, SAMPLES), atol=1e-5)


@pytest.mark.parametrize("hz", [300, 1000, 4000])
def test_a_tone_is_loudest_in_the_band_around_it(log_mel: LogMel, hz: float) -> None:
    audio = np.sin(2 * np.pi * hz * np.arange(SAMPLES) / RATE_HZ).astype(np.float32)
    loudest = run(log_mel, audio, SAMPLES)[:, FRAMES // 2].argmax()
    assert mel_centres()[loudest] < hz < mel_centres()[loudest + 2]


@pytest.mark.parametrize(("length", "valid"), [(0, 0), (1, 1), (160, 1), (161, 2), (3200, 20), (9999, 20)])
def test_a_frame_counts_where_it_begins_before_the_end(length: int, valid: int) -> None:
    assert frame_mask(FRAMES, 160, torch.tensor([length])).tolist() == [[True] * valid + [False] * (FRAMES - valid)]


def test_nothing_of_it_is_kept_in_a_checkpoint(log_mel: LogMel) -> None:
    assert list(log_mel.state_dict()) == []
