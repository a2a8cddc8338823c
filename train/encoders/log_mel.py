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
        decades = self.decades(waveform)
        frames = decades.shape[2]
        known = torch.arange(1, frames + 1, device=waveform.device).clamp(max=MEMORY_FRAMES)
        past = decades.new_zeros(*decades.shape[:2], MEMORY_FRAMES - 1)
        spectrogram = relative(torch.cat([past, decades], dim=2), known)
        return spectrogram * frame_mask(frames, STEP_SAMPLES, length)[:, None, None]

    def newest(self, waveform: Tensor, begin: Tensor, end: Tensor) -> Tensor:
        """Map float32 `[B, S]`, int64 `[B]` each to the frames but the first 96, `[B, 2, M, S / 250 - 96]`.

        The sound begins at `begin`, a multiple of 250, or goes on before the waveform where that is 0; it ends at
        `end`. Outside of it the waveform must be zero. The frames are those of the whole sound, and zero outside of it.
        """
        decades = self.decades(waveform)
        frames = decades.shape[2]
        is_sound = ~frame_mask(frames, STEP_SAMPLES, begin) & frame_mask(frames, STEP_SAMPLES, end)
        place = torch.arange(frames, device=waveform.device)[None]
        known = (place - begin[:, None] // STEP_SAMPLES + 1).clamp(min=1, max=MEMORY_FRAMES)
        spectrogram = relative((decades * is_sound[:, None])[:, :, 1:], known[:, None, MEMORY_FRAMES:])
        return spectrogram * is_sound[:, None, None, MEMORY_FRAMES:]

    def decades(self, waveform: Tensor) -> Tensor:
        """Map float32 `[B, S]` to the power in each band and frame as its decimal logarithm, `[B, M, S / 250]`."""
        before = (WINDOW_SAMPLES - STEP_SAMPLES) // 2
        padded = nn.functional.pad(waveform, (before, WINDOW_SAMPLES - STEP_SAMPLES - before))
        parts = nn.functional.conv1d(padded[:, None], self.fourier, stride=STEP_SAMPLES)
        real, imaginary = parts.chunk(2, dim=1)
        power = nn.functional.conv1d(real * real + imaginary * imaginary, self.mel[:, :, None])
        return torch.log10(power.clamp(min=QUIETEST))


def relative(decades: Tensor, known: Tensor) -> Tensor:
    """Return frames relative to their running means over bands and in each band, `[B, M, 95 + F]` -> `[B, 2, M, F]`.

    `known`, `[F]` or `[B, 1, F]`, is as in `running_mean`.
    """
    newest = decades[:, :, MEMORY_FRAMES - 1 :]
    level = running_mean(decades.mean(dim=1, keepdim=True), known)
    channels = torch.stack([newest - level, newest - running_mean(decades, known)], dim=1)
    return channels.clamp(-RANGE_DECADES, RANGE_DECADES)


def running_mean(x: Tensor, known: Tensor) -> Tensor:
    """Return the mean of each frame but the first 95 and of those before it, `[B, M, 95 + F]` -> `[B, M, F]`.

    Of the 96 frames of a mean the newest `known` are there, the others are zero and do not count.
    It is the mean of 12 means of 8 frames, 8 frames apart: 20 additions for 96.
    """
    surplus = (MEMORY_FRAMES - 1 - x.shape[2]) % COARSE_FRAMES
    # zeros are joined, not padded: ONNX Runtime 1.21 makes the padding part of a pool that may not have so much
    joined = torch.cat([x.new_zeros(*x.shape[:2], surplus), x], dim=2) if surplus else x
    coarse = nn.functional.avg_pool1d(joined, COARSE_FRAMES, stride=1).unflatten(2, (-1, COARSE_FRAMES))
    means = nn.functional.avg_pool2d(coarse, (MEMORY_FRAMES // COARSE_FRAMES, 1), stride=1).flatten(2)
    return means[:, :, surplus:] * (MEMORY_FRAMES / known)


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
