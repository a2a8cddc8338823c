"""Bundles that were exported without golden probabilities get them, and nothing else changes."""

import sys
from pathlib import Path
from shutil import copytree

import msgspec
import pytest

from edge.bundle import load as bundles
from edge.errors import BundleError
from export.__main__ import run_command
from export.bundle import write_manifest
from export.complete import complete
from tests.export.conftest import Exported


def test_a_bundle_that_lacks_them_is_completed_and_else_unchanged(
    exported: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copytree(exported.folder, tmp_path / "older")
    whole = bundles.load(folder)
    write_manifest(msgspec.structs.replace(whole.manifest, golden_probabilities=None), folder)
    assert bundles.load(folder) != whole
    monkeypatch.setattr(sys, "argv", ["export", "complete", str(folder)])
    with pytest.raises(SystemExit) as ended:
        run_command()
    assert not ended.value.code
    assert capsys.readouterr().out == f"{folder}: its manifest has golden probabilities of each label\n"
    assert bundles.load(folder) == whole
    assert {path.name for path in folder.iterdir()} == {path.name for path in exported.folder.iterdir()}


def test_a_bundle_whose_graphs_are_off_is_not_completed(exported: Exported, tmp_path: Path) -> None:
    folder = copytree(exported.folder, tmp_path / "off")
    manifest = bundles.load(folder).manifest
    strict = msgspec.structs.replace(manifest.graphs.fusion, tolerance=1e-30)
    graphs = msgspec.structs.replace(manifest.graphs, fusion=strict)
    write_manifest(msgspec.structs.replace(manifest, graphs=graphs, golden_probabilities=None), folder)
    with pytest.raises(BundleError, match="foal-tiny on onnxruntime-cpu: fusion differs by"):
        complete(folder)
    assert bundles.load(folder).manifest.golden_probabilities is None
