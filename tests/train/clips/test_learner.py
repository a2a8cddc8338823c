"""The audio encoder and an objective as one module, and what it predicts."""

import pytest
import torch

from train.clips import learner as module
from train.clips.crossval import Experiment, Run, make_learner
from train.clips.learner import ClipLearner, predict
from train.objective import MODALITIES
from train.processes import SINGLE_PROCESS
from train.variants import FOAL_NET, VARIANTS, Variant

ROWS = torch.tensor([4, 0, 17, 9, 22])
AUDIO_ONLY, VIDEO_ONLY = VARIANTS[:2]


def made(experiment: Experiment, variant: Variant = FOAL_NET) -> ClipLearner:
    return make_learner(experiment, Run(variant, "strict", 1234, "Session1")).eval()


def test_tokens_are_the_encoders_and_the_embeddings(experiment: Experiment) -> None:
    learner, batch = made(experiment), experiment.examples.batch(ROWS)
    assert learner.audio_encoder is not None
    tokens = learner.tokens(batch)
    audio_tokens, audio_mask = learner.audio_encoder(batch.waveform, batch.length)
    assert torch.equal(tokens.audio_tokens, audio_tokens)
    assert torch.equal(tokens.audio_mask, audio_mask)
    assert torch.equal(tokens.video_tokens, batch.video_tokens)
    assert torch.equal(tokens.video_mask, batch.video_mask)
    assert audio_mask.sum(dim=1).tolist() == [29] * 5


def test_without_an_audio_encoder_there_is_no_sound(experiment: Experiment) -> None:
    learner, batch = made(experiment, VIDEO_ONLY), experiment.examples.batch(ROWS)
    assert learner.audio_encoder is None
    tokens = learner.tokens(batch)
    assert not tokens.audio_mask.any()
    assert not tokens.audio_tokens.any()
    quieter = batch._replace(waveform=torch.zeros_like(batch.waveform))
    assert torch.equal(learner.logits(batch, "both"), learner.logits(quieter, "both"))
    darker = batch._replace(video_tokens=torch.zeros_like(batch.video_tokens))
    assert not torch.equal(learner.logits(batch, "both"), learner.logits(darker, "both"))


def test_audio_only_sees_nothing(experiment: Experiment) -> None:
    learner, batch = made(experiment, AUDIO_ONLY), experiment.examples.batch(ROWS)
    darker = batch._replace(video_tokens=torch.zeros_like(batch.video_tokens))
    assert torch.equal(learner.logits(batch, "both"), learner.logits(darker, "both"))


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_its_losses_are_the_objectives_and_train_what_is_to_be_trained(
    experiment: Experiment, variant: Variant
) -> None:
    learner, batch, labels = (
        made(experiment, variant),
        experiment.examples.batch(ROWS),
        experiment.examples.labels[ROWS],
    )
    losses = learner(batch, labels, torch.Generator().manual_seed(3))
    again = learner.objective(learner.tokens(batch), labels, torch.Generator().manual_seed(3))
    assert {name: value.item() for name, value in losses.items()} == {name: loss.item() for name, loss in again.items()}
    losses["loss"].backward()
    if learner.audio_encoder is not None:
        trained = {name for name, p in learner.audio_encoder.named_parameters() if p.grad is not None}
        frozen = {name for name, p in learner.audio_encoder.named_parameters() if not p.requires_grad}
        assert trained
        assert frozen
        assert not trained & frozen


@pytest.mark.parametrize("at_once", [2, 3, 32])
def test_predictions_are_the_same_however_many_are_made_at_once(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    learner = made(experiment)
    monkeypatch.setattr(module, "EVALUATED_AT_ONCE", at_once)
    found = predict(learner, experiment.examples, ROWS, MODALITIES, "fp32", SINGLE_PROCESS)
    assert list(found) == list(MODALITIES)
    for modality, logits in found.items():
        assert logits.dtype == torch.float32
        one_by_one = [learner.logits(experiment.examples.batch(row[None]), modality) for row in ROWS]
        torch.testing.assert_close(logits, torch.cat(one_by_one), atol=1e-5, rtol=1e-4)
    assert not torch.allclose(found["audio"], found["both"], atol=1e-3)
    assert not torch.allclose(found["video"], found["both"], atol=1e-3)


def test_predictions_are_made_in_the_precision_of_the_training(experiment: Experiment) -> None:
    learner = made(experiment)
    exact, rough = (
        predict(learner, experiment.examples, ROWS, ["both"], p, SINGLE_PROCESS)["both"] for p in ("fp32", "bf16")
    )
    assert rough.dtype == torch.float32
    assert torch.equal(rough, rough.bfloat16().float())
    assert not torch.equal(exact, exact.bfloat16().float())
    torch.testing.assert_close(rough, exact, atol=0.05, rtol=0.05)


def test_nothing_of_a_prediction_is_kept_for_a_backward_pass(experiment: Experiment) -> None:
    found = predict(made(experiment), experiment.examples, ROWS, ["both"], "fp32", SINGLE_PROCESS)["both"]
    assert not found.requires_grad
