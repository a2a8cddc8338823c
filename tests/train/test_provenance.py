"""What a model was trained on."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from train import config
from train.checkpoint import Ancestor
from train.config import Config
from train.corpora import fer2013, iemocap, nemo, ravdess
from train.corpora.registry import CLIPS
from train.provenance import trained_on

CONFIGS = Path(__file__).parents[2] / "configs"


def test_of_voices_and_faces_each_corpus_of_voices_and_that_of_faces_is_named(tiny: Config) -> None:
    recipe = replace(config.voices_and_faces(tiny), voices={"nemo": 1.0, "ravdess": 2.0})
    assert trained_on(replace(tiny, recipe=recipe)) == [nemo.ABOUT, ravdess.ABOUT, fer2013.ABOUT]


def test_of_clips_the_one_corpus_is_named() -> None:
    assert trained_on(config.load(CONFIGS / "base.yaml")) == [iemocap.ABOUT]


@pytest.mark.parametrize("name", CLIPS)
def test_every_corpus_of_clips_is_named_with_its_terms(name: str) -> None:
    base = config.load(CONFIGS / "base.yaml")
    (line,) = trained_on(replace(base, recipe=replace(config.clips(base), corpus=name)))
    assert line == CLIPS[name].ABOUT
    assert "\n" not in line


def test_what_the_training_began_with_was_trained_on_more_and_each_corpus_is_named_once() -> None:
    base = config.load(CONFIGS / "base.yaml")
    ancestor = Ancestor("foal-old 1.2", "to nobody", [ravdess.ABOUT, iemocap.ABOUT])
    assert trained_on(base, ancestor) == [iemocap.ABOUT, ravdess.ABOUT]
