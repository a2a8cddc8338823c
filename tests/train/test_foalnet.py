"""Foal-Net's fusion against numpy, with padding and with either modality missing."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from train.encoders.nano_audio import NanoAudioEncoder
from train.encoders.nano_image import NanoImageEncoder
from train.foalnet import INITIAL_SCALE, FoalNet, masked_mean

DA, DV, E, C = 16, 24, 32, 3
HEADS = 4
MASKS = {
    "whole": ([1] * 6, [1] * 5),
    "padded": ([1, 1, 1, 1, 0, 0], [1, 1, 0, 0, 0]),
    "with holes": ([0, 1, 0, 1, 1, 0], [0, 1, 0, 0, 1]),
    "without sound": ([0] * 6, [1, 1, 1, 0, 0]),
    "without picture": ([1, 1, 1, 0, 0, 0], [0] * 5),
    "without either": ([0] * 6, [0] * 5),
}

erf = np.vectorize(math.erf)


class Reference:
    """The fusion in float64, one window at a time, from the weights of a FoalNet."""

    def __init__(self, model: FoalNet) -> None:
        self.weights = {name: value.numpy().astype(np.float64) for name, value in model.state_dict().items()}

    def linear(self, name: str, x: np.ndarray) -> np.ndarray:
        return x @ self.weights[f"{name}.weight"].T + self.weights.get(f"{name}.bias", 0.0)

    def layer_norm(self, name: str, x: np.ndarray) -> np.ndarray:
        centred = x - x.mean(axis=-1, keepdims=True)
        normed = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5)
        return normed * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]

    def attention(self, name: str, queries: np.ndarray, keys: np.ndarray, mask: np.ndarray) -> np.ndarray:
        q, k, v = (self.linear(f"{name}.{w}", x) for w, x in (("w_q", queries), ("w_k", keys), ("w_v", keys)))
        heads = []
        for part in np.split(np.arange(q.shape[1]), HEADS):
            scores = q[:, part] @ k[:, part].T / math.sqrt(len(part)) + np.where(mask, 0.0, -1e9)
            chances = np.exp(scores - scores.max(axis=1, keepdims=True))
            heads.append(chances / chances.sum(axis=1, keepdims=True) @ v[:, part])
        return self.linear(f"{name}.w_concat", np.concatenate(heads, axis=1))

    def stack(self, name: str, queries: np.ndarray, keys: np.ndarray, mask: np.ndarray) -> np.ndarray:
        for layer in range(2):
            attended = self.attention(f"{name}.{layer}.attention", queries, keys, mask)
            queries = self.layer_norm(f"{name}.{layer}.ln", attended + queries)
        return queries

    def project(self, name: str, pooled: np.ndarray) -> np.ndarray:
        first = self.linear(f"{name}.linear1", pooled)
        gelu = first * (1 + erf(first / math.sqrt(2))) / 2
        normed = self.layer_norm(f"{name}.layer_norm", first + self.linear(f"{name}.linear2", gelu))
        return normed / np.linalg.norm(normed)

    def attend(self, audio: np.ndarray, audio_mask: np.ndarray, video: np.ndarray, video_mask: np.ndarray) -> tuple:
        audio, video = audio * audio_mask[:, None], video * video_mask[:, None]
        return (
            mean(self.stack("a2v", audio, video, video_mask), audio_mask),
            mean(self.stack("v2a", video, audio, audio_mask), video_mask),
        )

    def fuse(self, audio: np.ndarray, audio_mask: np.ndarray, video: np.ndarray, video_mask: np.ndarray) -> tuple:
        pooled = self.attend(audio, audio_mask, video, video_mask)
        return (
            self.linear("cls_head", np.concatenate(pooled)),
            self.project("audio_project", mean(audio, audio_mask)),
            self.project("video_project", mean(video, video_mask)),
        )

    def match(self, audio: np.ndarray, audio_mask: np.ndarray, video: np.ndarray, video_mask: np.ndarray) -> tuple:
        audio, video = self.attend(audio, audio_mask, video, video_mask)
        return self.linear("a2v_head", audio), self.linear("v2a_head", video)


def mean(tokens: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return tokens[mask].mean(axis=0) if mask.any() else np.zeros(tokens.shape[1])


@pytest.fixture(scope="module")
def model() -> FoalNet:
    """Weights that are all drawn, so that no bias is zero and no norm is one."""
    torch.manual_seed(0)
    net = FoalNet(
        nn.Identity(),
        nn.Identity(),
        audio_width=DA,
        video_width=DV,
        classes=C,
        embedding_width=E,
        heads=HEADS,
    )
    for parameter in net.parameters():
        nn.init.normal_(parameter, std=0.3)
    return net.eval()


@pytest.fixture(scope="module")
def windows() -> tuple[torch.Tensor, ...]:
    """A window for each entry of MASKS."""
    generator = torch.Generator().manual_seed(1)
    audio_mask, video_mask = (torch.tensor(masks, dtype=torch.bool) for masks in zip(*MASKS.values(), strict=True))
    audio = torch.randn(len(MASKS), 6, DA, generator=generator)
    return audio, audio_mask, torch.randn(len(MASKS), 5, DV, generator=generator), video_mask


def with_garbage(windows: tuple[torch.Tensor, ...], value: float) -> tuple[torch.Tensor, ...]:
    audio, audio_mask, video, video_mask = windows
    return (
        torch.where(audio_mask[:, :, None], audio, value),
        audio_mask,
        torch.where(video_mask[:, :, None], video, value),
        video_mask,
    )


@pytest.mark.parametrize("name", MASKS)
@torch.no_grad()
def test_fuse_equals_numpy(model: FoalNet, windows: tuple[torch.Tensor, ...], name: str) -> None:
    row = list(MASKS).index(name)
    expected = Reference(model).fuse(*(tensor[row].numpy() for tensor in windows))
    for found, reference in zip(model.fuse(*windows), expected, strict=True):
        np.testing.assert_allclose(found[row].numpy(), reference, atol=1e-5)


@pytest.mark.parametrize("name", MASKS)
@torch.no_grad()
def test_match_equals_numpy(model: FoalNet, windows: tuple[torch.Tensor, ...], name: str) -> None:
    row = list(MASKS).index(name)
    expected = Reference(model).match(*(tensor[row].numpy() for tensor in windows))
    for found, reference in zip(model.match(*windows), expected, strict=True):
        np.testing.assert_allclose(found[row].numpy(), reference, atol=1e-5)


@pytest.mark.parametrize("garbage", [0.0, 1e4, -7.0])
@torch.no_grad()
def test_what_lies_under_the_mask_changes_no_output(
    model: FoalNet, windows: tuple[torch.Tensor, ...], garbage: float
) -> None:
    other = with_garbage(windows, garbage)
    for found, expected in zip(model.fuse(*other), model.fuse(*windows), strict=True):
        assert torch.equal(found, expected)
    for found, expected in zip(model.match(*other), model.match(*windows), strict=True):
        assert torch.equal(found, expected)


@torch.no_grad()
def test_the_length_of_the_padding_changes_no_output(model: FoalNet, windows: tuple[torch.Tensor, ...]) -> None:
    audio, audio_mask, video, video_mask = windows
    longer = (
        nn.functional.pad(audio, (0, 0, 0, 3)),
        nn.functional.pad(audio_mask, (0, 3)),
        nn.functional.pad(video, (0, 0, 0, 4)),
        nn.functional.pad(video_mask, (0, 4)),
    )
    for found, expected in zip(model.fuse(*longer), model.fuse(*windows), strict=True):
        torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


@torch.no_grad()
def test_a_missing_modality_adds_nothing_to_the_logits(model: FoalNet, windows: tuple[torch.Tensor, ...]) -> None:
    logits = model.fuse(*windows).logits
    assert torch.isfinite(logits).all()
    audio, video = model.attend(*windows)
    deaf, blind = list(MASKS).index("without sound"), list(MASKS).index("without picture")
    weight, bias = model.cls_head.weight, model.cls_head.bias
    torch.testing.assert_close(logits[deaf], weight[:, DA:] @ video[deaf] + bias)
    torch.testing.assert_close(logits[blind], weight[:, :DA] @ audio[blind] + bias)
    torch.testing.assert_close(logits[list(MASKS).index("without either")], bias)


@torch.no_grad()
def test_embeddings_have_length_one(model: FoalNet, windows: tuple[torch.Tensor, ...]) -> None:
    for embedding in model.embed(*windows):
        np.testing.assert_allclose(np.linalg.norm(embedding.numpy(), axis=1), 1.0, atol=1e-6)


@torch.no_grad()
def test_an_untrained_net_is_finite_where_all_is_missing() -> None:
    net = FoalNet(nn.Identity(), nn.Identity(), audio_width=DA, video_width=DV, classes=C).eval()
    nothing = torch.zeros(1, 6, DA), torch.zeros(1, 6).bool(), torch.zeros(1, 5, DV), torch.zeros(1, 5).bool()
    assert all(torch.isfinite(output).all() for output in net.fuse(*nothing))


@torch.no_grad()
def test_forward_is_the_fusion_of_both_encoders() -> None:
    torch.manual_seed(0)
    net = FoalNet(
        NanoAudioEncoder(DA, 16_000), NanoImageEncoder(DV), audio_width=DA, video_width=DV, classes=C, embedding_width=E
    ).eval()
    frames = torch.randint(256, (2, 3, 64, 64, 3), dtype=torch.uint8)
    frame_mask = torch.tensor([[True, True, True], [True, False, False]])
    waveform, length = torch.randn(2, 12_800) / 4, torch.tensor([12_800, 6_000])
    tokens = torch.stack([net.image_encoder(window) for window in frames])
    expected = net.fuse(*net.audio_encoder(waveform, length), tokens, frame_mask)
    for found, reference in zip(net(frames, frame_mask, waveform, length), expected, strict=True):
        torch.testing.assert_close(found, reference, atol=1e-5, rtol=0)


def test_at_the_published_widths_the_fusion_has_the_published_size() -> None:
    with torch.device("meta"):
        net = FoalNet(nn.Identity(), nn.Identity(), audio_width=1024, video_width=768, classes=4)
    parts = [net.a2v, net.v2a, net.a2v_head, net.v2a_head, net.cls_head]
    count = sum(parameter.numel() for part in parts for parameter in part.parameters())
    assert round(count / 1e6, 1) == 12.9


def test_similarities_start_scaled_as_in_clip_and_stay_below_a_hundred(model: FoalNet) -> None:
    net = FoalNet(nn.Identity(), nn.Identity(), audio_width=DA, video_width=DV, classes=C)
    assert net.scale.item() == pytest.approx(1 / 0.07) == pytest.approx(INITIAL_SCALE)
    nn.init.constant_(net.log_scale, 9.0)
    assert net.scale.item() == 100.0


def test_masked_mean_counts_what_is_not_masked() -> None:
    tokens = torch.tensor([[[1.0, 2.0], [3.0, 6.0], [9.0, 9.0]], [[5.0, 5.0], [7.0, 7.0], [8.0, 8.0]]])
    mask = torch.tensor([[True, True, False], [False, False, False]])
    assert masked_mean(tokens, mask).tolist() == [[2.0, 4.0], [0.0, 0.0]]
