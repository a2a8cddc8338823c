"""Stage of the audio encoder."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from torch import Tensor

from edge.errors import UsageError
from tests.train import made
from train import sampling
from train.config import Config
from train.encoders.nano_audio import NanoAudioEncoder
from train.voices_and_faces import audio_stage, voices
from train.voices_and_faces.audio_stage import AudioClassifier, check_lengths, fit_audio_encoder

LABELS = torch.arange(8) % 4


@pytest.fixture(scope="module")
def waveforms() -> tuple[list[np.ndarray], Tensor]:
    return [made.tone(150 * (1 + number), 0.7) for number in range(8)], LABELS


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

    monkeypatch.setattr(audio_stage, "cross_entropy", interrupted)


def test_a_killed_stage_ends_where_the_uninterrupted_one_ends(
    tiny: Config, waveforms: tuple[list[np.ndarray], Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = msgspec.structs.replace(tiny.recipe.voices_stage, epochs=3, batch=8, draws=24)
    config = msgspec.structs.replace(tiny, recipe=msgspec.structs.replace(tiny.recipe, voices_stage=schedule))
    whole = fit_voices(config, waveforms, tmp_path / "whole.safetensors")
    with monkeypatch.context() as patch:
        kill(patch, at_step=3 + 1)
        with pytest.raises(KeyboardInterrupt):
            fit_voices(config, waveforms, tmp_path / "killed.safetensors")
    again = fit_voices(config, waveforms, tmp_path / "killed.safetensors")
    assert [key for key in whole if not torch.equal(whole[key], again[key])] == []


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
