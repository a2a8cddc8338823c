"""Multi-head attention, one implementation for the cross-attention of the fusion and the encoders' self-attention.

Dimensions: B batch, Tq query tokens, Tk key tokens, Dq and Dk their widths.
"""

import torch
from torch import Tensor, nn

MASKED = -1e4
"""Score of a padded key before the softmax: large, and still finite in fp16."""


class MultiHeadAttention(nn.Module):
    """Scaled dot-product attention of width Dq (Foal-Net; names as in the published checkpoint)."""

    def __init__(self, query_width: int, key_width: int, heads: int) -> None:
        super().__init__()
        if query_width % heads:
            raise ValueError(f"width {query_width} is not a multiple of {heads} heads")
        self.heads = heads
        self.w_q = nn.Linear(query_width, query_width)
        self.w_k = nn.Linear(key_width, query_width)
        self.w_v = nn.Linear(key_width, query_width)
        self.w_concat = nn.Linear(query_width, query_width)

    def forward(self, queries: Tensor, keys: Tensor, key_mask: Tensor) -> Tensor:
        """Map `[B, Tq, Dq]`, `[B, Tk, Dk]`, bool `[B, Tk]` (true for a valid key) to `[B, Tq, Dq]`."""
        q, k, v = (
            self._split(on_rows(layer, tokens))
            for layer, tokens in ((self.w_q, queries), (self.w_k, keys), (self.w_v, keys))
        )
        hidden = (~key_mask).to(q) * MASKED
        weights = torch.softmax(q @ k.transpose(2, 3) * q.shape[-1] ** -0.5 + hidden[:, None, None, :], dim=-1)
        return on_rows(self.w_concat, (weights @ v).transpose(1, 2).flatten(2))

    def _split(self, tokens: Tensor) -> Tensor:
        """Split `[B, T, D]` into `[B, heads, T, D / heads]`."""
        return tokens.unflatten(2, (self.heads, -1)).transpose(1, 2)


def on_rows(layer: nn.Module, tokens: Tensor) -> Tensor:
    """Return a layer's output for tokens `[B, T, D]` as one matrix, which is exported as one operator with its bias."""
    made: Tensor = layer(tokens.flatten(0, 1))
    return made.unflatten(0, tokens.shape[:2])
