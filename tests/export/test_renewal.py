"""A bundle exported again from its own graphs: the same network, and no bundle where it is another."""

import sys
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
from click.testing import CliRunner

from edge.bundle import golden
from edge.bundle.load import load
from edge.errors import BundleError
from export import bundle, renewal
from export.commands import main
from tests.export.conftest import Exported
from train import config


def configuration_of(trained: Path) -> Path:
    return trained.parents[1] / "tiny.yaml"


def test_a_bundle_made_anew_computes_what_it_computed(exported: Exported, trained: Path, tmp_path: Path) -> None:
    command = ["renew", str(exported.folder), "--config", str(configuration_of(trained)), "-o", str(tmp_path / "anew")]
    result = CliRunner().invoke(main, command, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    *of_graphs, difference, _ = result.output.splitlines()
    assert len(of_graphs) == 3
    assert difference.startswith("largest difference of a probability from ")
    found, expected = (load(folder) for folder in (tmp_path / "anew", exported.folder))
    assert found.manifest.measured == expected.manifest.measured
    assert found.manifest.temperature == expected.manifest.temperature
    for name, arrays in golden.load(expected).items():
        for tensor, array in golden.load(found)[name].items():
            np.testing.assert_allclose(array, arrays[tensor], atol=1e-5, err_msg=f"{name}/{tensor}")


def test_nothing_is_written_where_the_probabilities_are_others(
    exported: Exported, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The graphs are those of the bundle itself, and nothing is near enough."""
    monkeypatch.setattr(bundle, "fill", lambda _, folder, __: copytree(exported.folder, folder, dirs_exist_ok=True))
    monkeypatch.setattr(renewal, "TOLERANCE", -sys.float_info.min)
    settings = config.load(configuration_of(trained))
    with pytest.raises(BundleError, match=r"probabilities that differ by .*, at most .*; give the configuration"):
        renewal.renew(exported.folder, settings, tmp_path / "anew", lambda _: None)
    assert not list(tmp_path.iterdir())
