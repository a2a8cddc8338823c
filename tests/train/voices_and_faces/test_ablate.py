"""The ablation on voices and faces, through the command."""

import shutil
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from torch.nn.functional import normalize

from tests.train.made import Trained
from train import checkpoint
from train.cli.main import main
from train.report import read
from train.tensors import read_tensors
from train.variants import VARIANTS

FUSED = [variant.name for variant in VARIANTS if variant.modality == "both"]


@pytest.fixture(scope="module")
def run(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    folder = shutil.copytree(trained.run, tmp_path_factory.mktemp("ablated") / "run")
    command = ["ablate", *trained.command[1:-1], str(folder), "--seeds", "2"]
    result = CliRunner().invoke(main, command, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return folder, command


def test_every_row_is_evaluated_on_the_same_pairs(run: tuple[Path, list[str]]) -> None:
    cells = read(run[0] / "ablation" / "table.json").cells
    for fold in ("test", "validation"):
        assert list(cells[f"{fold} pairs"]) == [variant.name for variant in VARIANTS]
        assert {(cell.count, cell.runs) for cell in cells[f"{fold} pairs"].values()} == {(8, 2)}
        for modality in ("audio", "video"):
            assert list(cells[f"{fold} pairs, {modality} alone"]) == FUSED


def test_it_draws_what_it_found(run: tuple[Path, list[str]]) -> None:
    folder = run[0] / "ablation"
    assert {path.name for path in folder.glob("*.*")} >= {"table.md", "table.json", "embeddings.png", "window.png"}
    matrices = {path.stem for path in (folder / "confusion").iterdir()}
    assert len(matrices) == 2 * (len(VARIANTS) + 2 * len(FUSED))
    assert {"test-pairs-audio-only", "validation-pairs-video-alone-baseline-avel-mem"} <= matrices


def test_the_table_says_what_made_it_and_what_it_is_of(run: tuple[Path, list[str]]) -> None:
    text = (run[0] / "ablation" / "table.md").read_text()
    assert "python -m train" in text
    assert "of different people" in text


def test_run_again_it_trains_nothing_twice_and_finds_the_same(run: tuple[Path, list[str]]) -> None:
    folder, command = run
    files = sorted((folder / "ablation").glob("*/fusion.safetensors"))
    assert len(files) == 2 * len(VARIANTS)
    before = [path.stat().st_mtime_ns for path in files], (folder / "ablation" / "table.json").read_bytes()
    CliRunner().invoke(main, command, catch_exceptions=False)
    assert before == ([path.stat().st_mtime_ns for path in files], (folder / "ablation" / "table.json").read_bytes())


def test_foal_net_with_the_configs_seed_is_what_fit_trains(run: tuple[Path, list[str]], trained: Trained) -> None:
    """But for the calibration of the classifiers, which only what `fit` trains has."""
    fused = checkpoint.load(trained.checkpoint).model.fusion.state_dict()
    again = read_tensors(run[0] / "ablation" / "baseline-avel-mem-1234" / "fusion.safetensors")[0]
    other = [name for name, value in fused.items() if not torch.equal(again[f"model.fusion.{name}"], value)]
    assert other
    assert all(name.startswith(("single_heads.", "cls_head.")) for name in other)
    for name in other:
        torch.testing.assert_close(
            normalize(fused[name].flatten(), dim=0), normalize(again[f"model.fusion.{name}"].flatten(), dim=0)
        )
