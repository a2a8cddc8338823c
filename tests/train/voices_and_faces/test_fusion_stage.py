"""The fusion stage: pairs of one label, views, modalities, and that it learns."""

from pathlib import Path

import msgspec
import pytest
import torch
from torch import Tensor, nn

from edge.errors import UsageError
from edge.evaluation.metrics import evaluate
from train import sampling
from train.checkpoint import make_fusion
from train.config import Config
from train.objective import MODALITIES, Objective
from train.voices_and_faces.fusion_stage import draw_faces, draw_views, fit_fusion, pair, predict
from train.voices_and_faces.tokens import FaceTokens, FoldTokens, VoiceTokens

DA, DV, VIEWS, TOKENS = 16, 24, 4, 6


def voice_tokens(labels: Tensor, seed: int = 0) -> VoiceTokens:
    """Noise around a direction of each label; tokens past a length are garbage."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(len(labels), VIEWS, TOKENS, DA, generator=generator) / 2
    tokens = noise + 4 * nn.functional.one_hot(labels, DA)[:, None, None]
    mask = torch.arange(TOKENS) < torch.randint(1, TOKENS + 1, (len(labels), VIEWS, 1), generator=generator)
    return VoiceTokens(torch.where(mask[..., None], tokens, 99.0).half(), mask, labels)


def face_tokens(labels: Tensor, seed: int = 1) -> FaceTokens:
    noise = torch.randn(len(labels), VIEWS, DV, generator=torch.Generator().manual_seed(seed)) / 2
    return FaceTokens(
        (noise + 4 * nn.functional.one_hot(labels, DV)[:, None]).half(), nn.functional.one_hot(labels, 4).float()
    )


@pytest.fixture(scope="module")
def heard() -> VoiceTokens:
    return voice_tokens(torch.arange(20) % 4)


@pytest.fixture(scope="module")
def seen() -> FaceTokens:
    return face_tokens(torch.arange(14) % 4)


@pytest.fixture(scope="module")
def model(tiny: Config) -> Objective:
    torch.manual_seed(0)
    return Objective(make_fusion(tiny), tiny.objective, 0.0).eval()


def test_pairs_share_a_label_and_each_recording_occurs() -> None:
    voices, faces = torch.tensor([0, 0, 0, 1, 2]), torch.tensor([2, 1, 1, 0, 1, 2])
    left, right = pair(voices, faces)
    assert torch.equal(voices[left], faces[right])
    assert set(left.tolist()) == set(range(5))
    assert set(right.tolist()) == set(range(6))
    assert len(left) == 3 + 3 + 2


def test_views_are_of_the_chosen_recordings(heard: VoiceTokens, seen: FaceTokens, generator: torch.Generator) -> None:
    rows, faces = torch.tensor([3, 3, 7, 0]), torch.tensor([2, 5, 2, 9])
    pairs = draw_views(heard, seen, rows, faces, generator)
    assert torch.equal(pairs.video_tokens, seen.tokens[faces].float())
    for row, tokens, mask in zip(rows, pairs.audio_tokens, pairs.audio_mask, strict=True):
        views = [torch.equal(view.float(), tokens) for view in heard.tokens[row]]
        assert sum(views) == 1
        assert torch.equal(heard.mask[row, views.index(True)], mask)


def test_a_face_is_drawn_for_a_label_as_often_as_its_raters_chose_it(generator: torch.Generator) -> None:
    shares = torch.tensor([[0.9, 0.1], [0.3, 0.3], [0.0, 0.6]])
    labels = torch.arange(2).repeat_interleave(6000)
    drawn = draw_faces(shares, labels, generator)
    assert shares[drawn, labels].min() > 0
    for label, expected in enumerate(([0.75, 0.25, 0.0], [0.1, 0.3, 0.6])):
        found = torch.bincount(drawn[labels == label], minlength=3) / 6000
        # four standard deviations of a share of 6,000 draws
        torch.testing.assert_close(found, torch.tensor(expected), atol=0.026, rtol=0)


def test_a_face_keeps_at_least_one_view_and_loses_some(heard: VoiceTokens, generator: torch.Generator) -> None:
    seen = face_tokens(torch.zeros(1, dtype=torch.int64))
    none = torch.zeros(4000, dtype=torch.int64)
    kept = draw_views(heard, seen, none, none, generator).video_mask.sum(dim=1)
    assert kept.min() == 1
    shares = torch.bincount(kept, minlength=VIEWS + 1) / 4000
    # each of 4 views stays with chance 1/2; where all would go, one stays
    torch.testing.assert_close(shares, torch.tensor([0, 5, 6, 4, 1]) / 16, atol=0.03, rtol=0)


def test_pairs_that_share_nothing_use_each_recording_once() -> None:
    voices, faces = torch.tensor([0, 0, 0, 1, 2]), torch.tensor([2, 1, 1, 0, 1, 2])
    left, right = pair(voices, faces, once=True)
    assert torch.equal(voices[left], faces[right])
    assert len(set(left.tolist())) == len(set(right.tolist())) == len(left) == 1 + 1 + 1


def test_a_voice_of_which_too_little_is_heard_is_not_evaluated_alone(
    model: Objective, heard: VoiceTokens, seen: FaceTokens
) -> None:
    mask = heard.mask.clone()
    mask[[2, 5], 0] = False
    fold = FoldTokens(heard._replace(mask=mask), seen)
    kept = [row for row in range(len(heard.labels)) if row not in (2, 5)]
    logits, labels = predict(model, fold, "audio")
    whole, _ = predict(model, FoldTokens(heard, seen), "audio")
    assert labels.tolist() == heard.labels[kept].tolist()
    # batched products may differ in their last bits with the place of a row
    torch.testing.assert_close(logits, whole[kept])
    assert len(predict(model, fold, "both")[1]) == len(predict(model, FoldTokens(heard, seen), "both")[1])
    with pytest.raises(UsageError, match=r"in none of the recordings .* lower its threshold"):
        predict(model, FoldTokens(heard._replace(mask=mask & False), seen), "audio")


@pytest.mark.parametrize("modality", ["audio", "video"])
def test_one_modality_is_judged_each_recording_once_and_alone(
    model: Objective, heard: VoiceTokens, seen: FaceTokens, modality: str
) -> None:
    logits, labels = predict(model, FoldTokens(heard, seen), modality)
    other_heard = heard._replace(tokens=-heard.tokens) if modality == "video" else heard
    other_seen = seen._replace(tokens=-seen.tokens) if modality == "audio" else seen
    assert torch.equal(labels, {"audio": heard, "video": seen}[modality].labels)
    assert torch.equal(predict(model, FoldTokens(other_heard, other_seen), modality)[0], logits)


@torch.no_grad()
def test_both_are_judged_in_pairs_of_their_first_view(model: Objective, heard: VoiceTokens, seen: FaceTokens) -> None:
    logits, labels = predict(model, FoldTokens(heard, seen), "both")
    voices, faces = pair(heard.labels, seen.labels)
    assert torch.equal(labels, heard.labels[voices])
    for row, (voice, face) in enumerate(zip(voices, faces, strict=True)):
        mask = heard.mask[voice, :1]
        every = torch.ones(1, VIEWS, dtype=torch.bool)
        alone = model.fusion(heard.tokens[voice, :1].float(), mask, seen.tokens[face][None].float(), every).logits
        torch.testing.assert_close(logits[row], alone[0], atol=1e-5, rtol=0)


def test_more_than_one_batch_is_judged_in_order(model: Objective, seen: FaceTokens) -> None:
    many = voice_tokens(torch.arange(300) % 4)
    logits, _ = predict(model, FoldTokens(many, seen), "audio")
    tail = VoiceTokens(many.tokens[250:], many.mask[250:], many.labels[250:])
    torch.testing.assert_close(logits[250:], predict(model, FoldTokens(tail, seen), "audio")[0], atol=1e-5, rtol=0)


def test_the_fusion_learns(tiny: Config, tmp_path: Path) -> None:
    replace = msgspec.structs.replace
    schedule = replace(tiny.recipe.fusion_stage, epochs=16, draws=640, batch=32, learning_rate=3e-3)
    config = replace(tiny, recipe=replace(tiny.recipe, fusion_stage=schedule))
    torch.manual_seed(0)
    model = Objective(make_fusion(config), config.objective, 0.05)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    labels = torch.arange(64) % 4
    train, held_out = (FoldTokens(voice_tokens(labels, seed), face_tokens(labels, seed + 9)) for seed in (2, 3))
    fit_fusion(config, model, train, sampling.class_weights(labels), held_out, tmp_path, "encoders")
    for modality in MODALITIES:
        logits, truth = predict(model, held_out, modality)
        assert evaluate(logits.softmax(dim=1).numpy(), truth.numpy()).ua > 0.9, modality
    assert [key for key, value in model.state_dict().items() if torch.equal(value, before[key])] == []
    heard, seen = held_out
    every = torch.ones(seen.tokens.shape[:2], dtype=torch.bool)
    with torch.no_grad():
        audio, video = model.fusion.embed(heard.tokens[:, 0].float(), heard.mask[:, 0], seen.tokens.float(), every)
    cosines, agree = audio @ video.T, labels[:, None] == labels[None]
    assert cosines[agree].mean() > cosines[~agree].mean() + 0.5
