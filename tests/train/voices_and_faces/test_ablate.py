"""The ablation on voices and faces, through the command."""

import shutil
from itertools import combinations
from pathlib import Path

import msgspec
import pytest
import torch
from click.testing import CliRunner
from torch.nn.functional import normalize

from tests.train.made import Trained, write_config
from train import checkpoint, plots
from train.cli.main import main
from train.config import Config
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
    assert "The encoders are frozen, so AVEL shares no weights with the classifier" in text


def test_run_again_it_trains_nothing_twice_and_finds_the_same(
    run: tuple[Path, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, command = run
    monkeypatch.setattr(plots, "save", lambda *_: None)
    files = sorted((folder / "ablation").glob("*/fusion.safetensors"))
    assert len(files) == 2 * len(VARIANTS)
    before = [path.stat().st_mtime_ns for path in files], (folder / "ablation" / "table.json").read_bytes()
    CliRunner().invoke(main, command, catch_exceptions=False)
    assert before == ([path.stat().st_mtime_ns for path in files], (folder / "ablation" / "table.json").read_bytes())


@pytest.mark.parametrize("origin", [False, True])
def test_where_layers_move_each_row_moves_its_own(
    trained: Trained, tiny: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, origin: bool
) -> None:
    """From the encoders of the run's folder, or from those of a checkpoint."""
    monkeypatch.setattr(plots, "save", lambda *_: None)
    few_steps = msgspec.structs.replace(tiny.recipe.fusion_stage, epochs=1, draws=32)
    recipe = msgspec.structs.replace(tiny.recipe, moving_layers=True, fusion_stage=few_steps)
    moving = msgspec.structs.replace(tiny, recipe=recipe)
    path, folder = write_config(tmp_path / "moving.yaml", moving), tmp_path / "run"
    folder.mkdir()
    for name in () if origin else ("faces", "voices"):
        shutil.copy(trained.run / f"{name}.safetensors", folder)
    command = ["ablate", "--config", str(path), *trained.command[3:-1], str(folder), "--seeds", "1"]
    command += ["--from", str(trained.checkpoint)] if origin else []
    result = CliRunner().invoke(main, command, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    key = "model.encoder.layers.0.attention.w_q.weight"
    states = {path.parent.name: read_tensors(path)[0] for path in folder.glob("ablation/*/fusion.safetensors")}
    assert len(states) == len(VARIANTS)
    moved = [state[key] for name, state in states.items() if name != "video-only-1234"]
    first = checkpoint.load(trained.checkpoint).model.audio_encoder.layers[0].attention.w_q.weight
    assert not any(torch.equal(one, other) for one, other in combinations([first, *moved], 2))
    assert not any(name.startswith("model.encoder.") for name in states["video-only-1234"])
    text = (folder / "ablation" / "table.md").read_text()
    assert "transformer layers are trained with each row" in text
    assert "encoders are frozen, so" not in text


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
