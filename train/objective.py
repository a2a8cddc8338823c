"""Training objectives on a batch of tokens: Foal-Net's three losses, or the loss of one modality alone.

Dimensions: b rows of this process, B of all processes, C classes.
"""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from . import config
from .fusion import Fusion, Tokens, masked_mean
from .losses import avel_loss, hard_negatives, mem_loss, similarity, similarity_scale
from .processes import SINGLE_PROCESS, Processes

Modality = Literal["audio", "video", "both"]
MODALITIES: tuple[Modality, ...] = ("audio", "video", "both")


class Objective(nn.Module):
    """Foal-Net's losses: `L = CE + avel * L_avel + mem * L_mem`.

    AVEL and MEM see the batch of all processes; averaged over the processes, losses and gradients are those of one
    process with the whole batch.
    """

    modalities = MODALITIES
    """Modalities that the objective can be evaluated by."""

    def __init__(
        self, fusion: Fusion, weights: config.Objective, label_smoothing: float, processes: Processes = SINGLE_PROCESS
    ) -> None:
        super().__init__()
        self.fusion, self.weights, self.label_smoothing, self.processes = fusion, weights, label_smoothing, processes

    def forward(self, tokens: Tokens, labels: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """Return the losses by name, `loss` being their weighted sum, of tokens of b rows and labels int64 `[b]`.

        The generator must be in the same state in all processes: its draws are for the whole batch.
        """
        weights = self.weights
        part, *draws = self._uniform(labels, generator)
        logits = self.fusion(*tokens.without(part < weights.video_only, part >= 1 - weights.audio_only)).logits
        losses = {"classification": cross_entropy(logits, labels, label_smoothing=self.label_smoothing)}
        if weights.avel or weights.mem:
            losses |= self._auxiliary(tokens, labels, draws)
        share = {"classification": 1.0, "avel": weights.avel, "mem": weights.mem}
        total = torch.stack([share[name] * value for name, value in losses.items()]).sum()
        return {"loss": total, **losses}

    def _auxiliary(self, tokens: Tokens, labels: Tensor, draws: list[Tensor]) -> dict[str, Tensor]:
        """Return the losses of AVEL, and of MEM on hard negatives by AVEL's similarities."""
        weights, gradient = self.weights, self.weights.gather_gradient
        all_labels = self.processes.gather(labels)
        audio, video = self.fusion.embed(*tokens)
        # What is missing has no direction: without this its gradient would drown all others.
        audio = torch.where(tokens.audio_mask.any(dim=1, keepdim=True), audio, torch.zeros_like(audio))
        video = torch.where(tokens.video_mask.any(dim=1, keepdim=True), video, torch.zeros_like(video))
        scale = similarity_scale(self.fusion.log_scale, weights.temperature)
        to_video = similarity(audio, self.processes.gather(video, gradient), scale)
        to_audio = similarity(video, self.processes.gather(audio, gradient), scale)
        losses = {"avel": avel_loss(to_video, to_audio, labels, all_labels, weights.positives)}
        if weights.mem and (all_labels == all_labels[0]).all():
            # A batch of one class has no negatives to learn from.
            losses["mem"] = to_video.new_zeros(())
        elif weights.mem:
            everyone = Tokens(*(self.processes.gather(part, gradient and part.is_floating_point()) for part in tokens))
            videos = hard_negatives(to_video, labels, all_labels, draws[0])
            audios = hard_negatives(to_audio, labels, all_labels, draws[1])
            with_videos = Tokens(*tokens[:2], everyone.video_tokens[videos], everyone.video_mask[videos])
            with_audios = Tokens(everyone.audio_tokens[audios], everyone.audio_mask[audios], *tokens[2:])
            losses["mem"] = mem_loss(
                self.fusion.match_audio(*map(torch.cat, zip(tokens, with_videos, strict=True))),
                self.fusion.match_video(*map(torch.cat, zip(tokens, with_audios, strict=True))),
            )
        return losses

    def logits(self, tokens: Tokens, modality: Modality) -> Tensor:
        """Return logits `[b, C]` by the audio alone, the video alone, or both."""
        rows = torch.ones(len(tokens.audio_mask), dtype=torch.bool, device=tokens.audio_mask.device)
        return self.fusion(*tokens.without(rows & (modality == "video"), rows & (modality == "audio"))).logits

    def _uniform(self, labels: Tensor, generator: torch.Generator) -> list[Tensor]:
        """Draw three uniform random numbers for each row of this process."""
        whole = torch.rand((self.processes.count * len(labels), 3), generator=generator)
        return list(self.processes.share(whole).to(labels.device).unbind(dim=1))


class SingleObjective(nn.Module):
    """Objective of one modality alone: masked mean of its tokens, linear head, cross-entropy."""

    def __init__(self, modality: Literal["audio", "video"], width: int, classes: int, label_smoothing: float) -> None:
        super().__init__()
        self.modality, self.label_smoothing = modality, label_smoothing
        self.modalities: tuple[Modality, ...] = (modality,)
        self.head = nn.Sequential(nn.Dropout(0.1), nn.Linear(width, classes))

    def forward(self, tokens: Tokens, labels: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """Return the loss, with the arguments of `Objective.forward`; nothing is drawn."""
        return {"loss": cross_entropy(self.logits(tokens, "both"), labels, label_smoothing=self.label_smoothing)}

    def logits(self, tokens: Tokens, modality: Modality) -> Tensor:
        """Return logits `[b, C]` by the one modality that is trained, whatever `modality` is."""
        return self.head(masked_mean(*(tokens[:2] if self.modality == "audio" else tokens[2:])))
