"""The fusion against numpy, with padding and with either modality missing."""

import copy
import math

import numpy as np
import pytest
import torch
from torch import nn

from tests.train.published_reference import Published, Window
from train.fusion import Fusion, Tokens, masked_mean

DA, DV, E, C = 16, 24, 32, 3
HEADS = 4
MASKS = {
    "whole": ([1] * 6, [1] * 5),
    "padded": ([1, 1, 1, 1, 0, 0], [1, 1, 0, 0, 0]),
    "with holes": ([0, 1, 0, 1, 1, 0], [0, 1, 0, 0, 1]),
    "of one token": ([1, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0]),
    "without sound": ([0] * 6, [1, 1, 1, 0, 0]),
    "without picture": ([1, 1, 1, 0, 0, 0], [0] * 5),
    "without either": ([0] * 6, [0] * 5),
}
DEAF, BLIND, NEITHER = (list(MASKS).index(f"without {what}") for what in ("sound", "picture", "either"))
OUTPUTS = ("logits", "audio embedding", "video embedding", "audio match", "video match", "audio stack", "video stack")


def make() -> Fusion:
    return Fusion(audio_width=DA, video_width=DV, classes=C, embedding_width=E, heads=HEADS)


@pytest.fixture(scope="module")
def fusion() -> Fusion:
    """Weights that are all drawn, so that no bias is zero and no norm is one."""
    torch.manual_seed(0)
    made = make()
    for parameter in made.parameters():
        nn.init.normal_(parameter, std=0.3)
    return made.eval()


@pytest.fixture(scope="module")
def reference(fusion: Fusion) -> Published:
    state = {name.replace(".attention.", "."): value.numpy() for name, value in fusion.state_dict().items()}
    return Published(state, HEADS)


@pytest.fixture(scope="module")
def windows() -> Tokens:
    """A window for each entry of MASKS."""
    generator = torch.Generator().manual_seed(1)
    audio_mask, video_mask = (torch.tensor(masks, dtype=torch.bool) for masks in zip(*MASKS.values(), strict=True))
    audio = torch.randn(len(MASKS), 6, DA, generator=generator)
    return Tokens(audio, audio_mask, torch.randn(len(MASKS), 5, DV, generator=generator), video_mask)


@torch.no_grad()
def outputs(fusion: Fusion, windows: Tokens) -> dict[str, torch.Tensor]:
    """All that the fusion says of windows."""
    matches = fusion.match_audio(*windows), fusion.match_video(*windows)
    stacks = fusion.attend_audio(*windows), fusion.attend_video(*windows)
    return dict(zip(OUTPUTS, (*fusion(*windows), *matches, *stacks), strict=True))


def with_garbage(windows: Tokens, value: float) -> Tokens:
    return windows._replace(
        audio_tokens=torch.where(windows.audio_mask[:, :, None], windows.audio_tokens, value),
        video_tokens=torch.where(windows.video_mask[:, :, None], windows.video_tokens, value),
    )


@pytest.mark.parametrize("name", MASKS)
def test_it_equals_numpy(fusion: Fusion, reference: Published, windows: Tokens, name: str) -> None:
    row = list(MASKS).index(name)
    window = Window(*(part[row].numpy() for part in windows))
    expected = (
        reference.logits(window),
        *reference.embeddings(window),
        reference.match_audio(window),
        reference.match_video(window),
        reference.attend_audio(window),
        reference.attend_video(window),
    )
    for (output, found), value in zip(outputs(fusion, windows).items(), expected, strict=True):
        np.testing.assert_allclose(found[row].numpy(), value, atol=1e-5, rtol=0, err_msg=output)


@torch.no_grad()
def test_its_embeddings_are_those_it_gives_on_their_own(fusion: Fusion, windows: Tokens) -> None:
    fused = fusion(*windows)
    audio, video = fusion.embed(*windows)
    assert torch.equal(fused.audio_embedding, audio)
    assert torch.equal(fused.video_embedding, video)


@pytest.mark.parametrize("garbage", [0.0, 1e4, -7.0])
def test_what_lies_under_the_mask_changes_no_output(fusion: Fusion, windows: Tokens, garbage: float) -> None:
    expected = outputs(fusion, windows)
    for name, found in outputs(fusion, with_garbage(windows, garbage)).items():
        assert torch.equal(found, expected[name]), name


def test_the_length_of_the_padding_changes_no_output(fusion: Fusion, windows: Tokens) -> None:
    longer = Tokens(
        nn.functional.pad(windows.audio_tokens, (0, 0, 0, 3)),
        nn.functional.pad(windows.audio_mask, (0, 3)),
        nn.functional.pad(windows.video_tokens, (0, 0, 0, 4)),
        nn.functional.pad(windows.video_mask, (0, 4)),
    )
    expected = outputs(fusion, windows)
    for name, found in outputs(fusion, longer).items():
        torch.testing.assert_close(found, expected[name], atol=1e-6, rtol=0, msg=name)


