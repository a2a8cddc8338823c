"""Log-mel spectrogram as convolutions, so that it is part of the exported graph.

The product with the mel weights is a convolution, too: it stays in fp32, and engines for Turing have no fp32 matrix
product. Nothing in it depends on the whole window: a frame is the same in every window that holds it and the
`MEMORY_FRAMES` before it.

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
MEL_BANDS = 64
LOWEST_HZ, HIGHEST_HZ = 50.0, 7600.0
QUIETEST = 1e-8
"""Smallest power, near that of 16-bit quantisation noise. It is applied as a maximum: exporters remove the addition of
so small a number."""
MEMORY_FRAMES = 96
"""Frames over which the running means are taken: 1.5 s."""
COARSE_FRAMES = 8
"""Frames of the means that a running mean is made of; a divisor of `MEMORY_FRAMES`."""
RANGE_DECADES = 4.0
"""Largest distance from the running mean, up or down."""
CHANNELS = 2


class LogMel(nn.Module):
    """Log-mel spectrogram of a waveform in two channels, neither of which depends on gain.

    One is relative to the running mean of all bands, which keeps the spectrum's tilt; the other relative to the running
    mean of its own band, which takes away a microphone's colour and steady noise.
    """

    fourier: Tensor
    mel: Tensor

    def __init__(self, rate_hz: int) -> None:
        super().__init__()
        self.register_buffer("fourier", torch.from_numpy(fourier_kernels(rate_hz)), persistent=False)
        self.register_buffer("mel", torch.from_numpy(mel_weights(rate_hz)), persistent=False)

    def forward(self, waveform: Tensor, length: Tensor) -> Tensor:
        """Map float32 `[B, S]`, int64 `[B]` to `[B, 2, M, F]`, F = S / 250, zero past the length.

        S is a multiple of 250; the waveform must be zero past the length.
        """
        before = (WINDOW_SAMPLES - STEP_SAMPLES) // 2
        padded = nn.functional.pad(waveform, (before, WINDOW_SAMPLES - STEP_SAMPLES - before))
        parts = nn.functional.conv1d(padded[:, None], self.fourier, stride=STEP_SAMPLES)
        real, imaginary = parts.chunk(2, dim=1)
        power = nn.functional.conv1d(real * real + imaginary * imaginary, self.mel[:, :, None])
        decades = torch.log10(power.clamp(min=QUIETEST))
        relative = [decades - running_mean(decades.mean(dim=1, keepdim=True)), decades - running_mean(decades)]
        mask = frame_mask(power.shape[2], STEP_SAMPLES, length)[:, None, None]
        return torch.stack(relative, dim=1).clamp(-RANGE_DECADES, RANGE_DECADES) * mask


def running_mean(x: Tensor) -> Tensor:
    """Return the mean of each frame and up to 95 before it, `[B, M, F]` -> `[B, M, F]`.

    It is the mean of 12 means of 8 frames, 8 frames apart: 20 additions for 96. The zeros before the frames are joined
    to them, not padded: ONNX Runtime 1.21 makes the padding part of a pool that may not have so much.
    """
    frames = torch.arange(1, x.shape[2] + 1, device=x.device).clamp(max=MEMORY_FRAMES)
    surplus = -x.shape[2] % COARSE_FRAMES
    padded = torch.cat([x.new_zeros(x.shape[0], x.shape[1], MEMORY_FRAMES - 1 + surplus), x], dim=2)
    coarse = nn.functional.avg_pool1d(padded, COARSE_FRAMES, stride=1).unflatten(2, (-1, COARSE_FRAMES))
    means = nn.functional.avg_pool2d(coarse, (MEMORY_FRAMES // COARSE_FRAMES, 1), stride=1).flatten(2)
    return means[:, :, surplus:] * (MEMORY_FRAMES / frames)


def frame_mask(frames: int, step: int, length: Tensor) -> Tensor:
    """Return bool `[B, frames]`, true for frames that begin before the waveform's end."""
    return torch.arange(frames, device=length.device)[None] * step < length[:, None]


def used_bins(rate_hz: int) -> int:
    """Return the number of frequency bins up to the highest mel band's end."""
    return math.floor(HIGHEST_HZ * WINDOW_SAMPLES / rate_hz) + 1


def fourier_kernels(rate_hz: int) -> np.ndarray:
    """Return float32 `[2 * K, 1, 400]`: Hann-windowed cosines, then sines, one per frequency bin in use, K = 191."""
    n = np.arange(WINDOW_SAMPLES)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * n / WINDOW_SAMPLES)
    angle = 2 * np.pi * np.arange(used_bins(rate_hz))[:, None] * n / WINDOW_SAMPLES
    return np.concatenate([np.cos(angle) * hann, np.sin(angle) * hann])[:, None].astype(np.float32)


def mel_weights(rate_hz: int) -> np.ndarray:
    """Return float32 `[64, K]`: triangles equally spaced on the mel scale (O'Shaughnessy: 2595 log10(1 + f/700))."""
    lowest, highest = (2595 * math.log10(1 + hz / 700) for hz in (LOWEST_HZ, HIGHEST_HZ))
    edges = 700 * (10 ** (np.linspace(lowest, highest, MEL_BANDS + 2) / 2595) - 1)
    bins = np.arange(used_bins(rate_hz)) * rate_hz / WINDOW_SAMPLES
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)
