"""Identities of the stages: what decides a stage's result, and nothing else."""

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from edge.bundle.manifest import VoiceSpec
from train.config import Config
from train.voices_and_faces.stages import make_stage

CHANGES = {
    "seed": ("faces", "voices", "fusion"),
    "picture": ("faces",),
    "first labels": ("faces",),
    "sound": ("voices", "fusion"),
    "voice": ("fusion",),
    "shares": ("voices", "fusion"),
    "imitation": ("voices",),
    "objective": ("fusion",),
    "moving layers": ("fusion",),
}


def change(tiny: Config, what: str) -> Config:
    return {
        "seed": replace(tiny, seed=7),
        "picture": replace(tiny, image_encoder=replace(tiny.image_encoder, width=48)),
        "first labels": replace(tiny, recipe=replace(tiny.recipe, first_label_share=0.5)),
        "sound": replace(tiny, audio_encoder=replace(tiny.audio_encoder, width=48)),
        "voice": replace(tiny, audio_encoder=replace(tiny.audio_encoder, voice=VoiceSpec(0.9, 1.5))),
        "shares": replace(tiny, recipe=replace(tiny.recipe, voices={"nemo": 1.0})),
        "imitation": replace(tiny, recipe=replace(tiny.recipe, imitation=1.0)),
        "objective": replace(tiny, objective=replace(tiny.objective, mem=0.7)),
        "moving layers": replace(tiny, recipe=replace(tiny.recipe, moving_layers=True)),
    }[what]


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_concerns_the_stages_that_it_decides(tiny: Config, what: str) -> None:
    changed = [
        name
        for name in ("faces", "voices", "fusion")
        if make_stage(change(tiny, what), name, Path()).identity != make_stage(tiny, name, Path()).identity
    ]
    assert tuple(changed) == CHANGES[what]


def test_of_the_audio_encoder_its_type_and_width_alone_decide_its_stage(tiny: Config) -> None:
    parts = json.loads(make_stage(tiny, "voices", Path()).identity)
    assert parts[4] == {"type": "nano", "width": tiny.audio_encoder.width}


def test_the_fusion_is_that_of_its_encoders(tiny: Config) -> None:
    one, other = (make_stage(tiny, "fusion", Path("run"), inputs) for inputs in ("a", "b"))
    assert one.identity != other.identity
    assert one.path == Path("run/fusion.safetensors")
    assert one.schedule == tiny.recipe.fusion_stage
