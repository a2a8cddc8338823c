"""Module that is trained on clips: the audio encoder and an objective."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..fusion import Tokens
from ..objective import Modality, Objective, SingleObjective
from ..optimise import PRECISIONS
from ..processes import Processes
from .examples import ClipBatch, Examples

EVALUATED_AT_ONCE = 32


class ClipLearner(nn.Module):
    """Objective on the tokens of the audio encoder; without an encoder the audio is missing."""

    def __init__(self, audio_encoder: nn.Module | None, objective: Objective | SingleObjective) -> None:
        super().__init__()
        self.audio_encoder, self.objective = audio_encoder, objective

    def forward(self, batch: ClipBatch, labels: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """Return the objective's losses on clips of labels int64 `[b]`."""
        losses: dict[str, Tensor] = self.objective(self.tokens(batch), labels, generator)
        return losses

    def logits(self, batch: ClipBatch, modality: Modality) -> Tensor:
        """Return logits `[b, C]`."""
        return self.objective.logits(self.tokens(batch), modality)

    def tokens(self, batch: ClipBatch) -> Tokens:
        """Return the tokens of clips, the inputs of the fusion."""
        if self.audio_encoder is None:
            silent = batch.video_tokens.new_zeros(len(batch.length), 1, 1)
            return Tokens(silent, silent[:, :, 0] > 0, batch.video_tokens, batch.video_mask)
        audio_tokens, audio_mask = self.audio_encoder(batch.waveform, batch.length)
        return Tokens(audio_tokens, audio_mask, batch.video_tokens, batch.video_mask)


@torch.no_grad()
def predict(
    learner: ClipLearner,
    examples: Examples,
    rows: Tensor,
    modalities: Sequence[Modality],
    precision: str,
    processes: Processes,
) -> dict[str, Tensor]:
    """Return logits float32 `[n, C]` of the clips at `rows`, int64 `[n]`, by modality; the processes share the work."""
    logits: dict[str, list[Tensor]] = {modality: [] for modality in modalities}
    at_once = EVALUATED_AT_ONCE * processes.count
    for part in rows.split(at_once):
        # All processes need equally many rows: the last part is padded with its first row.
        filled = torch.cat([part, part[:1].expand(-len(part) % processes.count)])
        batch = examples.batch(processes.share(filled)).to(processes.device)
        with torch.autocast(processes.device.type, PRECISIONS[precision], precision != "fp32"):
            tokens = learner.tokens(batch)
            for modality in modalities:
                found = learner.objective.logits(tokens, modality).float()
                logits[modality].append(processes.gather(found)[: len(part)].cpu())
    return {modality: torch.cat(parts) for modality, parts in logits.items()}
