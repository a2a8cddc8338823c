"""The frozen encoders' tokens, kept on disk."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.train import made
from train.config import Config
from train.encoders.nano_audio import NanoAudioEncoder
from train.encoders.nano_image import NanoImageEncoder
from train.voices_and_faces import faces, voices
from train.voices_and_faces.tokens import encode_faces, encode_voices

LABELS = torch.tensor([0, 3, 1])


@pytest.fixture(scope="module")
def waveforms() -> list[np.ndarray]:
    return [made.tone(hz, seconds) for hz, seconds in ((200, 0.6), (440, 1.2), (900, 2.0))]


@pytest.fixture(scope="module")
def crops() -> Tensor:
    return torch.randint(256, (3, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def audio_encoder(config: Config, seed: int) -> NanoAudioEncoder:
    torch.manual_seed(seed)
    return NanoAudioEncoder(config.audio_encoder.width, config.audio.rate_hz).eval()


def image_encoder(config: Config, seed: int) -> NanoImageEncoder:
    torch.manual_seed(seed)
    return NanoImageEncoder(config.image_encoder.width).eval()


def test_one_view_is_the_recording_as_it_is(tiny: Config, waveforms: list[np.ndarray], tmp_path: Path) -> None:
    encoder = audio_encoder(tiny, 0)
    heard = encode_voices(tiny, encoder, waveforms, LABELS, 1, tmp_path / "t.safetensors")
    with torch.no_grad():
        tokens, mask = encoder(*voices.pad(waveforms, tiny.audio.samples))
    assert torch.equal(heard.tokens[:, 0], tokens.half())
    assert torch.equal(heard.mask[:, 0], mask)
    assert torch.equal(heard.labels, LABELS)


def test_more_views_are_varied_copies(tiny: Config, waveforms: list[np.ndarray], tmp_path: Path) -> None:
    heard = encode_voices(tiny, audio_encoder(tiny, 0), waveforms, LABELS, 3, tmp_path / "t.safetensors")
    assert heard.tokens.shape == (3, 3, 20, tiny.audio_encoder.width)
    assert heard.mask.shape == (3, 3, 20)
    assert not heard.tokens[~heard.mask].any()
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert (heard.tokens[:, one] != heard.tokens[:, other]).flatten(1).any(dim=1).all()


def test_one_view_of_a_face_is_its_crop(tiny: Config, crops: Tensor, tmp_path: Path) -> None:
    encoder = image_encoder(tiny, 0)
    seen = encode_faces(tiny, encoder, crops, LABELS, 1, tmp_path / "t.safetensors")
    with torch.no_grad():
        assert torch.equal(seen.tokens[:, 0], encoder(faces.rgb(crops)).half())
    assert torch.equal(seen.labels, LABELS)


def test_views_of_a_face_stand_for_the_frames_of_a_window(tiny: Config, crops: Tensor, tmp_path: Path) -> None:
    encoder = image_encoder(tiny, 0)
    seen = encode_faces(tiny, encoder, crops, LABELS, 4, tmp_path / "t.safetensors")
    varied = faces.augment(crops.repeat_interleave(4, dim=0), torch.Generator().manual_seed(tiny.seed))
    with torch.no_grad():
        assert torch.equal(seen.tokens.flatten(0, 1), encoder(faces.rgb(varied)).half())


def test_tokens_are_made_once(tiny: Config, waveforms: list[np.ndarray], crops: Tensor, tmp_path: Path) -> None:
    audio, image = audio_encoder(tiny, 0), image_encoder(tiny, 0)
    runs = []
    for encoder in (audio, image):
        encoder.register_forward_hook(lambda *_: runs.append(1))
    made_of = [
        (
            encode_voices(tiny, audio, waveforms, LABELS, 2, tmp_path / "voices.safetensors"),
            encode_faces(tiny, image, crops, LABELS, 2, tmp_path / "faces.safetensors"),
        )
        for _ in range(2)
    ]
    assert len(runs) == 2
    for first, second in zip(*made_of, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_tokens_of_another_encoder_are_not_taken_for_its_own(
    tiny: Config, waveforms: list[np.ndarray], crops: Tensor, tmp_path: Path
) -> None:
    for seed in (0, 1):
        heard = encode_voices(tiny, audio_encoder(tiny, seed), waveforms, LABELS, 1, tmp_path / "voices.safetensors")
        seen = encode_faces(tiny, image_encoder(tiny, seed), crops, LABELS, 1, tmp_path / "faces.safetensors")
    expected_heard = encode_voices(
        tiny, audio_encoder(tiny, 1), waveforms, LABELS, 1, tmp_path / "fresh-voices.safetensors"
    )
    expected_seen = encode_faces(tiny, image_encoder(tiny, 1), crops, LABELS, 1, tmp_path / "fresh-faces.safetensors")
    assert torch.equal(heard.tokens, expected_heard.tokens)
    assert torch.equal(seen.tokens, expected_seen.tokens)
