"""AVEL and MEM, the two auxiliary tasks of Foal-Net, as pure functions of tensors.

Dimensions: B batch, E embedding width.
"""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy


def similarity(audio: Tensor, video: Tensor, scale: Tensor) -> Tensor:
    """`S`, `[B, B]`: scaled cosines of L2-normalised embeddings `[B, E]`, row = sound, column = picture."""
    return scale * audio @ video.T


def avel_loss(scores: Tensor, labels: Tensor) -> Tensor:
    """Audio-video emotion alignment (Foal-Net), both directions averaged.

    `scores` is `similarity(...)` `[B, B]`, `labels` int64 `[B]`. Pairs of one label are positives, whoever they
    are from. The log-likelihood is averaged over a row's positives (Khosla et al. 2020), so that a frequent label
    does not weigh more.
    """
    positive = labels[:, None] == labels[None]
    share = positive / positive.sum(dim=1, keepdim=True)
    to_video = -(share * scores.log_softmax(dim=1)).sum(dim=1).mean()
    to_audio = -(share * scores.T.log_softmax(dim=1)).sum(dim=1).mean()
    return (to_video + to_audio) / 2


@torch.no_grad()
def hard_negatives(scores: Tensor, labels: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
    """One picture of another label for each sound, and one sound for each picture: indices int64 `[B]`, `[B]`.

    Drawn with the softmax of `scores` `[B, B]` over the entries of another label. ValueError where a label has no
    other in the batch.
    """
    negative = labels[:, None] != labels[None]
    if not negative.any(dim=1).all():
        raise ValueError("hard negatives need at least two labels in a batch")
    video = scores.float().masked_fill(~negative, -torch.inf).softmax(dim=1)
    audio = scores.T.float().masked_fill(~negative, -torch.inf).softmax(dim=1)
    return (
        torch.multinomial(video, 1, generator=generator)[:, 0],
        torch.multinomial(audio, 1, generator=generator)[:, 0],
    )


def mem_loss(audio_match: Tensor, video_match: Tensor, same: Tensor) -> Tensor:
    """Cross-modal emotion label matching (Foal-Net), the two directions averaged.

    `audio_match` and `video_match` are the two heads' logits `[N, 2]`; `same` int64 `[N]` is 1 for a true pair.
    """
    return (cross_entropy(audio_match, same) + cross_entropy(video_match, same)) / 2