def test_a_missing_modality_adds_nothing_to_the_logits(fusion: Fusion, windows: Tokens) -> None:
    found = outputs(fusion, windows)
    weight, bias = fusion.cls_head.weight, fusion.cls_head.bias
    torch.testing.assert_close(found["logits"][DEAF], weight[:, DA:] @ found["video stack"][DEAF] + bias)
    torch.testing.assert_close(found["logits"][BLIND], weight[:, :DA] @ found["audio stack"][BLIND] + bias)
    torch.testing.assert_close(found["logits"][NEITHER], bias)


def test_what_is_taken_away_is_as_if_it_had_never_been(fusion: Fusion, windows: Tokens) -> None:
    everything = torch.ones_like(windows.audio_mask[:, 0])
    deaf = windows.without(audio=everything, video=~everything)
    never = windows._replace(audio_tokens=torch.zeros(len(MASKS), 6, DA), audio_mask=torch.zeros(len(MASKS), 6).bool())
    expected = outputs(fusion, never)
    for name, found in outputs(fusion, deaf).items():
        assert torch.equal(found, expected[name]), name


def test_a_modality_is_taken_from_some_rows_only(windows: Tokens) -> None:
    before = [part.clone() for part in windows]
    deaf = torch.arange(len(MASKS)) == 0
    blind = torch.arange(len(MASKS)) == 1
    left = windows.without(audio=deaf, video=blind)
    assert left.audio_mask.any(dim=1).tolist() == [False, True, True, True, False, True, False]
    assert left.video_mask.any(dim=1).tolist() == [True, False, True, True, True, False, False]
    assert torch.equal(left.audio_mask[1:], windows.audio_mask[1:])
    assert torch.equal(left.video_mask[2:], windows.video_mask[2:])
    assert left.audio_tokens is windows.audio_tokens
    assert all(torch.equal(part, was) for part, was in zip(windows, before, strict=True))


def test_embeddings_have_length_one(fusion: Fusion, windows: Tokens) -> None:
    found = outputs(fusion, windows)
    for name in ("audio embedding", "video embedding"):
        np.testing.assert_allclose(np.linalg.norm(found[name].numpy(), axis=1), 1.0, atol=1e-6)


def test_an_untrained_fusion_is_finite_where_all_is_missing_and_so_are_its_gradients() -> None:
    torch.manual_seed(0)
    fusion = make()
    nothing = torch.zeros(2, 6, DA), torch.zeros(2, 6).bool(), torch.zeros(2, 5, DV), torch.zeros(2, 5).bool()
    said = [*fusion(*nothing), fusion.match_audio(*nothing), fusion.match_video(*nothing)]
    assert all(torch.isfinite(output).all() for output in said)
    torch.stack([output.sum() for output in said]).sum().backward()
    gradients = {name: parameter.grad for name, parameter in fusion.named_parameters() if parameter.grad is not None}
    assert "audio_project.linear1.weight" in gradients
    assert all(torch.isfinite(gradient).all() for gradient in gradients.values())


@pytest.mark.parametrize("method", ["match_audio", "match_video", "attend_audio", "attend_video"])
def test_what_mem_is_made_of_derives_by_both_modalities(fusion: Fusion, windows: Tokens, method: str) -> None:
    audio, video = (part.clone().requires_grad_() for part in (windows.audio_tokens, windows.video_tokens))
    tokens = windows._replace(audio_tokens=audio, video_tokens=video)
    weights = torch.randn(64, generator=torch.Generator().manual_seed(2))
    said = getattr(fusion, method)(*tokens)
    (said * weights[: said.shape[1]]).sum().backward()
    both = windows.audio_mask.any(dim=1) & windows.video_mask.any(dim=1)
    for part, mask in ((audio, windows.audio_mask), (video, windows.video_mask)):
        assert part.grad[mask & both[:, None]].any(dim=1).all()
        assert not part.grad[~mask].any()


def test_no_input_is_changed_in_place(fusion: Fusion, windows: Tokens) -> None:
    before = [part.clone() for part in windows]
    outputs(fusion, windows)
    assert all(torch.equal(part, was) for part, was in zip(windows, before, strict=True))


def test_dropout_is_as_published() -> None:
    shares = {name: part.p for name, part in make().named_modules() if isinstance(part, nn.Dropout)}
    projections = {"audio_project.dropout", "video_project.dropout"}
    layers = {f"{stack}.{layer}.dropout" for stack in ("a2v", "v2a") for layer in (0, 1)}
    assert shares == dict.fromkeys(projections, 0.5) | dict.fromkeys(layers | {"dropout"}, 0.1)


