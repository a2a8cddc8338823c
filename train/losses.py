"""AVEL and MEM, the two auxiliary tasks of Foal-Net, as pure functions of tensors.

Dimensions: b rows of this process, B rows of all processes (b = B where there is one), E embedding width.
"""

from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

LARGEST_SCALE = 100.0
"""Largest similarity scale, as in CLIP (Radford et al. 2021)."""


def similarity(queries: Tensor, keys: Tensor, scale: Tensor) -> Tensor:
    """Return the scaled cosines `[b, B]` of L2-normalised embeddings `[b, E]` and `[B, E]`."""
    return scale * queries @ keys.T


def similarity_scale(log_scale: Tensor, temperature: Literal["multiplies", "divides"] = "multiplies") -> Tensor:
    """Return the factor of the cosines: exp of the learned number, at most 100; or, as published, its reciprocal."""
    return log_scale.exp().clamp(max=LARGEST_SCALE) if temperature == "multiplies" else 1 / log_scale


def avel_loss(
    to_video: Tensor,
    to_audio: Tensor,
    labels: Tensor,
    all_labels: Tensor,
    positives: Literal["mean", "sum"] = "mean",
) -> Tensor:
    """Return the loss of audio-video emotion alignment (Foal-Net), both directions averaged.

    `to_video` `[b, B]` is audio against all video, `to_audio` `[b, B]` is video against all audio, of labels int64
    `[b]` and `[B]`. Pairs of one label are positives, also across people. The log-likelihood is averaged
    over a row's positives (Khosla et al. 2020), so that a frequent label does not weigh more; published: summed.
    """
    share = (labels[:, None] == all_labels[None]).float()
    if positives == "mean":
        share = share / share.sum(dim=1, keepdim=True)
    rows = [-(share * scores.float().log_softmax(dim=1)).sum(dim=1).mean() for scores in (to_video, to_audio)]
    return (rows[0] + rows[1]) / 2


@torch.no_grad()
def hard_negatives(scores: Tensor, labels: Tensor, all_labels: Tensor, uniform: Tensor) -> Tensor:
    """Draw for each row an entry of another label by the softmax of `scores` `[b, B]`: indices int64 `[b]`.

    `uniform` float `[b]` in [0, 1) decides the draws. ValueError if the batch has a single label.
    """
    negative = labels[:, None] != all_labels[None]
    if not negative.any(dim=1).all():
        raise ValueError("hard negatives need at least two labels in a batch")
    heaped = scores.double().masked_fill(~negative, -torch.inf).softmax(dim=1).cumsum(dim=1)
    drawn = torch.searchsorted(heaped, uniform.double()[:, None] * heaped[:, -1:], right=True)[:, 0]
    # An overflow in fp16 makes scores that are no numbers; the step is left out later, if it does not fail here.
    return drawn.clamp(max=scores.shape[1] - 1)


def mem_loss(audio_match: Tensor, video_match: Tensor) -> Tensor:
    """Return the loss of cross-modal emotion label matching (Foal-Net), the two directions averaged.

    `audio_match` and `video_match` are the two heads' logits `[2 b, 2]`: of the true pairs, then of the negatives.
    """
    same = torch.arange(len(audio_match), device=audio_match.device) < len(audio_match) // 2
    return (cross_entropy(audio_match, same.long()) + cross_entropy(video_match, same.long())) / 2
