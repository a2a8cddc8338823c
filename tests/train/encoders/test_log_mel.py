"""The log-mel spectrogram against numpy's FFT and plain loops."""

import numpy as np
import pytest
import torch

from train.encoders.log_mel import (
    MEL_BANDS,
    MEMORY_FRAMES,
    OVERLAP_SAMPLES,
    STEP_SAMPLES,
    LogMel,
    frame_mask,
    relative,
    running_mean,
)

RATE_HZ = 16_000
SAMPLES = 30_000
"""More frames than the running means are taken over."""
FRAMES = SAMPLES // 250
LENGTHS = [0, 1, 250, 251, 20_000, SAMPLES]


@pytest.fixture(scope="module")
def log_mel() -> LogMel:
    return LogMel(RATE_HZ)


@pytest.fixture(scope="module")
def waveform() -> np.ndarray:
    """Noise whose level changes."""
    level = np.interp(np.arange(SAMPLES), [0, 12_000, 20_000, SAMPLES], [0.02, 0.2, 0.01, 0.1])
    return (np.random.default_rng(0).normal(size=SAMPLES) * level).astype(np.float32)


def mel_centres() -> np.ndarray:
    """The edges and centres of the bands, in Hz."""
    lowest, highest = 2595 * np.log10(1 + np.array([50.0, 7600.0]) / 700)
    return 700 * (10 ** (np.linspace(lowest, highest, MEL_BANDS + 2) / 2595) - 1)


def mean_so_far(x: np.ndarray) -> np.ndarray:
    """The mean of each frame and the 95 before it, or as many as there are."""
    return np.stack([x[:, max(frame - 95, 0) : frame + 1].mean(axis=1) for frame in range(x.shape[1])], axis=1)


