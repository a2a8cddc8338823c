"""Made corpora, a tiny configuration, one whole training on them, and the real corpora where there are any."""

import os
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from tests.train import made
from tests.train.made import few_beds as few_beds
from tests.train.made import one_core as one_core
from train.cli.main import main
from train.config import Config


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(1234)


@pytest.fixture(scope="session")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("corpora")
    made.corpora(root)
    return root


@pytest.fixture(scope="session")
def tiny() -> Config:
    return made.tiny_config()


@pytest.fixture(scope="session")
def trained(corpora: Path, tiny: Config, tmp_path_factory: pytest.TempPathFactory) -> made.Trained:
    folder = tmp_path_factory.mktemp("trained")
    path = made.write_config(folder / "tiny.yaml", tiny)
    command = ["fit", "--config", str(path), "--data", str(corpora), "--run", str(folder / "run")]
    result = CliRunner().invoke(main, command, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return made.Trained(folder / "run", folder / "run" / "checkpoint.safetensors", result.output, command)


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of the real corpora."""
    if "FOAL_DATA" not in os.environ:
        pytest.skip("FOAL_DATA names no folder of the real corpora")
    return Path(os.environ["FOAL_DATA"])
