"""A tiny network trained on made corpora, and the bundles that the command makes of it."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from shutil import copytree
from typing import NamedTuple

import pytest
from click.testing import CliRunner

from export import bundle, compare
from export.bundle import examples
from export.commands import main
from export.graphs import Graph, make_graphs
from tests.train import made
from tests.train.made import few_beds as few_beds
from tests.train.made import one_core as one_core
from train import checkpoint
from train.checkpoint import Checkpoint


class Exported(NamedTuple):
    folder: Path
    output: str


Lowered = Callable[[str], Exported]
"""Of a precision below fp32."""


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint that `python -m train fit` leaves."""
    return made.shared_training(tmp_path_factory).checkpoint


@pytest.fixture(scope="session")
def loaded(trained: Path) -> Checkpoint:
    return checkpoint.load(trained)


@pytest.fixture(scope="session")
def graphs(loaded: Checkpoint) -> dict[str, Graph]:
    return {graph.name: graph for graph in make_graphs(loaded, *examples(loaded))}


@pytest.fixture(scope="session")
def exported(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """What `python -m export bundle` makes."""
    return export(trained, tmp_path_factory.mktemp("exported"))


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The corpora that it was trained on."""
    return made.shared_corpora(tmp_path_factory)


@pytest.fixture
def small_folds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The made corpora have a dozen windows."""
    monkeypatch.setattr(compare, "FEWEST_WINDOWS", 1)


@pytest.fixture(scope="session")
def lowered(trained: Path, data: Path, exported: Exported, tmp_path_factory: pytest.TempPathFactory) -> Lowered:
    """What it makes with `--precision`, each made when first asked for; fp32 is not exported again.

    A network that has hardly learnt is less sure than one of use: a fold of few windows may say another UA.
    """

    @cache
    def of(precision: str) -> Exported:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(compare, "LARGEST_LOSS", 0.1)
            patch.setattr(compare, "FEWEST_WINDOWS", 1)
            patch.setattr(bundle, "fill", lambda _, folder, __: copytree(exported.folder, folder, dirs_exist_ok=True))
            return export(trained, tmp_path_factory.mktemp(precision), "--precision", precision, "--data", str(data))

    return of


def export(trained: Path, parent: Path, *options: str) -> Exported:
    folder = parent / "foal-tiny"
    result = CliRunner().invoke(main, ["bundle", str(trained), "-o", str(folder), *options], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return Exported(folder, result.output)
