"""Fusion stage of voices and faces: an objective on the encoders' tokens, and its evaluation.

A pair is a voice and a face of one label, mostly of different people. A training face has the label of one of its
raters, drawn anew each time: where raters disagree the fusion learns to doubt.
"""

from pathlib import Path

import torch
from torch import Tensor

from edge.errors import UsageError

from ..config import Config
from ..figures import accuracy
from ..fusion import Tokens
from ..objective import Modality, Objective, SingleObjective
from ..optimise import optimise
from .moving import MovingLearner, in_context
from .stages import make_stage
from .tokens import FaceTokens, FoldTokens, VoiceTokens

EVALUATED_AT_ONCE = 256


def fit_fusion(
    config: Config,
    learner: Objective | SingleObjective | MovingLearner,
    train: FoldTokens,
    voice_weights: Tensor,
    validation: FoldTokens,
    run: Path,
    inputs: str,
    title: str = "fusion",
) -> None:
    """Train an objective in place (stage 3), and the layers that move with it; `inputs` identifies the encoders."""
    objective = learner.objective if isinstance(learner, MovingLearner) else learner

    def loss(indices: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        labels = train.voices.labels[indices]
        faces = draw_faces(train.faces.shares, labels, generator)
        losses: dict[str, Tensor] = learner(draw_views(*train, indices, faces, generator), labels, generator)
        return losses

    def check() -> dict[str, float]:
        held_out = in_context(validation, learner.encoder) if isinstance(learner, MovingLearner) else validation
        return {f"{name} ua": accuracy(*predict(objective, held_out, name))["ua"] for name in objective.modalities}

    stage = make_stage(config, "fusion", run, inputs)._replace(name=title)
    optimise(stage, learner, voice_weights, loss, check)


def draw_faces(shares: Tensor, labels: Tensor, generator: torch.Generator) -> Tensor:
    """Draw a face for each label int64 `[n]`, in proportion to the label's share of a face's raters `[N, C]`."""
    return torch.multinomial(shares.T[labels], 1, generator=generator)[:, 0]


def draw_views(
    voice_tokens: VoiceTokens, face_tokens: FaceTokens, voices: Tensor, faces: Tensor, generator: torch.Generator
) -> Tokens:
    """Draw one view of each voice, and a random subset of at least one view of each face."""
    view = torch.randint(voice_tokens.tokens.shape[1], (len(voices),), generator=generator)
    kept = torch.rand((len(faces), face_tokens.tokens.shape[1]), generator=generator)
    video_mask = kept >= kept.amax(dim=1, keepdim=True).clamp(max=0.5)
    return Tokens(
        voice_tokens.tokens[voices, view].float(),
        voice_tokens.mask[voices, view],
        face_tokens.tokens[faces].float(),
        video_mask,
    )


def predict(objective: Objective | SingleObjective, fold: FoldTokens, modality: Modality) -> tuple[Tensor, Tensor]:
    """Return logits `[n, C]` and labels `[n]` of each audible voice, of each face, or of pairs in which each occurs."""
    voices, faces = evaluation_pairs(fold, modality)
    labels = fold.voices.labels[voices] if modality != "video" else fold.faces.labels[faces]
    return predict_pairs(objective, fold, voices, faces, modality), labels


def logit_terms(objective: Objective, fold: FoldTokens, modality: Modality) -> tuple[Tensor, Tensor]:
    """Return the terms of a product's logits, `[n, 3, C]`, and the labels `[n]` of what `predict` evaluates.

    The terms are the audio's, the video's and the cross-attention's; one that is not there is zero.
    """
    logits, labels = predict(objective, fold, modality)
    pairs = evaluation_pairs(fold, modality)
    heard, seen = (
        predict_pairs(objective, fold, *pairs, name) if modality in (name, "both") else torch.zeros_like(logits)
        for name in ("audio", "video")
    )
    return torch.stack([heard, seen, logits - heard - seen], dim=1), labels


@torch.no_grad()
def predict_pairs(
    objective: Objective | SingleObjective, fold: FoldTokens, voices: Tensor, faces: Tensor, modality: Modality
) -> Tensor:
    """Return the logits `[n, C]` of pairs, indices of voices and of faces int64 `[n]` each."""
    rows = zip(voices.split(EVALUATED_AT_ONCE), faces.split(EVALUATED_AT_ONCE), strict=True)
    return torch.cat([objective.logits(unaugmented(fold, *row), modality) for row in rows])


def unaugmented(fold: FoldTokens, voices: Tensor, faces: Tensor) -> Tokens:
    """Return the first view of each voice and all views of each face, indices int64 `[n]` each."""
    voice_tokens, face_tokens = fold
    whole = torch.ones((len(faces), face_tokens.tokens.shape[1]), dtype=torch.bool)
    return Tokens(
        voice_tokens.tokens[voices, 0].float(), voice_tokens.mask[voices, 0], face_tokens.tokens[faces].float(), whole
    )


def evaluation_pairs(fold: FoldTokens, modality: Modality) -> tuple[Tensor, Tensor]:
    """Return the voices and faces to evaluate, indices int64 `[n]` each; an unused modality has index 0 throughout.

    Alone, a voice is evaluated only where enough of it is heard: of other windows the runtime says nothing.
    """
    if modality == "audio":
        heard = torch.where(fold.voices.mask[:, 0].any(dim=1))[0]
        if not len(heard):
            raise UsageError(
                "in none of the recordings does the audio encoder hear the voice that audio_encoder.voice asks for; "
                "lower its threshold or least_s, or train the encoder longer"
            )
        return heard, torch.zeros_like(heard)
    if modality == "video":
        return torch.zeros(len(fold.faces.labels), dtype=torch.int64), torch.arange(len(fold.faces.labels))
    return pair(fold.voices.labels, fold.faces.labels)


def pair(voice_labels: Tensor, face_labels: Tensor, *, once: bool = False) -> tuple[Tensor, Tensor]:
    """Return the indices of pairs of one label, int64 `[n]` each.

    Within a label the shorter list is repeated; with `once` the longer one is cut, so that pairs share nothing.
    """
    voices, faces = [], []
    for label in voice_labels.unique():
        of_voice, of_face = torch.where(voice_labels == label)[0], torch.where(face_labels == label)[0]
        if not len(of_face):
            raise UsageError(f"no face has class {int(label)}, which voices have; a pair needs both")
        counts = len(of_voice), len(of_face)
        rows = torch.arange(min(counts) if once else max(counts))
        voices.append(of_voice[rows % len(of_voice)])
        faces.append(of_face[rows % len(of_face)])
    return torch.cat(voices), torch.cat(faces)