def reference(waveform: np.ndarray, length: int) -> np.ndarray:
    """float64 `[2, 64, F]` of one waveform, frame by frame."""
    hz = np.fft.rfftfreq(400, 1 / RATE_HZ)
    edges = mel_centres()
    bands = [np.interp(hz, edges[band : band + 3], [0, 1, 0], left=0, right=0) for band in range(MEL_BANDS)]
    padded = np.pad(waveform.astype(np.float64), 75)
    frames = np.stack([padded[250 * frame :][:400] * np.hanning(401)[:-1] for frame in range(len(waveform) // 250)])
    decades = np.log10(np.maximum(np.array(bands) @ (np.abs(np.fft.rfft(frames)) ** 2).T, 1e-8))
    relative = [decades - mean_so_far(decades.mean(axis=0, keepdims=True)), decades - mean_so_far(decades)]
    out = np.clip(relative, -4, 4)
    out[:, :, -(-length // 250) :] = 0
    return out


def run(log_mel: LogMel, waveform: np.ndarray, length: int) -> np.ndarray:
    return log_mel(torch.from_numpy(waveform)[None], torch.tensor([length]))[0].numpy()


@pytest.mark.parametrize("length", LENGTHS)
def test_it_equals_numpy(log_mel: LogMel, waveform: np.ndarray, length: int) -> None:
    padded = np.where(np.arange(SAMPLES) < length, waveform, 0)
    np.testing.assert_allclose(run(log_mel, padded, length), reference(padded, length), atol=5e-4)


@pytest.mark.parametrize("frames", [1, 95, 96, 97, 300])
def test_a_running_mean_equals_a_loop(frames: int) -> None:
    x = np.random.default_rng(0).normal(size=(3, frames))
    joined = torch.from_numpy(np.pad(x, ((0, 0), (MEMORY_FRAMES, 0))))
    found = running_mean(joined[None].mT, torch.tensor([0]))[0].numpy()
    np.testing.assert_allclose(found.T, mean_so_far(x), atol=1e-6)


@pytest.mark.parametrize("known", [1, 40, 95, 96])
def test_a_running_mean_takes_the_frames_before_that_are_known(known: int) -> None:
    x = np.random.default_rng(0).normal(size=(3, known + 20))
    joined = torch.from_numpy(np.pad(x, ((0, 0), (MEMORY_FRAMES - known, 0))))
    found = running_mean(joined[None].mT, torch.tensor([known]))[0].numpy()
    np.testing.assert_allclose(found.T, mean_so_far(x)[:, known:], atol=1e-6)


@pytest.mark.parametrize("end", [SAMPLES, SAMPLES - 1, 28_000])
@pytest.mark.parametrize("known", [-8, 0, 50, 96])
def test_frames_are_those_of_the_whole_sound_where_those_before_are_given(
    log_mel: LogMel, waveform: np.ndarray, known: int, end: int
) -> None:
    """Of the 120 frames the last 24 are asked for, and the sound begins so many before them; -8: so many after."""
    begin = (MEMORY_FRAMES - known) * STEP_SAMPLES
    sound = np.where((np.arange(SAMPLES) >= begin) & (np.arange(SAMPLES) < end), waveform, 0).astype(np.float32)
    decades = log_mel.decades(torch.from_numpy(np.pad(sound, OVERLAP_SAMPLES))[None])
    decades[:, : begin // STEP_SAMPLES] = 0
    last = torch.tensor([end - MEMORY_FRAMES * STEP_SAMPLES])
    found = relative(decades, torch.tensor([known]), last)[0].numpy()
    expected = reference(sound[begin:], end - begin)[:, :, max(known, 0) :]
    np.testing.assert_allclose(found[:, :, max(-known, 0) :], expected, atol=5e-4)


@pytest.mark.parametrize("first", [0, 1, 37])
def test_frames_know_the_samples_on_either_side(log_mel: LogMel, waveform: np.ndarray, first: int) -> None:
    padded = torch.from_numpy(np.pad(waveform, OVERLAP_SAMPLES))[None]
    part = padded[:, first * STEP_SAMPLES : (first + 5) * STEP_SAMPLES + 2 * OVERLAP_SAMPLES]
    torch.testing.assert_close(log_mel.decades(part), log_mel.decades(padded)[:, first : first + 5], atol=1e-4, rtol=0)


@pytest.mark.parametrize("length", LENGTHS)
def test_it_is_zero_past_the_length(log_mel: LogMel, waveform: np.ndarray, length: int) -> None:
    assert not run(log_mel, waveform, length)[:, :, -(-length // 250) :].any()


@pytest.mark.parametrize("gain_db", [-20, -6, 12])
def test_gain_does_not_matter(log_mel: LogMel, waveform: np.ndarray, gain_db: float) -> None:
    louder = waveform * np.float32(10 ** (gain_db / 20))
    np.testing.assert_allclose(run(log_mel, louder, SAMPLES), run(log_mel, waveform, SAMPLES), atol=1e-4)


@pytest.mark.parametrize("shift", [1, 7, 20])
def test_a_frame_is_the_same_in_every_window_that_holds_it_and_its_memory(
    log_mel: LogMel, waveform: np.ndarray, shift: int
) -> None:
    """The last frame of a window reaches past its end."""
    whole, later = (run(log_mel, part, SAMPLES) for part in (waveform, waveform[shift * STEP_SAMPLES :]))
    found, expected = later[:, :, MEMORY_FRAMES:-1], whole[:, :, MEMORY_FRAMES + shift : -1]
    assert found.shape[2] == FRAMES - shift - MEMORY_FRAMES - 1
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("constant", [0.0, 1e-6])
def test_silence_is_zero(log_mel: LogMel, constant: float) -> None:
    silence = np.full(SAMPLES, constant, np.float32)
    np.testing.assert_allclose(run(log_mel, silence, SAMPLES), 0.0, atol=1e-5)


def test_a_steady_colour_goes_in_one_channel_and_stays_in_the_other(log_mel: LogMel, waveform: np.ndarray) -> None:
    """A filter that falls steeply: of what is relative to its own band nothing changes but at the edges of bands."""
    spectrum = np.fft.rfft(waveform)
    hz = np.fft.rfftfreq(SAMPLES, 1 / RATE_HZ)
    coloured = np.fft.irfft(spectrum * 10 ** (-hz / 8000), SAMPLES).astype(np.float32)
    tilt, own = (run(log_mel, coloured, SAMPLES) - run(log_mel, waveform, SAMPLES))[:, :, 10:-10]
    assert np.abs(own).mean() < 0.02
    assert tilt[0].mean() - tilt[-1].mean() == pytest.approx(2 * 7400 / 8000, abs=0.1)


def test_rows_of_a_batch_do_not_touch_each_other(log_mel: LogMel, waveform: np.ndarray) -> None:
    batch = torch.from_numpy(np.stack([waveform, 100 * waveform * (np.arange(SAMPLES) < 800), 0 * waveform]))
    found = log_mel(batch, torch.tensor([SAMPLES, 800, 0]))[0].numpy()
    np.testing.assert_allclose(found, run(log_mel, waveform, SAMPLES), atol=1e-5)


@pytest.mark.parametrize("hz", [300, 1000, 4000])
def test_a_tone_is_loudest_in_the_band_around_it(log_mel: LogMel, hz: float) -> None:
    """In a little noise: 4 decades above the mean all bands are equal."""
    noise = 0.01 * np.random.default_rng(0).normal(size=SAMPLES)
    audio = (0.1 * np.sin(2 * np.pi * hz * np.arange(SAMPLES) / RATE_HZ) + noise).astype(np.float32)
    loudest = run(log_mel, audio, SAMPLES)[0, :, FRAMES // 2].argmax()
    assert mel_centres()[loudest] < hz < mel_centres()[loudest + 2]


@pytest.mark.parametrize(("length", "valid"), [(0, 0), (1, 1), (250, 1), (251, 2), (5000, 20), (9999, 20)])
def test_a_frame_counts_where_it_begins_before_the_end(length: int, valid: int) -> None:
    assert frame_mask(20, 250, torch.tensor([length])).tolist() == [[True] * valid + [False] * (20 - valid)]


def test_nothing_of_it_is_kept_in_a_checkpoint(log_mel: LogMel) -> None:
    assert list(log_mel.state_dict()) == []
