"""Log-mel spectrogram as convolutions, so that it is part of the exported graph.

The product with the mel weights is a convolution, too: it stays in fp32, and engines for Turing have no fp32 matrix
product.

Dimensions: B batch, S samples, F frames, M mel bands.
"""

import math

import numpy as np
import torch
from torch import Tensor, nn

WINDOW_SAMPLES = 400
"""25 ms at 16 kHz."""
STEP_SAMPLES = 160
"""10 ms at 16 kHz."""
MEL_BANDS = 64
LOWEST_HZ, HIGHEST_HZ = 50.0, 7600.0
RANGE_DECADES = 8.0
"""Range of the power below the window's loudest band; lower power is clamped."""
QUIETEST = 1e-10
"""Smallest power. It is applied as a maximum: exporters remove the addition of so small a number."""


class LogMel(nn.Module):
    """Log-mel spectrogram of a waveform, minus its mean over the valid frames so that gain does not matter."""

    fourier: Tensor
    mel: Tensor

    def __init__(self, rate_hz: int) -> None:
        super().__init__()
        self.register_buffer("fourier", torch.from_numpy(fourier_kernels()), persistent=False)
        self.register_buffer("mel", torch.from_numpy(mel_weights(rate_hz)), persistent=False)

    def forward(self, waveform: Tensor, length: Tensor) -> Tensor:
        """Map float32 `[B, S]` (S a multiple of 160), int64 `[B]` to `[B, M, F]`, F = S / 160, zero past the length."""
        masked = waveform * frame_mask(waveform.shape[1], 1, length)
        padded = nn.functional.pad(masked, ((WINDOW_SAMPLES - STEP_SAMPLES) // 2,) * 2)
        parts = nn.functional.conv1d(padded[:, None], self.fourier, stride=STEP_SAMPLES)
        real, imaginary = parts.chunk(2, dim=1)
        power = nn.functional.conv1d(real * real + imaginary * imaginary, self.mel[:, :, None])
        mask = frame_mask(power.shape[2], STEP_SAMPLES, length)[:, None]
        loudest = (power * mask).amax(dim=(1, 2), keepdim=True)
        floor = (loudest * 10.0**-RANGE_DECADES).clamp(min=QUIETEST)
        decades = torch.log10(torch.maximum(power, floor)) * mask
        mean = decades.sum(dim=(1, 2), keepdim=True) / (MEL_BANDS * mask.sum(dim=2, keepdim=True).clamp(min=1))
        return (decades - mean) * mask


def frame_mask(frames: int, step: int, length: Tensor) -> Tensor:
    """Return bool `[B, frames]`, true for frames that begin before the waveform's end."""
    return torch.arange(frames, device=length.device)[None] * step < length[:, None]


def fourier_kernels() -> np.ndarray:
    """Return float32 `[2 * 201, 1, 400]`: Hann-windowed cosines, then sines, one per frequency bin."""
    n = np.arange(WINDOW_SAMPLES)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * n / WINDOW_SAMPLES)
    angle = 2 * np.pi * np.arange(WINDOW_SAMPLES // 2 + 1)[:, None] * n / WINDOW_SAMPLES
    return np.concatenate([np.cos(angle) * hann, np.sin(angle) * hann])[:, None].astype(np.float32)


def mel_weights(rate_hz: int) -> np.ndarray:
    """Return float32 `[64, 201]`: triangles equally spaced on the mel scale (O'Shaughnessy: 2595 log10(1 + f/700))."""
    lowest, highest = (2595 * math.log10(1 + hz / 700) for hz in (LOWEST_HZ, HIGHEST_HZ))
    edges = 700 * (10 ** (np.linspace(lowest, highest, MEL_BANDS + 2) / 2595) - 1)
    bins = np.arange(WINDOW_SAMPLES // 2 + 1) * rate_hz / WINDOW_SAMPLES
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)
