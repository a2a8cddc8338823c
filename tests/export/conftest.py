"""A tiny network trained on made corpora, and the bundle that the command makes of it."""

from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner

from export.__main__ import main
from export.bundle import examples
from export.graphs import Graph, make_graphs
from tests.train import made
from tests.train.made import one_core as one_core
from train import checkpoint
from train.__main__ import main as train
from train.checkpoint import Checkpoint


class Exported(NamedTuple):
    folder: Path
    output: str


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint that `python -m train fit` leaves."""
    folder = tmp_path_factory.mktemp("trained")
    made.corpora(folder / "data")
    path = made.write_config(folder / "tiny.yaml", made.tiny_config())
    command = ["fit", "--config", str(path), "--data", str(folder / "data"), "--run", str(folder / "run")]
    result = CliRunner().invoke(train, command, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return folder / "run" / "checkpoint.safetensors"


@pytest.fixture(scope="session")
def loaded(trained: Path) -> Checkpoint:
    return checkpoint.load(trained)


@pytest.fixture(scope="session")
def graphs(loaded: Checkpoint) -> dict[str, Graph]:
    return {graph.name: graph for graph in make_graphs(loaded, *examples(loaded))}


@pytest.fixture(scope="session")
def exported(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """What `python -m export bundle` makes."""
    folder = tmp_path_factory.mktemp("exported") / "foal-tiny"
    result = CliRunner().invoke(main, ["bundle", str(trained), "-o", str(folder)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return Exported(folder, result.output)
