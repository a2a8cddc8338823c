"""Multi-head attention against numpy."""

import numpy as np
import pytest
import torch

from train.attention import MASKED, MultiHeadAttention


def reference(layer: MultiHeadAttention, queries: np.ndarray, keys: np.ndarray, key_mask: np.ndarray) -> np.ndarray:
    """Head by head and row by row, padded keys left out before the softmax."""
    weights = {name: value.numpy().astype(np.float64) for name, value in layer.state_dict().items()}

    def linear(name: str, x: np.ndarray) -> np.ndarray:
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    out = np.zeros(queries.shape)
    width = queries.shape[2] // layer.heads
    for row, keep in enumerate(key_mask):
        q, k, v = linear("w_q", queries[row]), linear("w_k", keys[row][keep]), linear("w_v", keys[row][keep])
        for head in range(layer.heads):
            part = slice(head * width, (head + 1) * width)
            scores = q[:, part] @ k[:, part].T / np.sqrt(width)
            chances = np.exp(scores - scores.max(axis=1, keepdims=True))
            out[row][:, part] = chances / chances.sum(axis=1, keepdims=True) @ v[:, part]
    return linear("w_concat", out)


def example(query_width: int, key_width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    queries = generator.normal(size=(3, 5, query_width)).astype(np.float32)
    keys = generator.normal(size=(3, 7, key_width)).astype(np.float32)
    mask = np.array([[1] * 7, [1] * 4 + [0] * 3, [0, 1, 0, 0, 1, 0, 1]], dtype=bool)
    return queries, keys, mask


@pytest.mark.parametrize(("query_width", "key_width", "heads"), [(16, 16, 1), (16, 24, 4), (24, 16, 2)])
@torch.no_grad()
def test_it_equals_numpy(query_width: int, key_width: int, heads: int) -> None:
    torch.manual_seed(0)
    layer = MultiHeadAttention(query_width, key_width, heads)
    queries, keys, mask = example(query_width, key_width)
    found = layer(torch.from_numpy(queries), torch.from_numpy(keys), torch.from_numpy(mask)).numpy()
    np.testing.assert_allclose(found, reference(layer, queries, keys, mask), atol=1e-5)


@torch.no_grad()
def test_padded_keys_change_nothing() -> None:
    torch.manual_seed(0)
    layer = MultiHeadAttention(16, 24, 4)
    queries, keys, mask = map(torch.from_numpy, example(16, 24))
    garbage = torch.where(mask[:, :, None], keys, 100.0)
    assert torch.equal(layer(queries, keys, mask), layer(queries, garbage, mask))


def test_the_score_of_a_padded_key_is_finite_in_half_precision_and_weighs_nothing() -> None:
    scores = torch.tensor([0.0, MASKED], dtype=torch.float16)
    assert torch.isfinite(scores).all()
    assert scores.softmax(dim=0).tolist() == [1.0, 0.0]


def test_a_width_that_the_heads_do_not_divide_is_refused() -> None:
    with pytest.raises(ValueError, match="width 18 is not a multiple of 4 heads"):
        MultiHeadAttention(18, 16, 4)
