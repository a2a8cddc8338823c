"""Nano audio encoder: log-mel, a small residual network over it, two transformer layers.

Dimensions: B batch, S samples, Ta tokens (one per 1,280 samples), Da their width, M mel bands, F frames.
"""

import torch
from torch import Tensor, nn

from ..attention import MultiHeadAttention
from .log_mel import MEL_BANDS, STEP_SAMPLES, LogMel, frame_mask
from .nano_image import ResidualBlock

TOKEN_SAMPLES = 8 * STEP_SAMPLES
"""80 ms at 16 kHz: three halvings of the log-mel frames."""
STEM_WIDTHS = (32, 48, 96)
BAND_MASKS = (2, 10)
"""SpecAugment: number of masks, and their largest width in mel bands."""
STRETCH_MASKS = (2, 30)
"""SpecAugment: number of masks, and their largest length in 10 ms frames."""


class TransformerLayer(nn.Module):
    """Self-attention and a feed-forward part, each behind its LayerNorm (pre-norm)."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = MultiHeadAttention(width, width, heads)
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, 3 * width),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(3 * width, width),
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Map `[B, Ta, Da]`, bool `[B, Ta]` to `[B, Ta, Da]`."""
        normed = self.attention_norm(tokens)
        tokens = tokens + self.dropout(self.attention(normed, normed, mask))
        return tokens + self.dropout(self.feed_forward(tokens))


class NanoAudioEncoder(nn.Module):
    """Encoder of float32 `[B, S]` at 16 kHz with lengths int64 `[B]` to `[B, Ta, Da]` with a mask, bool `[B, Ta]`."""

    def __init__(self, width: int, rate_hz: int, layers: int = 2, heads: int = 4, dropout: float = 0.1) -> None:
        super().__init__()
        self.width = width
        self.log_mel = LogMel(rate_hz)
        first, second, third = STEM_WIDTHS
        self.stem = nn.Sequential(
            nn.Conv2d(1, first, 3, 2, 1, bias=False),
            nn.BatchNorm2d(first),
            nn.ReLU(),
            ResidualBlock(first, second, 2),
            ResidualBlock(second, third, 2),
        )
        self.project = nn.Sequential(nn.Linear(third * (MEL_BANDS // 8), width), nn.Dropout(dropout))
        self.layers = nn.ModuleList(TransformerLayer(width, heads, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, waveform: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        """Return tokens and mask; tokens past the length are zero and masked. S must be a multiple of 1,280."""
        spectrogram = self.log_mel(waveform, length)
        if self.training:
            spectrogram = mask_spectrogram(spectrogram)
        tokens = self.project(self.stem(spectrogram[:, None]).flatten(1, 2).transpose(1, 2))
        mask = frame_mask(tokens.shape[1], TOKEN_SAMPLES, length)
        for layer in self.layers:
            tokens = layer(tokens, mask)
        return self.norm(tokens) * mask[:, :, None], mask


def mask_spectrogram(spectrogram: Tensor) -> Tensor:
    """Mask random bands and stretches of `[B, M, F]` (SpecAugment, Park et al., Interspeech 2019)."""
    batch, bands, frames = spectrogram.shape
    return spectrogram * keep(batch, bands, *BAND_MASKS)[:, :, None] * keep(batch, frames, *STRETCH_MASKS)[:, None]


def keep(batch: int, size: int, masks: int, widest: int) -> Tensor:
    """Return bool `[batch, size]`, false inside `masks` random runs of up to `widest` places each."""
    start = torch.randint(size, (batch, masks, 1))
    width = torch.randint(widest + 1, (batch, masks, 1))
    place = torch.arange(size)
    return ~((place >= start) & (place < start + width)).any(dim=1)
