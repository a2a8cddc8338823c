"""Fusion of Foal-Net (Li et al., Interspeech 2024): cross-attention both ways, AVEL projections, MEM heads.

Dimensions: B batch, Ta/Tv audio/video tokens, Da/Dv their widths, C classes, E embedding width.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, normalize

from .attention import MultiHeadAttention

INITIAL_SCALE = 1 / 0.07
"""Similarity scale at the start of training, as in CLIP (Radford et al. 2021)."""


class Tokens(NamedTuple):
    """Batch of the fusion's inputs; a modality whose mask is all false is missing."""

    audio_tokens: Tensor
    """`[B, Ta, Da]`."""
    audio_mask: Tensor
    """bool `[B, Ta]`."""
    video_tokens: Tensor
    """`[B, Tv, Dv]`."""
    video_mask: Tensor
    """bool `[B, Tv]`."""

    def without(self, audio: Tensor, video: Tensor) -> "Tokens":
        """Return the batch with the audio or the video of some rows, bool `[B]` each, masked."""
        return self._replace(audio_mask=self.audio_mask & ~audio[:, None], video_mask=self.video_mask & ~video[:, None])


class Fused(NamedTuple):
    """Outputs of the fusion for a batch of windows."""

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
        """Map `[B, Tq, Dq]`, `[B, Tk, Dk]`, bool `[B, Tk]` to `[B, Tq, Dq]`."""
        return self.ln(self.dropout(self.attention(queries, keys, key_mask)) + queries)


class Projection(nn.Module):
    """Projection of one modality's pooled tokens to its AVEL embedding (Foal-Net)."""

    def __init__(self, width_in: int, width_out: int, dropout: float = 0.5) -> None:
        super().__init__()
        self.linear1 = nn.Linear(width_in, width_out, bias=False)
        self.linear2 = nn.Linear(width_out, width_out, bias=False)
        self.dropout = nn.Dropout(dropout)
        self.layer_norm = nn.LayerNorm(width_out)

    def forward(self, pooled: Tensor) -> Tensor:
        """Map `[B, D]` to `[B, E]`, L2-normalised."""
        first = self.linear1(pooled)
        return normalize(self.layer_norm(first + self.dropout(self.linear2(gelu(first)))), dim=1)


class Fusion(nn.Module):
    """Foal-Net without its encoders.

    A modality whose mask is all false is missing: it adds nothing to the logits.

    With `product` each modality has a classifier of its own on its pooled tokens, and their logits add up: the product
    of two opinions, which is right where they are independent given the label. What the cross-attention finds is added
    only where both modalities are there, and starts at nothing.
    """

    def __init__(
        self,
        *,
        audio_width: int,
        video_width: int,
        classes: int,
        embedding_width: int = 512,
        heads: int = 4,
        layers: int = 2,
        dropout: float = 0.1,
        product: bool = False,
    ) -> None:
        super().__init__()
        self.a2v = nn.ModuleList(CrossAttentionLayer(audio_width, video_width, heads, dropout) for _ in range(layers))
        self.v2a = nn.ModuleList(CrossAttentionLayer(video_width, audio_width, heads, dropout) for _ in range(layers))
        self.audio_project = Projection(audio_width, embedding_width)
        self.video_project = Projection(video_width, embedding_width)
        self.a2v_head = nn.Linear(audio_width, 2)
        self.v2a_head = nn.Linear(video_width, 2)
        self.dropout = nn.Dropout(dropout)
        self.cls_head = nn.Linear(audio_width + video_width, classes)
        self.log_scale = nn.Parameter(torch.tensor(math.log(INITIAL_SCALE)))
        self.single_heads = nn.ModuleList(nn.Linear(width, classes) for width in (audio_width, video_width) if product)
        if product:
            nn.init.zeros_(self.cls_head.weight)
            nn.init.zeros_(self.cls_head.bias)

    def forward(self, audio_tokens: Tensor, audio_mask: Tensor, video_tokens: Tensor, video_mask: Tensor) -> Fused:
        """Map `[B, Ta, Da]`, bool `[B, Ta]`, `[B, Tv, Dv]`, bool `[B, Tv]` to `Fused`."""
        tokens = Tokens(audio_tokens, audio_mask, video_tokens, video_mask)
        pooled = torch.cat([self.attend_audio(*tokens), self.attend_video(*tokens)], dim=1)
        logits = self.cls_head(self.dropout(pooled))
        if self.single_heads:
            hears, sees = (mask.sum(dim=1, keepdim=True).clamp(max=1) for mask in (audio_mask, video_mask))
            audio_head, video_head = self.single_heads
            heard = audio_head(self.dropout(masked_mean(audio_tokens, audio_mask)))
            seen = video_head(self.dropout(masked_mean(video_tokens, video_mask)))
            logits = logits * (hears * sees) + heard * hears + seen * sees
        return Fused(logits, *self.embed(*tokens))

    @torch.no_grad()
    def scale(self, factors: Tensor) -> None:
        """Multiply the terms of a product's logits, the audio's, the video's and the cross-attention's, by `[3]`."""
        for head, factor in zip((*self.single_heads, self.cls_head), factors, strict=True):
            head.weight.mul_(factor)
            head.bias.mul_(factor)

    def embed(
        self, audio_tokens: Tensor, audio_mask: Tensor, video_tokens: Tensor, video_mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the two AVEL embeddings, `[B, E]` each, of the tokens before the cross-attention."""
        return (
            self.audio_project(masked_mean(audio_tokens, audio_mask)),
            self.video_project(masked_mean(video_tokens, video_mask)),
        )

    def match_audio(self, *tokens: Tensor) -> Tensor:
        """Return MEM's logits `[B, 2]` from the audio stack: do both modalities show the same emotion?

        The arguments are those of `forward`.
        """
        return self.a2v_head(self.attend_audio(*tokens))

    def match_video(self, *tokens: Tensor) -> Tensor:
        """Return MEM's logits `[B, 2]` from the video stack; the arguments are those of `forward`."""
        return self.v2a_head(self.attend_video(*tokens))

    def attend_audio(
        self, audio_tokens: Tensor, audio_mask: Tensor, video_tokens: Tensor, video_mask: Tensor
    ) -> Tensor:
        """Return the pooled output of the audio stack, `[B, Da]`."""
        return cross_attend(self.a2v, audio_tokens, audio_mask, video_tokens, video_mask)

    def attend_video(
        self, audio_tokens: Tensor, audio_mask: Tensor, video_tokens: Tensor, video_mask: Tensor
    ) -> Tensor:
        """Return the pooled output of the video stack, `[B, Dv]`."""
        return cross_attend(self.v2a, video_tokens, video_mask, audio_tokens, audio_mask)


def cross_attend(layers: Iterable[nn.Module], queries: Tensor, mask: Tensor, keys: Tensor, key_mask: Tensor) -> Tensor:
    """Return queries `[B, Tq, Dq]` after a stack, pooled to `[B, Dq]`. Each layer has the same keys, `[B, Tk, Dk]`."""
    queries, keys = queries * mask[:, :, None], keys * key_mask[:, :, None]
    for layer in layers:
        queries = layer(queries, keys, key_mask)
    return masked_mean(queries, mask)


def masked_mean(tokens: Tensor, mask: Tensor) -> Tensor:
    """Return the mean of the unmasked tokens, `[B, T, D]`, bool `[B, T]` -> `[B, D]`; zero if all are masked."""
    return (tokens * mask[:, :, None]).sum(dim=1) / mask.sum(dim=1, keepdim=True).clamp(min=1)
