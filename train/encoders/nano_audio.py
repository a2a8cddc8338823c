"""Nano audio encoder: log-mel, a small residual network over it, a voice head, two transformer layers.

Dimensions: B batch, S samples, Ta tokens (one per 2,000 samples), Da their width, M mel bands, F frames.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from ..attention import MultiHeadAttention, on_rows
from .log_mel import CHANNELS, MEL_BANDS, STEP_SAMPLES, LogMel, frame_mask
from .nano_image import ResidualBlock

TOKEN_SAMPLES = 8 * STEP_SAMPLES
"""125 ms at 16 kHz: three halvings of the log-mel frames."""
STEM_WIDTHS = (32, 48, 96)
BAND_MASKS = (2, 10)
"""SpecAugment: number of masks, and their largest width in mel bands."""
STRETCH_MASKS = (2, 20)
"""SpecAugment: number of masks, and their largest length in frames."""


class TransformerLayer(nn.Module):
    """Self-attention and a feed-forward part, each behind its LayerNorm (pre-norm)."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = MultiHeadAttention(width, width, heads)
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, 2 * width),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(2 * width, width),
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Map `[B, Ta, Da]`, bool `[B, Ta]` to `[B, Ta, Da]`."""
        normed = self.attention_norm(tokens)
        tokens = tokens + self.dropout(self.attention(normed, normed, mask))
        return tokens + self.dropout(on_rows(self.feed_forward, tokens))


class NanoAudioEncoder(nn.Module):
    """Encoder of float32 `[B, S]` at 16 kHz with lengths int64 `[B]` to tokens, a mask and the probability of voice.

    A token and its voice depend on 1.5 s before it and 0.3 s around it alone, up to the transformer layers.
    """

    has_voice = True
    """True because the probability of voice is an output, too."""

    def __init__(self, width: int, rate_hz: int, layers: int = 2, heads: int = 4, dropout: float = 0.1) -> None:
        super().__init__()
        self.width = width
        self.log_mel = LogMel(rate_hz)
        first, second, third = STEM_WIDTHS
        self.stem = nn.Sequential(
            nn.Conv2d(CHANNELS, first, 3, 2, 1, bias=False),
            nn.BatchNorm2d(first),
            nn.ReLU(),
            ResidualBlock(first, second, 2),
            ResidualBlock(second, third, 2),
        )
        self.project = nn.Sequential(nn.Linear(third * (MEL_BANDS // 8), width), nn.Dropout(dropout))
        self.voice_head = nn.Sequential(nn.Linear(width, 32), nn.ReLU(), nn.Linear(32, 1))
        self.layers = nn.ModuleList(TransformerLayer(width, heads, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, waveform: Tensor, length: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return tokens `[B, Ta, Da]`, the mask bool `[B, Ta]` and P(voice) `[B, Ta]`; past the length all are zero.

        The waveform must be zero past its length, and S a multiple of 2,000.
        """
        tokens, mask = self.local_tokens(waveform, length)
        return self.in_context(tokens, mask), mask, self.voice(tokens, mask)

    def local_tokens(self, waveform: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        """Return tokens `[B, Ta, Da]` that know only the sound around them, and the mask bool `[B, Ta]`."""
        with torch.autocast(waveform.device.type, enabled=False):
            spectrogram = self.log_mel(waveform, length)
        if self.training:
            spectrogram = mask_spectrogram(spectrogram)
        tokens = self.project(self.stem(spectrogram).flatten(1, 2).transpose(1, 2))
        return tokens, frame_mask(tokens.shape[1], TOKEN_SAMPLES, length)

    def in_context(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Return local tokens `[B, Ta, Da]` after the transformer layers, zero where masked."""
        return in_context(self.layers, self.norm, tokens, mask)

    def voice(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Return P(voice) `[B, Ta]` of local tokens, zero where masked."""
        return self.voice_logits(tokens).sigmoid() * mask

    def voice_logits(self, tokens: Tensor) -> Tensor:
        """Return the log odds of voice `[B, Ta]` of local tokens."""
        return voice_logits(self.voice_head, tokens)


def in_context(layers: Iterable[nn.Module], norm: nn.Module, tokens: Tensor, mask: Tensor) -> Tensor:
    """Return local tokens `[B, Ta, Da]` after transformer layers and a norm, zero where masked."""
    for layer in layers:
        tokens = layer(tokens, mask)
    return norm(tokens) * mask[:, :, None]


def voice_logits(head: nn.Module, tokens: Tensor) -> Tensor:
    """Return the log odds of voice `[B, Ta]` of local tokens."""
    logits: Tensor = head(tokens)
    return logits[:, :, 0]


def mask_spectrogram(spectrogram: Tensor) -> Tensor:
    """Mask random bands and stretches of `[B, 2, M, F]` (SpecAugment, Park et al., Interspeech 2019)."""
    batch, _, bands, frames = spectrogram.shape
    kept_bands, kept_frames = keep(batch, bands, *BAND_MASKS), keep(batch, frames, *STRETCH_MASKS)
    return spectrogram * kept_bands[:, None, :, None] * kept_frames[:, None, None]


def keep(batch: int, size: int, masks: int, widest: int) -> Tensor:
    """Return bool `[batch, size]`, false inside `masks` random runs of up to `widest` places each."""
    start = torch.randint(size, (batch, masks, 1))
    width = torch.randint(widest + 1, (batch, masks, 1))
    place = torch.arange(size)
    return ~((place >= start) & (place < start + width)).any(dim=1)
