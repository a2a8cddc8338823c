"""Made corpora, a tiny configuration, one whole training on them, and the real corpora where there are any."""

import os
from pathlib import Path

import pytest
import torch

from tests.train import made
from tests.train.made import few_beds as few_beds
from tests.train.made import one_core as one_core
from train.config import Config


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(1234)


@pytest.fixture(scope="session")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made.shared_corpora(tmp_path_factory)


@pytest.fixture(scope="session")
def tiny() -> Config:
    return made.tiny_config()


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> made.Trained:
    return made.shared_training(tmp_path_factory)


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of the real corpora."""
    if "FOAL_DATA" not in os.environ:
        pytest.skip("FOAL_DATA names no folder of the real corpora")
    return Path(os.environ["FOAL_DATA"])
