"""Layers of the audio encoder that are trained with the fusion."""

from pathlib import Path

import numpy as np
import pytest
import torch
from msgspec.structs import replace
from torch import Tensor

from edge.errors import UsageError
from tests.train.voices_and_faces.killed_stage import check_resumed
from tests.train.voices_and_faces.test_fusion_stage import face_tokens, voice_tokens
from train import objective, sampling
from train.checkpoint import make_fusion
from train.config import Config
from train.encoders.nano_audio import NanoAudioEncoder
from train.fusion import Tokens
from train.objective import Objective, SingleObjective
from train.voices_and_faces.fusion_stage import fit_fusion, predict
from train.voices_and_faces.moving import MovingLearner, in_context
from train.voices_and_faces.tokens import FoldTokens

LABELS = torch.arange(32) % 4
MOVED = ("encoder.layers.", "encoder.norm.")


@pytest.fixture(scope="module")
def moving(tiny: Config) -> Config:
    return replace(tiny, recipe=replace(tiny.recipe, moving_layers=True))


def make_encoder(config: Config) -> NanoAudioEncoder:
    torch.manual_seed(3)
    return NanoAudioEncoder(config.audio_encoder.width, config.audio.rate_hz).eval()


def make_learner(config: Config) -> MovingLearner:
    encoder = make_encoder(config)
    torch.manual_seed(0)
    return MovingLearner(Objective(make_fusion(config), config.objective, 0.05), encoder)


def fold(seed: int) -> FoldTokens:
    return FoldTokens(voice_tokens(LABELS, seed), face_tokens(LABELS, seed + 9))


def fit(config: Config, learner: MovingLearner, run: Path) -> dict[str, Tensor]:
    fit_fusion(config, learner, fold(2), sampling.class_weights(LABELS), fold(3), run, "encoders")
    return learner.state_dict()


def batch() -> Tokens:
    """Eight windows, the first three with too little voice; past its end a window is not silent."""
    voices, faces = fold(2)
    mask = voices.mask[:8, 0].clone()
    mask[:3] = False
    return Tokens(voices.tokens[:8, 0].float(), mask, faces.tokens[:8].float(), torch.ones(8, 4, dtype=torch.bool))


def gradients(learner: MovingLearner, tokens: Tokens) -> dict[str, Tensor]:
    learner.zero_grad()
    learner(tokens, LABELS[:8], torch.Generator().manual_seed(0))["loss"].backward()
    return {
        name: parameter.grad.clone()
        for name, parameter in learner.named_parameters()
        if name.startswith(MOVED) and parameter.grad is not None
    }


@torch.no_grad()
def test_the_losses_are_those_of_the_objective_on_tokens_in_context(moving: Config) -> None:
    learner, tokens = make_learner(moving).eval(), batch()
    found = learner(tokens, LABELS[:8], torch.Generator().manual_seed(0))
    known = learner.encoder.in_context(tokens.audio_tokens, tokens.audio_mask)
    expected = learner.objective(tokens._replace(audio_tokens=known), LABELS[:8], torch.Generator().manual_seed(0))
    assert found == expected
    assert found.keys() == {"loss", "classification", "avel", "mem"}


def test_every_parameter_of_the_layers_learns(moving: Config) -> None:
    learner = make_learner(moving).eval()
    found = gradients(learner, batch())
    expected = {name for name, _ in learner.named_parameters() if name.startswith(MOVED)}
    assert found.keys() == expected
    # The keys' bias moves all scores of a query alike, which the softmax does not see.
    assert [name for name, value in found.items() if not value.any() and not name.endswith("w_k.bias")] == []


def test_nothing_is_learnt_from_what_is_masked(moving: Config) -> None:
    """Neither from a window with too little voice nor from what lies past a window's end."""
    learner, tokens = make_learner(moving).eval(), batch()
    other = torch.where(tokens.audio_mask[..., None], tokens.audio_tokens, -7.0)
    one, two = (gradients(learner, tokens._replace(audio_tokens=part)) for part in (tokens.audio_tokens, other))
    assert len(one) > 10
    for name, value in one.items():
        torch.testing.assert_close(value, two[name], atol=1e-6, rtol=1e-4)
    unheard = gradients(learner, tokens._replace(audio_mask=tokens.audio_mask & False))
    assert not any(value.any() for value in unheard.values())


def test_tokens_in_context_are_those_of_the_encoder(moving: Config) -> None:
    encoder = make_encoder(moving)
    sound = torch.from_numpy(np.random.default_rng(0).normal(0, 0.1, (70, 32_000)).astype(np.float32))
    length = torch.arange(1, 71) * 450
    sound = sound * (torch.arange(32_000) < length[:, None])
    with torch.no_grad():
        local, mask = encoder.local_tokens(sound, length)
        expected, _, _ = encoder(sound, length)
    voices, faces = fold(2)
    kept = voices._replace(tokens=local.half().unflatten(0, (35, 2)), mask=mask.unflatten(0, (35, 2)))
    found = in_context(FoldTokens(kept, faces), encoder)
    assert found.faces is faces
    assert torch.equal(found.voices.mask, kept.mask)
    # fp16 before the layers and after them
    torch.testing.assert_close(found.voices.tokens.flatten(0, 1).float(), expected, atol=1e-2, rtol=0)


def test_the_layers_are_trained_and_the_rest_of_the_encoder_is_not(moving: Config, tmp_path: Path) -> None:
    learner = make_learner(moving)
    before = {key: value.clone() for key, value in learner.state_dict().items()}
    after = fit(moving, learner, tmp_path)
    changed = {key for key, value in after.items() if not torch.equal(value, before[key])}
    assert {key for key in after if key.startswith(MOVED)} <= changed
    assert not {key for key in changed if key.startswith("encoder.") and not key.startswith(MOVED)}
    assert not learner.encoder.training


def test_what_is_judged_in_training_is_the_held_out_part_in_context(
    moving: Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    learner = make_learner(moving)
    fit(moving, learner, tmp_path)
    logits, labels = predict(learner.objective, in_context(fold(3), learner.encoder), "audio")
    recalls = [float((logits[labels == label].argmax(dim=1) == label).float().mean()) for label in range(4)]
    assert f"audio ua {sum(recalls) / 4:.4f}" in capsys.readouterr().out.splitlines()[-1]


def test_killed_it_ends_where_it_would_have_ended(moving: Config, tmp_path: Path) -> None:
    check_resumed(
        moving, "fusion_stage", objective, lambda config, run: fit(config, make_learner(config), run), tmp_path
    )


def test_a_fusion_of_frozen_encoders_is_not_gone_on_with(tiny: Config, moving: Config, tmp_path: Path) -> None:
    learner = make_learner(tiny)
    fit_fusion(tiny, learner.objective, fold(2), sampling.class_weights(LABELS), fold(3), tmp_path, "encoders")
    with pytest.raises(UsageError, match="--run"):
        fit(moving, make_learner(moving), tmp_path)


def test_one_modality_alone_moves_the_layers_too(moving: Config, tmp_path: Path) -> None:
    encoder = make_encoder(moving)
    before = {key: value.clone() for key, value in encoder.state_dict().items()}
    alone = SingleObjective("audio", moving.audio_encoder.width, 4, 0.05)
    after = fit(moving, MovingLearner(alone, encoder), tmp_path)
    changed = {key for key, value in before.items() if not torch.equal(after[f"encoder.{key}"], value)}
    assert {key.split(".")[0] for key in changed} == {"layers", "norm"}
