"""Log-mel spectrogram as convolutions, so that it is part of the exported graph.

The products with the waves of the DFT, with the mel weights and with those of running means are convolutions: they stay
in fp32, and engines for Turing have no fp32 matrix product. Nothing in it depends on the whole window: a frame is the
same in every window that holds it and the `MEMORY_FRAMES` before it.

Dimensions: B batch, S samples, F frames, M mel bands.
"""

import math

import numpy as np
import torch
from torch import Tensor, nn

WINDOW_SAMPLES = 400
"""25 ms at 16 kHz."""
STEP_SAMPLES = 250
"""15.625 ms at 16 kHz, so that 8 frames are an eighth of a second."""
OVERLAP_SAMPLES = (WINDOW_SAMPLES - STEP_SAMPLES) // 2
"""Samples before those that a frame stands for, on which it depends, too; as many are after them."""
FOLDS = 4
"""Parts of a frame's DFT, each of sums or differences of a quarter as many samples."""
MEL_BANDS = 64
LOWEST_HZ, HIGHEST_HZ = 50.0, 7600.0
QUIETEST = 1e-8
"""Smallest power, near that of 16-bit quantisation noise. It is applied as a maximum: exporters remove the addition of
so small a number."""
MEMORY_FRAMES = 96
"""Frames over which the running means are taken: 1.5 s."""
RANGE_DECADES = 4.0
"""Largest distance from the running mean, up or down."""
CHANNELS = 2


class LogMel(nn.Module):
    """Log-mel spectrogram of a waveform in two channels, neither of which depends on gain.

    One is relative to the running mean of all bands, which keeps the spectrum's tilt; the other relative to the running
    mean of its own band, which takes away a microphone's colour and steady noise.
    """

    hann: Tensor
    fourier: Tensor
    mel: Tensor

    def __init__(self, rate_hz: int) -> None:
        super().__init__()
        for name, array in (("hann", hann()), ("fourier", fourier_kernels(rate_hz)), ("mel", mel_weights(rate_hz))):
            self.register_buffer(name, torch.from_numpy(array), persistent=False)

    def forward(self, waveform: Tensor, length: Tensor) -> Tensor:
        """Map float32 `[B, S]`, int64 `[B]` to `[B, 2, M, F]`, F = S / 250, zero past the length.

        S is a multiple of 250; the waveform must be zero past the length.
        """
        decades = self.decades(nn.functional.pad(waveform, (OVERLAP_SAMPLES, OVERLAP_SAMPLES)))
        return relative(nn.functional.pad(decades, (0, 0, MEMORY_FRAMES, 0)), torch.zeros_like(length), length)

    def decades(self, waveform: Tensor) -> Tensor:
        """Map float32 `[B, 75 + S + 75]` to the power in each frame and band as its decimal logarithm, `[B, F, M]`.

        F = S / 250; the waveform has the 75 samples before the first frame's own, and those after the last one's.
        """
        steps = nn.functional.pad(waveform, (0, -waveform.shape[1] % STEP_SAMPLES)).unflatten(1, (-1, STEP_SAMPLES)).mT
        frames = torch.cat([steps[:, :, :-1], steps[:, : WINDOW_SAMPLES + 1 - STEP_SAMPLES, 1:]], dim=1) * self.hann
        parts = nn.functional.conv1d(folded(frames), self.fourier, groups=FOLDS)
        real, imaginary = (parts * parts).chunk(2, dim=1)
        power = nn.functional.conv1d(real + imaginary, self.mel)
        return torch.log10(power.clamp(min=QUIETEST)).mT


def folded(frames: Tensor) -> Tensor:
    """Return windowed frames `[B, 401, F]` as sums and differences, a quarter of the DFT on each, `[B, 4 * 101, F]`.

    The quarters are the cosines of even and of odd frequencies, and the sines of both: a wave is the same at n and
    400 - n, and at n and 200 - n, but for its sign.
    """
    half, quarter = WINDOW_SAMPLES // 2, WINDOW_SAMPLES // 4
    first, mirrored = frames[:, : half + 1], backwards(frames, WINDOW_SAMPLES, half + 1)
    even, odd = first + mirrored, first - mirrored
    (near, far), (near_odd, far_odd) = (
        (each[:, : quarter + 1], backwards(each, half, quarter + 1)) for each in (even, odd)
    )
    return torch.cat([near + far, near - far, near_odd - far_odd, near_odd + far_odd], dim=1)


def backwards(x: Tensor, last: int, count: int) -> Tensor:
    """Return so many rows of `[B, N, F]` from one on, the last first: one operator, where a flip would be two."""
    return x.index_select(1, torch.arange(last, last - count, -1, device=x.device))


