"""Foal-Net: two encoders and the fusion."""

import pytest
import torch

from train.encoders.nano_audio import NanoAudioEncoder
from train.encoders.nano_image import NanoImageEncoder
from train.foalnet import FoalNet
from train.fusion import Fusion

DA, DV = 16, 24


@pytest.fixture(scope="module")
def model() -> FoalNet:
    torch.manual_seed(0)
    fusion = Fusion(audio_width=DA, video_width=DV, classes=3, embedding_width=32)
    return FoalNet(NanoAudioEncoder(DA, 16_000), NanoImageEncoder(DV), fusion).eval()


@pytest.fixture(scope="module")
def window() -> tuple[torch.Tensor, ...]:
    """What two cameras and microphones gave."""
    generator = torch.Generator().manual_seed(1)
    frames = torch.randint(256, (2, 3, 64, 64, 3), dtype=torch.uint8, generator=generator)
    frame_mask = torch.tensor([[True, True, True], [True, False, False]])
    length = torch.tensor([12_000, 6_000])
    waveform = torch.randn(2, 12_000, generator=generator) / 4 * (torch.arange(12_000) < length[:, None])
    return frames, frame_mask, waveform, length


@torch.no_grad()
def test_it_fuses_what_both_encoders_say(model: FoalNet, window: tuple[torch.Tensor, ...]) -> None:
    frames, frame_mask, waveform, length = window
    assert model.audio_encoder is not None
    assert model.image_encoder is not None
    video_tokens = torch.stack([model.image_encoder(row) for row in frames])
    expected = model.fusion(*model.audio_encoder(waveform, length)[:2], video_tokens, frame_mask)
    for found, reference in zip(model(*window), expected, strict=True):
        torch.testing.assert_close(found, reference, atol=1e-5, rtol=0)


@torch.no_grad()
def test_frames_that_do_not_count_change_nothing(model: FoalNet, window: tuple[torch.Tensor, ...]) -> None:
    frames, frame_mask, waveform, length = window
    seen = torch.where(frame_mask[:, :, None, None, None], frames, 77).to(torch.uint8)
    for found, reference in zip(model(seen, frame_mask, waveform, length), model(*window), strict=True):
        torch.testing.assert_close(found, reference, atol=1e-6, rtol=0)


@torch.no_grad()
def test_without_encoders_tokens_are_fused_all_the_same(model: FoalNet, window: tuple[torch.Tensor, ...]) -> None:
    alone = FoalNet(None, None, model.fusion)
    tokens = torch.randn(2, 5, DA), torch.ones(2, 5).bool(), torch.randn(2, 3, DV), torch.ones(2, 3).bool()
    for found, reference in zip(alone.fuse(*tokens), model.fuse(*tokens), strict=True):
        assert torch.equal(found, reference)
    with pytest.raises(AssertionError, match="no audio encoder"):
        alone(*window)
    with pytest.raises(AssertionError, match="no image encoder"):
        FoalNet(model.audio_encoder, None, model.fusion)(*window)


def test_its_tensors_are_named_by_part(model: FoalNet) -> None:
    assert {name.partition(".")[0] for name in model.state_dict()} == {"audio_encoder", "image_encoder", "fusion"}
    assert "fusion.a2v.0.attention.w_q.weight" in model.state_dict()
    names = {name for name in model.state_dict() if name.startswith("fusion.")}
    assert FoalNet(None, None, model.fusion).state_dict().keys() == names
