"""The fusion stage: Foal-Net's losses on the frozen encoders' tokens, and its evaluation.

A pair is a voice and a face of one label, whoever they are from. Some pairs lose a modality for the classifier, so
that a live window may.
"""

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from edge.errors import UsageError

from .checkpoint import fingerprint
from .config import Config
from .encode import accuracy
from .foalnet import FoalNet
from .losses import avel_loss, hard_negatives, mem_loss, similarity
from .optimise import make_stage, optimise
from .tokens import FaceTokens, VoiceTokens

MODALITIES = ("audio", "video", "both")


class Pairs(NamedTuple):
    """A batch of the fusion's inputs."""

    audio_tokens: Tensor
    audio_mask: Tensor
    video_tokens: Tensor
    video_mask: Tensor

    def take(self, audio: Tensor, video: Tensor) -> "Pairs":
        """Pairs of other rows: those of `audio` with those of `video`, int64 `[n]` each."""
        return Pairs(self.audio_tokens[audio], self.audio_mask[audio], self.video_tokens[video], self.video_mask[video])

    def without(self, audio: Tensor, video: Tensor) -> "Pairs":
        """The same with the sound or the picture of some rows, bool `[B]` each, gone."""
        return self._replace(audio_mask=self.audio_mask & ~audio[:, None], video_mask=self.video_mask & ~video[:, None])


def fit_fusion(
    config: Config,
    model: FoalNet,
    train: tuple[VoiceTokens, FaceTokens],
    voice_weights: Tensor,
    validation: tuple[VoiceTokens, FaceTokens],
    run: Path,
) -> None:
    """Stage 3: train what of `model` is not an encoder, in place."""
    heard, seen = train
    faces_of = [torch.where(seen.labels == label)[0] for label in range(len(config.labels))]
    weights = config.fusion_weights
    fusion = torch.nn.ModuleDict({name: part for name, part in model.named_children() if "encoder" not in name})
    fusion.register_parameter("log_scale", model.log_scale)

    def loss(indices: Tensor, generator: torch.Generator) -> Tensor:
        labels = heard.labels[indices]
        chosen = [int(torch.randint(len(faces_of[label]), (), generator=generator)) for label in labels]
        faces = torch.stack([faces_of[label][k] for label, k in zip(labels, chosen, strict=True)])
        pairs = draw_views(heard, seen, indices, faces, generator)
        scores = similarity(*model.embed(*pairs), model.scale)
        video, audio = hard_negatives(scores, labels, generator)
        rows = torch.arange(len(labels))
        shown = pairs.take(torch.cat([rows, rows, audio]), torch.cat([rows, video, rows]))
        same = torch.cat([torch.ones_like(rows), torch.zeros_like(rows), torch.zeros_like(rows)])
        part = torch.rand(len(labels), generator=generator)
        deaf, blind = part < weights.video_only, part >= 1 - weights.audio_only
        logits = model.fuse(*pairs.without(deaf, blind)).logits
        return (
            cross_entropy(logits, labels, label_smoothing=config.fusion.label_smoothing)
            + weights.avel * avel_loss(scores, labels)
            + weights.mem * mem_loss(*model.match(*shown), same)
        )

    def check() -> dict[str, float]:
        return {f"{name} ua": accuracy(*predict(model, *validation, name))["ua"] for name in MODALITIES}

    encoders = fingerprint(model.audio_encoder) + fingerprint(model.image_encoder)
    optimise(make_stage(config, "fusion", run, encoders), fusion, voice_weights, loss, check)


def draw_views(
    heard: VoiceTokens, seen: FaceTokens, voices: Tensor, faces: Tensor, generator: torch.Generator
) -> Pairs:
    """One view of each voice, and each face's views less a random some, at least one staying."""
    view = torch.randint(heard.tokens.shape[1], (len(voices),), generator=generator)
    kept = torch.rand((len(faces), seen.tokens.shape[1]), generator=generator)
    video_mask = kept >= kept.amax(dim=1, keepdim=True).clamp(max=0.5)
    return Pairs(heard.tokens[voices, view].float(), heard.mask[voices, view], seen.tokens[faces].float(), video_mask)


@torch.no_grad()
def predict(model: FoalNet, heard: VoiceTokens, seen: FaceTokens, modality: str) -> tuple[Tensor, Tensor]:
    """Logits `[n, C]` and labels `[n]`: each voice once, each face once, or pairs in which each occurs."""
    voices, faces = pair(heard.labels, seen.labels)
    if modality == "audio":
        voices, faces = torch.arange(len(heard.labels)), torch.zeros(len(heard.labels), dtype=torch.int64)
    elif modality == "video":
        voices, faces = torch.zeros(len(seen.labels), dtype=torch.int64), torch.arange(len(seen.labels))
    logits = []
    for voice, face in zip(voices.split(256), faces.split(256), strict=True):
        pairs = Pairs(
            heard.tokens[voice, 0].float(),
            heard.mask[voice, 0],
            seen.tokens[face].float(),
            torch.ones((len(face), seen.tokens.shape[1]), dtype=torch.bool),
        )
        all_rows = torch.ones(len(voice), dtype=torch.bool)
        deaf, blind = all_rows & (modality == "video"), all_rows & (modality == "audio")
        logits.append(model.fuse(*pairs.without(deaf, blind)).logits)
    return torch.cat(logits), heard.labels[voices] if modality != "video" else seen.labels[faces]


def pair(voice_labels: Tensor, face_labels: Tensor) -> tuple[Tensor, Tensor]:
    """Indices of pairs of one label; within a label the shorter list is gone through again and again."""
    voices, faces = [], []
    for label in voice_labels.unique():
        of_voice, of_face = torch.where(voice_labels == label)[0], torch.where(face_labels == label)[0]
        if not len(of_face):
            raise UsageError(f"no face shows class {int(label)}, which is heard; a pair needs both")
        rows = torch.arange(max(len(of_voice), len(of_face)))
        voices.append(of_voice[rows % len(of_voice)])
        faces.append(of_face[rows % len(of_face)])
    return torch.cat(voices), torch.cat(faces)