def relative(decades: Tensor, known: Tensor, end: Tensor) -> Tensor:
    """Return all frames but the first 96 relative to their running means, `[B, 96 + F, M]` -> `[B, 2, M, F]`.

    One channel is relative to the mean over bands, one to that in each band. The first `known` int64 `[B]` of the F
    frames' past are there, the others are zero. The sound ends `end` int64 `[B]` samples after the F frames begin; from
    there on all is zero.
    """
    newest = decades[:, MEMORY_FRAMES:]
    means = running_mean(decades, known)
    channels = torch.stack([newest - means.mean(dim=2, keepdim=True), newest - means], dim=1)
    is_sound = frame_mask(newest.shape[1], STEP_SAMPLES, end)[:, None, None]
    return channels.clamp(-RANGE_DECADES, RANGE_DECADES).mT * is_sound


def running_mean(x: Tensor, known: Tensor) -> Tensor:
    """Return the mean of each frame but the first 96 and of the 95 before it, `[B, 96 + F, M]` -> `[B, F, M]`.

    Of the first 96 frames the newest `known` int64 `[B]` are there, the others are zero and do not count; a negative
    number of them says so of frames after those. The mean is a convolution over bands, whose channels are the frames.
    """
    place = torch.arange(x.shape[1], device=x.device)
    frame = place[MEMORY_FRAMES:, None]
    weights = ((place > frame - MEMORY_FRAMES) & (place <= frame))[:, :, None].to(x.dtype) / MEMORY_FRAMES
    count = (known[:, None] + place[1 : len(place) - MEMORY_FRAMES + 1]).clamp(min=1, max=MEMORY_FRAMES)
    return nn.functional.conv1d(x, weights) * (MEMORY_FRAMES / count)[:, :, None]


def frame_mask(frames: int, step: int, length: Tensor) -> Tensor:
    """Return bool `[B, frames]`, true for frames that begin before the waveform's end."""
    return torch.arange(frames, device=length.device)[None] * step < length[:, None]


def used_bins(rate_hz: int) -> int:
    """Return the number of frequency bins up to the highest mel band's end."""
    return math.floor(HIGHEST_HZ * WINDOW_SAMPLES / rate_hz) + 1


def hann() -> np.ndarray:
    """Return float32 `[401, 1]`: a Hann window, which is zero at both ends."""
    n = np.arange(WINDOW_SAMPLES + 1)
    return (0.5 - 0.5 * np.cos(2 * np.pi * n / WINDOW_SAMPLES))[:, None].astype(np.float32)


def fourier_kernels(rate_hz: int) -> np.ndarray:
    """Return float32 `[4 * 96, 101, 1]`: cosines of even and of odd frequencies, then their sines, of folded frames.

    Where fewer than 96 frequencies of a kind are in use, the last rows are zero. What is folded on itself counts half.
    """
    n = np.arange(WINDOW_SAMPLES // 4 + 1)
    once = np.where(n % (WINDOW_SAMPLES // 4) == 0, 0.5, 1.0)
    bins = used_bins(rate_hz)
    kernels = np.zeros((FOLDS, -(-bins // 2), len(n)))
    for fold, (wave, parity) in enumerate(((np.cos, 0), (np.cos, 1), (np.sin, 0), (np.sin, 1))):
        waves = wave(2 * np.pi * np.arange(parity, bins, 2)[:, None] * n / WINDOW_SAMPLES) * once
        kernels[fold, : len(waves)] = waves
    return kernels.reshape(-1, len(n), 1).astype(np.float32)


def mel_weights(rate_hz: int) -> np.ndarray:
    """Return float32 `[64, 2 * 96, 1]`, even frequencies before odd ones: triangles equally spaced on the mel scale.

    The scale is O'Shaughnessy's: 2595 log10(1 + f/700).
    """
    lowest, highest = (2595 * math.log10(1 + hz / 700) for hz in (LOWEST_HZ, HIGHEST_HZ))
    edges = 700 * (10 ** (np.linspace(lowest, highest, MEL_BANDS + 2) / 2595) - 1)
    bins = np.arange(used_bins(rate_hz)) * rate_hz / WINDOW_SAMPLES
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    triangles = np.maximum(0, np.minimum(rising, falling))
    kinds = [triangles[:, parity::2] for parity in (0, 1)]
    width = max(kind.shape[1] for kind in kinds)
    joined = np.concatenate([np.pad(kind, ((0, 0), (0, width - kind.shape[1]))) for kind in kinds], axis=1)
    return joined[:, :, None].astype(np.float32)