def test_at_the_published_widths_it_has_the_published_size() -> None:
    with torch.device("meta"):
        fusion = Fusion(audio_width=1024, video_width=768, classes=4)
    parts = [fusion.a2v, fusion.v2a, fusion.a2v_head, fusion.v2a_head, fusion.cls_head]
    count = sum(parameter.numel() for part in parts for parameter in part.parameters())
    assert round(count / 1e6, 1) == 12.9


def test_similarities_start_scaled_as_in_clip() -> None:
    assert math.exp(make().log_scale.item()) == pytest.approx(1 / 0.07)


@pytest.fixture(scope="module")
def product() -> Fusion:
    torch.manual_seed(0)
    made = Fusion(audio_width=DA, video_width=DV, classes=C, embedding_width=E, heads=HEADS, product=True)
    for head in made.single_heads:
        nn.init.normal_(head.bias)
    return made.eval()


def single_logits(fusion: Fusion, windows: Tokens, row: int) -> list[np.ndarray]:
    """What the classifier of each modality says of the mean of its tokens."""
    said = []
    parts = ((windows.audio_tokens, windows.audio_mask), (windows.video_tokens, windows.video_mask))
    for head, (tokens, mask) in zip(fusion.single_heads, parts, strict=True):
        mean = tokens[row][mask[row]].mean(dim=0).numpy()
        said.append(head.weight.detach().numpy() @ mean + head.bias.detach().numpy())
    return said


@pytest.mark.parametrize("name", MASKS)
@torch.no_grad()
def test_a_product_starts_as_that_of_the_classifiers_of_what_is_there(
    product: Fusion, windows: Tokens, name: str
) -> None:
    row = list(MASKS).index(name)
    heard, seen = single_logits(product, windows, row)
    expected = {"without sound": seen, "without picture": heard, "without either": np.zeros(C)}.get(name, heard + seen)
    np.testing.assert_allclose(product(*windows).logits[row].numpy(), expected, atol=1e-5)


@torch.no_grad()
def test_the_cross_attention_adds_only_where_both_are_there(product: Fusion, windows: Tokens) -> None:
    before, taught = product(*windows).logits, copy.deepcopy(product)
    nn.init.normal_(taught.cls_head.weight)
    after = taught(*windows).logits
    added = taught.cls_head(torch.cat([taught.attend_audio(*windows), taught.attend_video(*windows)], dim=1))
    both = windows.audio_mask.any(dim=1) & windows.video_mask.any(dim=1)
    torch.testing.assert_close(after[both], (before + added)[both], atol=1e-5, rtol=0)
    assert torch.equal(after[~both], before[~both])


@torch.no_grad()
def test_each_term_of_a_product_is_scaled_by_its_factor(product: Fusion, windows: Tokens) -> None:
    taught = copy.deepcopy(product)
    nn.init.normal_(taught.cls_head.weight)
    every = torch.ones(len(windows.audio_mask), dtype=torch.bool)
    heard, seen = (taught(*windows.without(*out)).logits for out in ((~every, every), (every, ~every)))
    whole = taught(*windows).logits
    scaled = copy.deepcopy(taught)
    scaled.scale(torch.tensor([2.0, 3.0, 5.0]))
    expected = 2 * heard + 3 * seen + 5 * (whole - heard - seen)
    torch.testing.assert_close(scaled(*windows).logits, expected, atol=1e-4, rtol=1e-5)


def test_without_a_product_a_fusion_has_the_published_tensors_alone(product: Fusion) -> None:
    added = product.state_dict().keys() - make().state_dict().keys()
    heads = {f"single_heads.{part}.{name}" for part in (0, 1) for name in ("weight", "bias")}
    assert added == heads
    assert make().state_dict().keys() < product.state_dict().keys()


def test_a_product_learns_from_the_first_step_and_from_every_part(windows: Tokens) -> None:
    torch.manual_seed(0)
    fusion = Fusion(audio_width=DA, video_width=DV, classes=C, embedding_width=E, heads=HEADS, product=True)
    fusion(*windows).logits.square().sum().backward()
    for name in ("single_heads.0.weight", "single_heads.1.weight", "cls_head.weight"):
        gradient = fusion.get_parameter(name).grad
        assert gradient is not None
        assert gradient.any(), name


def test_masked_mean_counts_what_is_not_masked() -> None:
    tokens = torch.tensor([[[1.0, 2.0], [3.0, 6.0], [9.0, 9.0]], [[5.0, 5.0], [7.0, 7.0], [8.0, 8.0]]])
    mask = torch.tensor([[True, True, False], [False, False, False]])
    assert masked_mean(tokens, mask).tolist() == [[2.0, 4.0], [0.0, 0.0]]
