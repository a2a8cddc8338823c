"""The objective on batches small enough to do by hand: what is summed, what is dropped, what is drawn."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from msgspec.structs import replace
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from train import config, objective
from train.fusion import Fusion, Tokens
from train.losses import mem_loss
from train.objective import Modality, Objective, SingleObjective

DA, DV, C = 16, 24, 3
LABELS = torch.tensor([0, 1, 1, 2, 0, 1, 2, 0])
COUNT = len(LABELS)
WHOLE = config.Objective(avel=0.7, mem=0.3, audio_only=0.0, video_only=0.0)
SMOOTHING = 0.1


def make(weights: config.Objective = WHOLE, processes: Any = objective.SINGLE_PROCESS, seed: int = 0) -> Objective:
    """Without dropout."""
    torch.manual_seed(seed)
    fusion = Fusion(audio_width=DA, video_width=DV, classes=C, embedding_width=32)
    for parameter in fusion.parameters():
        nn.init.normal_(parameter, std=0.3)
    nn.init.constant_(fusion.log_scale, 1.0)
    return Objective(fusion, weights, SMOOTHING, processes).eval()


def make_tokens(count: int = COUNT) -> Tokens:
    """Padded, none missing."""
    generator = torch.Generator().manual_seed(1)
    lengths = torch.randint(1, 6, (2, count, 1), generator=generator)
    return Tokens(
        torch.randn(count, 5, DA, generator=generator),
        torch.arange(5) < lengths[0],
        torch.randn(count, 4, DV, generator=generator),
        torch.arange(4) < lengths[1],
    )


def seeded(seed: int = 3) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def gradients(losses: dict[str, Tensor], module: nn.Module) -> dict[str, Tensor]:
    """Of the sum, by each parameter; those it does not depend on are left out."""
    module.zero_grad()
    losses["loss"].backward()
    return {name: part.grad.clone() for name, part in module.named_parameters() if part.grad is not None}


def leaves(tokens: Tokens) -> Tokens:
    """The same, so that a gradient comes back to them."""
    tokens.audio_tokens.requires_grad_()
    tokens.video_tokens.requires_grad_()
    return tokens


def given_back(tokens: Tokens) -> list[Tensor]:
    """The gradients that have come since this was last asked."""
    found = []
    for part in (tokens.audio_tokens, tokens.video_tokens):
        assert part.grad is not None
        found.append(part.grad)
        part.grad = None
    return found


def record(monkeypatch: pytest.MonkeyPatch, fusion: Fusion, method: str) -> list[Tokens]:
    """What a method of the fusion is given from now on."""
    given: list[Tokens] = []
    called = getattr(fusion, method)
    monkeypatch.setattr(fusion, method, lambda *tokens: (given.append(Tokens(*tokens)), called(*tokens))[1])
    return given


def test_the_loss_is_the_weighted_sum() -> None:
    chosen = make()
    found = chosen(make_tokens(), LABELS, seeded())
    assert list(found) == ["loss", "classification", "avel", "mem"]
    expected = cross_entropy(chosen.fusion(*make_tokens()).logits, LABELS, label_smoothing=SMOOTHING)
    torch.testing.assert_close(found["classification"], expected)
    torch.testing.assert_close(found["loss"], expected + 0.7 * found["avel"] + 0.3 * found["mem"])
    assert found["avel"] > 0
    assert found["mem"] > 0


def test_without_weights_neither_avel_nor_mem_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = make(replace(WHOLE, avel=0.0, mem=0.0))
    for name in ("similarity", "avel_loss", "hard_negatives", "mem_loss"):
        monkeypatch.delattr(objective, name)
    found = chosen(make_tokens(), LABELS, seeded())
    assert list(found) == ["loss", "classification"]
    assert torch.equal(found["loss"], found["classification"])


def test_without_its_weight_mem_is_not_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = make(replace(WHOLE, mem=0.0))
    monkeypatch.delattr(objective, "hard_negatives")
    found = chosen(make_tokens(), LABELS, seeded())
    assert list(found) == ["loss", "classification", "avel"]
    torch.testing.assert_close(found["loss"], found["classification"] + 0.7 * found["avel"])


def test_mem_alone_draws_by_similarities_that_nothing_else_is_made_of() -> None:
    chosen = make(replace(WHOLE, avel=0.0))
    found = chosen(make_tokens(), LABELS, seeded())
    torch.testing.assert_close(found["loss"], found["classification"] + 0.3 * found["mem"])


@pytest.mark.parametrize(("audio_only", "video_only"), [(0.3, 0.2), (0.0, 0.5), (1.0, 0.0), (0.4, 0.6)])
def test_shares_of_the_examples_lose_a_modality(
    audio_only: float, video_only: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 4000
    chosen = make(config.Objective(avel=0.0, mem=0.0, audio_only=audio_only, video_only=video_only))
    seen = record(monkeypatch, chosen.fusion, "forward")
    tokens = make_tokens(count)
    chosen(tokens, torch.arange(count) % C, seeded())
    deaf, blind = ~seen[0].audio_mask.any(dim=1), ~seen[0].video_mask.any(dim=1)
    assert deaf.float().mean().item() == pytest.approx(video_only, abs=0.03)
    assert blind.float().mean().item() == pytest.approx(audio_only, abs=0.03)
    assert not (deaf & blind).any()
    assert torch.equal(seen[0].audio_mask[~deaf], tokens.audio_mask[~deaf])
    assert torch.equal(seen[0].video_mask[~blind], tokens.video_mask[~blind])
    assert torch.equal(seen[0].audio_tokens, tokens.audio_tokens)


def test_avel_and_mem_see_what_the_classifier_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    deaf = make(replace(WHOLE, video_only=1.0))
    classified, embedded = (record(monkeypatch, deaf.fusion, name) for name in ("forward", "attend_audio"))
    found = deaf(make_tokens(), LABELS, seeded())
    whole = make()(make_tokens(), LABELS, seeded())
    assert not classified[0].audio_mask.any()
    assert embedded[-1].audio_mask[:COUNT].equal(make_tokens().audio_mask)
    assert torch.equal(found["avel"], whole["avel"])
    assert torch.equal(found["mem"], whole["mem"])
    assert not torch.equal(found["classification"], whole["classification"])


def test_negatives_have_another_label_and_stand_after_the_true_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen, tokens = make(), make_tokens()
    judged = {name: record(monkeypatch, chosen.fusion, name) for name in ("match_audio", "match_video")}
    chosen(tokens, LABELS, seeded())
    for (given,) in judged.values():
        assert all(torch.equal(part[:COUNT], whole) for part, whole in zip(given, tokens, strict=True))
    by_sound, by_picture = judged["match_audio"][0], judged["match_video"][0]
    assert all(torch.equal(part[COUNT:], whole) for part, whole in zip(by_sound[:2], tokens[:2], strict=True))
    assert all(torch.equal(part[COUNT:], whole) for part, whole in zip(by_picture[2:], tokens[2:], strict=True))
    for found, known, masks, whole in (
        (by_sound.video_tokens, tokens.video_tokens, by_sound.video_mask, tokens.video_mask),
        (by_picture.audio_tokens, tokens.audio_tokens, by_picture.audio_mask, tokens.audio_mask),
    ):
        origin = [next(j for j in range(COUNT) if torch.equal(row, known[j])) for row in found[COUNT:]]
        assert (LABELS[origin] != LABELS).all()
        assert torch.equal(masks[COUNT:], whole[origin])


def negatives(monkeypatch: pytest.MonkeyPatch) -> list[Tensor]:
    """The indices that are drawn from now on."""
    drawn: list[Tensor] = []
    draw = objective.hard_negatives
    monkeypatch.setattr(objective, "hard_negatives", lambda *given: (drawn.append(draw(*given)), drawn[-1])[1])
    return drawn


def test_no_gradient_passes_through_the_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = make(replace(WHOLE, avel=0.0, mem=1.0))
    drawn = negatives(monkeypatch)
    found = gradients(chosen(make_tokens(), LABELS, seeded()), chosen)
    fusion, tokens = chosen.fusion, make_tokens()
    with_videos = Tokens(*tokens[:2], *(part[drawn[0]] for part in tokens[2:]))
    with_audios = Tokens(*(part[drawn[1]] for part in tokens[:2]), *tokens[2:])
    loss = cross_entropy(fusion(*tokens).logits, LABELS, label_smoothing=SMOOTHING) + mem_loss(
        torch.cat([fusion.match_audio(*tokens), fusion.match_audio(*with_videos)]),
        torch.cat([fusion.match_video(*tokens), fusion.match_video(*with_audios)]),
    )
    expected = gradients({"loss": loss}, chosen)
    assert all(not found.pop(name).any() for name in list(found) if "project" in name or "scale" in name)
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, atol=1e-6, rtol=1e-4)


def test_tokens_and_every_parameter_get_a_gradient() -> None:
    chosen, tokens = make(), leaves(make_tokens())
    found = gradients(chosen(tokens, LABELS, seeded()), chosen)
    assert found.keys() == dict(chosen.named_parameters()).keys()
    assert all(torch.isfinite(gradient).all() and gradient.any() for gradient in found.values())
    for gradient, mask in zip(given_back(tokens), (tokens.audio_mask, tokens.video_mask), strict=True):
        assert gradient[mask].any(dim=1).all()
        assert not gradient[~mask].any()


def test_the_same_draws_make_the_same_losses() -> None:
    weights = replace(WHOLE, audio_only=0.3, video_only=0.3)
    first, second = (make(weights)(make_tokens(), LABELS, seeded()) for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    others = [make(weights)(make_tokens(), LABELS, seeded(seed)) for seed in range(4, 8)]
    assert len({other["mem"].item() for other in others}) > 1
    assert len({other["classification"].item() for other in others}) > 1
    assert len({other["avel"].item() for other in others}) == 1


def test_as_much_is_drawn_whatever_is_computed() -> None:
    states = []
    for weights in (WHOLE, replace(WHOLE, mem=0.0), replace(WHOLE, avel=0.0, mem=0.0)):
        generator = seeded()
        make(weights)(make_tokens(), LABELS, generator)
        states.append(generator.get_state())
    assert all(torch.equal(state, states[0]) for state in states)


def test_alone_it_does_not_matter_whether_what_is_gathered_carries_a_gradient() -> None:
    found = []
    for carried in (True, False):
        chosen = make(replace(WHOLE, gather_gradient=carried))
        found.append(gradients(chosen(make_tokens(), LABELS, seeded()), chosen))
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[0])


@dataclass
class Half:
    """A process that is one of two threads: what is gathered is simply concatenated."""

    index: int
    rows: list[Tensor]
    """What each is gathering."""
    barrier: threading.Barrier
    count = 2

    def share(self, rows: Tensor) -> Tensor:
        return rows.chunk(2)[self.index]

    def gather(self, rows: Tensor, gradient: bool = False) -> Tensor:
        self.rows[self.index] = rows if gradient else rows.detach()
        self.barrier.wait(60)
        whole = torch.cat(self.rows)
        self.barrier.wait(60)
        return whole


def in_two_processes(chosen: Objective, tokens: Tokens, labels: Tensor) -> dict[str, Tensor]:
    """The losses of each half of a batch, averaged."""
    rows, barrier = [labels, labels], threading.Barrier(2)

    def half(index: int) -> dict[str, Tensor]:
        process = Half(index, rows, barrier)
        part = Objective(chosen.fusion, chosen.weights, SMOOTHING, process).eval()
        return part(Tokens(*map(process.share, tokens)), process.share(labels), seeded())

    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(half, range(2))
    return {name: (first[name] + second[name]) / 2 for name in first}


@pytest.mark.parametrize("positives", ["mean", "sum"])
def test_two_processes_lower_what_one_with_the_whole_batch_does(positives: str) -> None:
    chosen = make(replace(WHOLE, audio_only=0.3, video_only=0.3, positives=positives))
    tokens, labels = leaves(make_tokens()), LABELS
    alone = chosen(tokens, labels, seeded())
    expected = gradients(alone, chosen), given_back(tokens)
    together = in_two_processes(chosen, tokens, labels)
    torch.testing.assert_close(together, alone)
    torch.testing.assert_close((gradients(together, chosen), given_back(tokens)), expected, atol=1e-6, rtol=1e-4)


def test_where_others_are_constants_losses_are_the_same_and_gradients_are_not() -> None:
    chosen = make(replace(WHOLE, gather_gradient=False))
    alone, together = chosen(make_tokens(), LABELS, seeded()), in_two_processes(chosen, make_tokens(), LABELS)
    torch.testing.assert_close(together, alone)
    name = "fusion.audio_project.linear1.weight"
    found, expected = (gradients(losses, chosen)[name] for losses in (together, alone))
    assert (found - expected).abs().max() > 0.1 * expected.abs().max()


def test_a_batch_of_one_label_has_nothing_to_match() -> None:
    ones = torch.ones_like(LABELS)
    losses = make()(make_tokens(), ones, seeded())
    assert losses["mem"] == 0
    assert torch.equal(losses["loss"], make(replace(WHOLE, mem=0.0))(make_tokens(), ones, seeded())["loss"])


def test_missing_modalities_leave_losses_and_gradients_finite() -> None:
    tokens = make_tokens().without(audio=torch.arange(COUNT) < 3, video=torch.arange(COUNT) > 4)
    chosen = make()
    losses = chosen(tokens, LABELS, seeded())
    assert all(torch.isfinite(loss) for loss in losses.values())
    assert all(torch.isfinite(gradient).all() for gradient in gradients(losses, chosen).values())


def test_mixed_precision_says_nearly_the_same() -> None:
    expected = make()(make_tokens(), LABELS, seeded())
    with torch.autocast("cpu", torch.bfloat16):
        found = make()(make_tokens(), LABELS, seeded())
    assert found["loss"].dtype == torch.float32
    for name in ("classification", "avel"):
        torch.testing.assert_close(found[name].float(), expected[name], atol=0.05, rtol=0.05)


@pytest.mark.parametrize("modality", ["audio", "video", "both"])
@torch.no_grad()
def test_its_logits_are_by_what_is_asked_for(modality: Modality) -> None:
    chosen, tokens = make(), make_tokens()
    nothing = torch.zeros_like(LABELS, dtype=torch.bool)
    seen = tokens.without(nothing | (modality == "video"), nothing | (modality == "audio"))
    found = chosen.logits(tokens, modality)
    assert torch.equal(found, chosen.fusion(*seen).logits)
    for other, part in (("audio", "video_tokens"), ("video", "audio_tokens")):
        changed = chosen.logits(tokens._replace(**{part: -getattr(tokens, part)}), modality)
        assert torch.equal(changed, found) == (modality == other)
    assert chosen.modalities == ("audio", "video", "both")


@pytest.fixture(params=["audio", "video"])
def single(request: pytest.FixtureRequest) -> SingleObjective:
    torch.manual_seed(0)
    return SingleObjective(request.param, {"audio": DA, "video": DV}[request.param], C, SMOOTHING).eval()


def part_of(tokens: Tokens, modality: str) -> tuple[Tensor, Tensor]:
    return tokens[:2] if modality == "audio" else tokens[2:]


@torch.no_grad()
def test_one_modality_is_a_masked_mean_and_a_linear_head(single: SingleObjective) -> None:
    tokens, mask = part_of(make_tokens(), single.modality)
    weight, bias = (part.double().numpy() for part in single.state_dict().values())
    means = [row[keep].double().numpy().mean(axis=0) for row, keep in zip(tokens, mask, strict=True)]
    expected = np.stack(means) @ weight.T + bias
    for modality in ("audio", "video", "both"):
        np.testing.assert_allclose(single.logits(make_tokens(), modality).numpy(), expected, atol=1e-5)
    assert single.modalities == (single.modality,)


def test_one_modality_lowers_the_cross_entropy_and_draws_nothing(single: SingleObjective) -> None:
    generator = seeded()
    found = single(make_tokens(), LABELS, generator)
    logits = single.logits(make_tokens(), "both")
    torch.testing.assert_close(found["loss"], cross_entropy(logits, LABELS, label_smoothing=SMOOTHING))
    assert list(found) == ["loss"]
    assert torch.equal(generator.get_state(), seeded().get_state())


def test_one_modality_ignores_the_other(single: SingleObjective) -> None:
    expected = single(make_tokens(), LABELS, seeded())["loss"]
    other = {"audio": "video", "video": "audio"}[single.modality]
    tokens = make_tokens()._asdict()
    tokens[f"{other}_tokens"].fill_(torch.nan)
    tokens[f"{other}_mask"].logical_not_()
    assert torch.equal(single(Tokens(**tokens), LABELS, seeded())["loss"], expected)


def test_dropout_is_before_the_one_head(single: SingleObjective) -> None:
    torch.manual_seed(1)
    found = torch.stack([single.train().logits(make_tokens(), "both") for _ in range(400)])
    assert found.std(dim=0).min() > 0
    torch.testing.assert_close(found.mean(dim=0), single.eval().logits(make_tokens(), "both"), atol=0.05, rtol=0)


def test_an_example_without_a_modality_does_not_drown_the_others() -> None:
    chosen = make()
    whole, lacking = make_tokens(), make_tokens()
    lacking = lacking.without(audio=torch.zeros(COUNT).bool(), video=torch.arange(COUNT) == 0)
    sizes = []
    for tokens in (whole, lacking):
        found = gradients(chosen(tokens, LABELS, seeded()), chosen)
        sizes.append(torch.stack([part.norm() for part in found.values()]).norm().item())
    assert sizes[1] < 3 * sizes[0]
