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
        q, k, v = self._split(self.w_q(queries)), self._split(self.w_k(keys)), self._split(self.w_v(keys))
        scores = q @ k.transpose(2, 3) * q.shape[-1] ** -0.5
        weights = torch.softmax(scores.masked_fill(~key_mask[:, None, None, :], MASKED), dim=-1)
        return self.w_concat((weights @ v).transpose(1, 2).flatten(2))

    def _split(self, tokens: Tensor) -> Tensor:
        """Split `[B, T, D]` into `[B, heads, T, D / heads]`."""
        return tokens.unflatten(2, (self.heads, -1)).transpose(1, 2)
