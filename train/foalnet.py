"""Foal-Net (Li et al., Interspeech 2024): cross-attention fusion of sound and picture, with AVEL and MEM heads.

Dimensions: B batch, Ta/Tv audio/video tokens, Da/Dv their widths, C classes, E embedding width.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, normalize

from .attention import MultiHeadAttention

INITIAL_SCALE = 1 / 0.07
"""Similarity scale at the start of training, and CLIP's (Radford et al. 2021)."""
LARGEST_SCALE = 100.0


class Fused(NamedTuple):
    """What the fusion says of a window."""

    logits: Tensor
    """`[B, C]`."""
    audio_embedding: Tensor
    """`[B, E]`, L2-normalised."""
    video_embedding: Tensor
    """`[B, E]`, L2-normalised."""


class CrossAttentionLayer(nn.Module):
    """`LayerNorm(dropout(attention(query, key)) + query)`; there is no feed-forward part (Foal-Net)."""

    def __init__(self, query_width: int, key_width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.attention = MultiHeadAttention(query_width, key_width, heads)
        self.dropout = nn.Dropout(dropout)
        self.ln = nn.LayerNorm(query_width)

    def forward(self, queries: Tensor, keys: Tensor, key_mask: Tensor) -> Tensor:
        """`[B, Tq, Dq]`, `[B, Tk, Dk]`, bool `[B, Tk]` -> `[B, Tq, Dq]`."""
        return self.ln(self.dropout(self.attention(queries, keys, key_mask)) + queries)


class Projection(nn.Module):
    """One modality's pooled tokens -> its AVEL embedding (Foal-Net)."""

    def __init__(self, width_in: int, width_out: int, dropout: float = 0.5) -> None:
        super().__init__()
        self.linear1 = nn.Linear(width_in, width_out, bias=False)
        self.linear2 = nn.Linear(width_out, width_out, bias=False)
        self.dropout = nn.Dropout(dropout)
        self.layer_norm = nn.LayerNorm(width_out)

    def forward(self, pooled: Tensor) -> Tensor:
        """`[B, D]` -> `[B, E]`, L2-normalised."""
        first = self.linear1(pooled)
        return normalize(self.layer_norm(first + self.dropout(self.linear2(gelu(first)))), dim=1)


class FoalNet(nn.Module):
    """Encoders and fusion; either encoder may be left out where only `fuse` is wanted.

    A modality whose mask is all false is missing: it adds nothing to the logits.
    """

    def __init__(
        self,
        audio_encoder: nn.Module,
        image_encoder: nn.Module,
        *,
        audio_width: int,
        video_width: int,
        classes: int,
        embedding_width: int = 512,
        heads: int = 4,
        layers: int = 2,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.audio_encoder, self.image_encoder = audio_encoder, image_encoder
        self.a2v = nn.ModuleList(CrossAttentionLayer(audio_width, video_width, heads, dropout) for _ in range(layers))
        self.v2a = nn.ModuleList(CrossAttentionLayer(video_width, audio_width, heads, dropout) for _ in range(layers))
        self.audio_project = Projection(audio_width, embedding_width)
        self.video_project = Projection(video_width, embedding_width)
        self.a2v_head = nn.Linear(audio_width, 2)
        self.v2a_head = nn.Linear(video_width, 2)
        self.dropout = nn.Dropout(dropout)
        self.cls_head = nn.Linear(audio_width + video_width, classes)
        self.log_scale = nn.Parameter(torch.tensor(math.log(INITIAL_SCALE)))

    def forward(self, frames: Tensor, frame_mask: Tensor, waveform: Tensor, length: Tensor) -> Fused:
        """uint8 `[B, Tv, H, W, 3]`, bool `[B, Tv]`, float32 `[B, S]`, int64 `[B]` -> `Fused`."""
        audio: tuple[Tensor, Tensor] = self.audio_encoder(waveform, length)
        video_tokens = self.image_encoder(frames.flatten(0, 1)).unflatten(0, frame_mask.shape)
        return self.fuse(*audio, video_tokens, frame_mask)

    def fuse(self, audio_tokens: Tensor, audio_mask: Tensor, video_tokens: Tensor, video_mask: Tensor) -> Fused:
        """`[B, Ta, Da]`, bool `[B, Ta]`, `[B, Tv, Dv]`, bool `[B, Tv]` -> `Fused`."""
        audio, video = self.attend(audio_tokens, audio_mask, video_tokens, video_mask)
        return Fused(
            self.cls_head(self.dropout(torch.cat([audio, video], dim=1))),
            *self.embed(audio_tokens, audio_mask, video_tokens, video_mask),
        )

    def embed(
        self, audio_tokens: Tensor, audio_mask: Tensor, video_tokens: Tensor, video_mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The two AVEL embeddings, `[B, E]` each, of the tokens as they are before the fusion."""
        return (
            self.audio_project(masked_mean(audio_tokens, audio_mask)),
            self.video_project(masked_mean(video_tokens, video_mask)),
        )

    def match(
        self, audio_tokens: Tensor, audio_mask: Tensor, video_tokens: Tensor, video_mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """MEM's logits, `[B, 2]` from each direction: do the two show the same emotion?"""
        audio, video = self.attend(audio_tokens, audio_mask, video_tokens, video_mask)
        return self.a2v_head(audio), self.v2a_head(video)

    def attend(
        self, audio_tokens: Tensor, audio_mask: Tensor, video_tokens: Tensor, video_mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Both stacks, pooled: `[B, Da]` and `[B, Dv]`. Each layer sees the other modality's unchanged tokens."""
        audio_tokens = audio_tokens * audio_mask[:, :, None]
        video_tokens = video_tokens * video_mask[:, :, None]
        audio, video = audio_tokens, video_tokens
        for layer in self.a2v:
            audio = layer(audio, video_tokens, video_mask)
        for layer in self.v2a:
            video = layer(video, audio_tokens, audio_mask)
        return masked_mean(audio, audio_mask), masked_mean(video, video_mask)

    @property
    def scale(self) -> Tensor:
        """What multiplies the cosines in `S`; at most 100."""
        return self.log_scale.exp().clamp(max=LARGEST_SCALE)


def masked_mean(tokens: Tensor, mask: Tensor) -> Tensor:
    """`[B, T, D]`, bool `[B, T]` -> `[B, D]`; zero where nothing counts."""
    return (tokens * mask[:, :, None]).sum(dim=1) / mask.sum(dim=1, keepdim=True).clamp(min=1)
