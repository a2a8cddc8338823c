"""Fixtures that the tests of annotations share: the shipped model, and films of the drawn face."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge.backends.tensorrt.progress import quiet_engine_builder
from edge.bundle.load import SHIPPED, load
from edge.session.config import Config
from edge.session.model import Model, open_model
from edge.sources.demo import MOODS, face, voice

SETTINGS = Config(backend="onnxruntime", threads=1)


@pytest.fixture(scope="session")
def settings() -> Config:
    return SETTINGS


@pytest.fixture(scope="session")
def model() -> Model:
    return open_model(SETTINGS, load(SHIPPED), quiet_engine_builder())


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory, make_clip: Callable[..., Path]) -> Path:
    """4 s of the drawn face and its voice, in which its mood changes."""
    path = tmp_path_factory.mktemp("film") / "talk.mkv"
    images = np.stack([face(mood) for mood in MOODS[1:3] for _ in range(20)])
    samples = np.concatenate([voice(mood, 16_000)[:32_000] for mood in MOODS[1:3]])
    return make_clip(path, images, np.int16(samples * 32767))
