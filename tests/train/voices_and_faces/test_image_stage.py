"""Stage of the image encoder."""

from pathlib import Path

import msgspec
import pytest
import torch
from torch import Tensor

from train.config import Config
from train.encoders.nano_image import NanoImageEncoder
from train.voices_and_faces import faces, image_stage
from train.voices_and_faces.image_stage import ImageClassifier, fit_image_encoder

LABELS = torch.arange(8) % 4


@pytest.fixture(scope="module")
def crops() -> tuple[Tensor, Tensor]:
    return torch.randint(256, (8, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)), LABELS


def fit_faces(config: Config, crops: tuple[Tensor, Tensor], path: Path) -> dict[str, Tensor]:
    return fit_image_encoder(config, crops, crops, path).state_dict()


def kill(monkeypatch: pytest.MonkeyPatch, at_step: int) -> None:
    """The loss of a step, counted from 0, is interrupted."""
    steps = []

    def interrupted(*args: Tensor, **options: float) -> Tensor:
        steps.append(1)
        if len(steps) > at_step:
            raise KeyboardInterrupt
        return torch.nn.functional.cross_entropy(*args, **options)

    monkeypatch.setattr(image_stage, "cross_entropy", interrupted)


def test_a_killed_stage_ends_where_the_uninterrupted_one_ends(
    tiny: Config, crops: tuple[Tensor, Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = msgspec.structs.replace(tiny.recipe.faces_stage, epochs=3, batch=8, draws=24)
    config = msgspec.structs.replace(tiny, recipe=msgspec.structs.replace(tiny.recipe, faces_stage=schedule))
    whole = fit_faces(config, crops, tmp_path / "whole.safetensors")
    with monkeypatch.context() as patch:
        kill(patch, at_step=3 + 1)
        with pytest.raises(KeyboardInterrupt):
            fit_faces(config, crops, tmp_path / "killed.safetensors")
    again = fit_faces(config, crops, tmp_path / "killed.safetensors")
    assert [key for key in whole if not torch.equal(whole[key], again[key])] == []


@torch.no_grad()
def test_the_head_of_the_faces_is_linear_in_the_embedding(crops: tuple[Tensor, Tensor]) -> None:
    torch.manual_seed(0)
    model = ImageClassifier(NanoImageEncoder(24), 4).eval()
    frames = faces.rgb(crops[0])
    weight, bias = model.head[1].weight, model.head[1].bias
    torch.testing.assert_close(model(frames), model.encoder(frames) @ weight.T + bias)
