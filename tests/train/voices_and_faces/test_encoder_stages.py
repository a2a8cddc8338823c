"""The two encoder stages."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from torch import Tensor

from edge.errors import UsageError
from edge.evaluation.metrics import evaluate
from tests.train import made
from train import sampling
from train.config import Config
from train.encoders.nano_audio import NanoAudioEncoder
from train.encoders.nano_image import NanoImageEncoder
from train.voices_and_faces import encoder_stages, faces, voices
from train.voices_and_faces.encoder_stages import (
    AudioClassifier,
    ImageClassifier,
    accuracy,
    check_lengths,
    fit_audio_encoder,
    fit_image_encoder,
)

LABELS = torch.arange(8) % 4


@pytest.fixture(scope="module")
def crops() -> tuple[Tensor, Tensor]:
    return torch.randint(256, (8, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)), LABELS


@pytest.fixture(scope="module")
def waveforms() -> tuple[list[np.ndarray], Tensor]:
    return [made.tone(150 * (1 + number), 0.7) for number in range(8)], LABELS


def fit_faces(config: Config, crops: tuple[Tensor, Tensor], path: Path) -> dict[str, Tensor]:
    return fit_image_encoder(config, crops, crops, path).state_dict()


def fit_voices(config: Config, waveforms: tuple[list[np.ndarray], Tensor], path: Path) -> dict[str, Tensor]:
    return fit_audio_encoder(config, waveforms, sampling.class_weights(LABELS), waveforms, path).state_dict()


def kill(monkeypatch: pytest.MonkeyPatch, at_step: int) -> None:
    """The loss of a step, counted from 0, is interrupted."""
    steps = []

    def interrupted(*args: Tensor, **options: float) -> Tensor:
        steps.append(1)
        if len(steps) > at_step:
            raise KeyboardInterrupt
        return torch.nn.functional.cross_entropy(*args, **options)

    monkeypatch.setattr(encoder_stages, "cross_entropy", interrupted)


@pytest.mark.parametrize(("stage", "fit_stage"), [("faces", fit_faces), ("voices", fit_voices)])
def test_a_killed_stage_ends_where_the_uninterrupted_one_ends(
    tiny: Config, stage: str, fit_stage, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"{stage}_stage"
    schedule = msgspec.structs.replace(getattr(tiny.recipe, name), epochs=3, batch=8, draws=24)
    config = msgspec.structs.replace(tiny, recipe=msgspec.structs.replace(tiny.recipe, **{name: schedule}))
    dataset = request.getfixturevalue({"faces": "crops", "voices": "waveforms"}[stage])
    whole = fit_stage(config, dataset, tmp_path / "whole.safetensors")
    with monkeypatch.context() as patch:
        kill(patch, at_step=3 + 1)
        with pytest.raises(KeyboardInterrupt):
            fit_stage(config, dataset, tmp_path / "killed.safetensors")
    again = fit_stage(config, dataset, tmp_path / "killed.safetensors")
    assert [key for key in whole if not torch.equal(whole[key], again[key])] == []


@torch.no_grad()
def test_the_head_of_the_faces_is_linear_in_the_embedding(crops: tuple[Tensor, Tensor]) -> None:
    torch.manual_seed(0)
    model = ImageClassifier(NanoImageEncoder(24), 4).eval()
    frames = faces.rgb(crops[0])
    weight, bias = model.head[1].weight, model.head[1].bias
    torch.testing.assert_close(model(frames), model.encoder(frames) @ weight.T + bias)


@torch.no_grad()
def test_the_head_of_the_voices_takes_the_mean_of_the_valid_tokens(waveforms: tuple[list[np.ndarray], Tensor]) -> None:
    torch.manual_seed(0)
    model = AudioClassifier(NanoAudioEncoder(16, 16_000), 4).eval()
    waveform, length = voices.pad(waveforms[0], 25_600)
    tokens, mask = model.encoder(waveform, length)
    means = torch.stack([row[keep].mean(dim=0) for row, keep in zip(tokens, mask, strict=True)])
    weight, bias = model.head[1].weight, model.head[1].bias
    torch.testing.assert_close(model(waveform, length), means @ weight.T + bias)


@pytest.mark.parametrize("name", ["sound.window_s", "voice_crop_s"])
def test_sound_that_is_no_whole_number_of_tokens_is_refused(tiny: Config, name: str) -> None:
    replace = msgspec.structs.replace
    other = {
        "sound.window_s": replace(tiny, audio=replace(tiny.audio, window_s=1.5)),
        "voice_crop_s": replace(tiny, recipe=replace(tiny.recipe, voice_crop_s=1.5)),
    }[name]
    with pytest.raises(UsageError, match=rf"{name} 1\.5 is not a multiple of 0\.08 s"):
        check_lengths(other)


def test_the_log_line_shows_ua_and_wa() -> None:
    logits = torch.tensor([[2.0, 1.0], [0.0, 1.0], [3.0, 0.0], [5.0, 0.0]])
    labels = torch.tensor([0, 1, 1, 0])
    assert accuracy(logits, labels) == {"ua": 0.75, "wa": 0.75}
    figures = evaluate(logits.softmax(dim=1).numpy(), labels.numpy())
    assert accuracy(logits, labels) == {"ua": figures.ua, "wa": figures.wa}
