"""Transformer layers of the audio encoder that are trained with the fusion, as in Foal-Net the whole encoder is.

What comes before them is frozen, and so is the probability of voice, which depends on local tokens alone.
"""

import torch
from torch import Tensor, nn

from ..encoders.nano_audio import NanoAudioEncoder
from ..fusion import Tokens
from ..objective import Objective, SingleObjective
from .tokens import BATCH, FoldTokens


class MovingLearner(nn.Module):
    """Objective on local tokens, trained in place with the transformer layers of an encoder."""

    def __init__(self, objective: Objective | SingleObjective, encoder: NanoAudioEncoder) -> None:
        super().__init__()
        self.objective, self.encoder = objective, encoder.requires_grad_(False)
        for part in (encoder.layers, encoder.norm):
            part.requires_grad_(True)

    def forward(self, tokens: Tokens, labels: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """Return the objective's losses, with its arguments; the audio tokens are local ones."""
        in_context = self.encoder.in_context(tokens.audio_tokens, tokens.audio_mask)
        losses: dict[str, Tensor] = self.objective(tokens._replace(audio_tokens=in_context), labels, generator)
        return losses


@torch.no_grad()
def in_context(fold: FoldTokens, encoder: NanoAudioEncoder) -> FoldTokens:
    """Return a fold whose local tokens of voices have passed the transformer layers of an encoder."""
    _, mask, _ = fold.voices
    parts = zip(*(part.flatten(0, 1).split(BATCH) for part in fold.voices[:2]), strict=True)
    tokens = torch.cat([encoder.in_context(local.float(), valid).half() for local, valid in parts])
    return fold._replace(voices=fold.voices._replace(tokens=tokens.unflatten(0, mask.shape[:2])))
