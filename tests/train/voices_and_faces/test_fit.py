"""A whole training on made corpora, through the command."""

import json
import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from click.testing import CliRunner

from edge.errors import UsageError
from edge.evaluation.metrics import evaluate
from tests.train.made import Trained
from train import checkpoint
from train.calibration import fit_common_temperature, fit_factors, joined
from train.checkpoint import Checkpoint
from train.cli.main import main
from train.config import Config, NanoImage
from train.objective import MODALITIES, Objective
from train.origin import open_origin
from train.tensors import read_tensors
from train.voices_and_faces import fit
from train.voices_and_faces.dataset import Dataset
from train.voices_and_faces.fusion_stage import logit_terms, predict
from train.voices_and_faces.tokens import FoldTokens, encode_faces, encode_voices

FOLDS = ("validation", "simulated", "test")


def objective(found: Checkpoint) -> Objective:
    return Objective(found.model.fusion, found.config.objective, 0.0)


def tokens(trained: Trained, corpora: Path, tiny: Config, fold: str) -> FoldTokens:
    model = checkpoint.load(trained.checkpoint).model
    dataset, folder = Dataset(tiny, corpora), trained.run / "tokens"
    split, views = ("validation", tiny.recipe.views) if fold == "simulated" else (fold, 1)
    heard, crops = dataset.labelled_voices(split), dataset.crops(split)
    return FoldTokens(
        encode_voices(tiny, model.audio_encoder, heard, views, folder / f"voices-{fold}.safetensors"),
        encode_faces(tiny, model.image_encoder, *crops, views, folder / f"faces-{fold}.safetensors"),
    )


def test_the_command_names_its_checkpoint_last(trained: Trained) -> None:
    last_line = trained.output.replace("\n", "").rpartition("checkpoint:")[2].strip()
    assert last_line == str(trained.checkpoint)
    assert trained.checkpoint.is_file()


@pytest.mark.parametrize("fold", FOLDS)
@pytest.mark.parametrize("modality", MODALITIES)
def test_it_ends_with_figures_and_confusion_of_every_modality(trained: Trained, fold: str, modality: str) -> None:
    row = json.loads((trained.run / "report.json").read_text())[f"{fold} {modality}"]
    lines = trained.output.splitlines()
    shown = [line for line in lines if line.startswith(f"│ {fold} {modality} ")]
    figures = [f"{row['count']}", *(f"{100 * row[key]:.1f}" for key in ("ua", "wa", "ece"))]
    assert [cell.strip() for cell in shown[0].strip("│").split("│")] == [f"{fold} {modality}", *figures]
    titles = [number for number, line in enumerate(lines) if line.strip() == f"{fold} {modality}"]
    table = [line.strip("│").split("│") for line in lines[titles[0] :] if line.startswith("│")][:4]
    assert [[int(cell) for cell in cells[1:]] for cells in table] == row["confusion"]


@pytest.mark.parametrize("fold", ["validation", "test"])
def test_every_corpus_has_its_own_row(trained: Trained, fold: str) -> None:
    report = json.loads((trained.run / "report.json").read_text())
    counts = [report[f"{fold} {corpus}"]["count"] for corpus in ("ravdess", "emodb", "nemo")]
    assert counts == [4, 4, 4]
    assert report[f"{fold} audio"]["count"] == sum(counts)


@pytest.mark.parametrize("fold", FOLDS)
@pytest.mark.parametrize("modality", MODALITIES)
def test_the_checkpoint_gives_the_figures_it_carries(
    trained: Trained, corpora: Path, tiny: Config, fold: str, modality: str
) -> None:
    found = checkpoint.load(trained.checkpoint)
    logits, labels = predict(objective(found), tokens(trained, corpora, tiny, fold), modality)
    scaled = logits.numpy() / found.temperature
    probs = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    again = evaluate(probs / probs.sum(axis=1, keepdims=True), labels.numpy())
    kept = found.measured[f"{fold} {modality}"]
    assert [kept[key] for key in ("count", "ua", "wa")] == [again.count, again.ua, again.wa]
    assert kept["ece"] == pytest.approx(again.ece, abs=1e-5)


def test_the_temperature_is_fitted_on_the_validation_part(trained: Trained, corpora: Path, tiny: Config) -> None:
    found = checkpoint.load(trained.checkpoint)
    folds = [tokens(trained, corpora, tiny, name) for name in ("validation", "simulated")]
    parts = [predict(objective(found), fold, modality) for fold in folds for modality in MODALITIES]
    assert fit_common_temperature(parts) == pytest.approx(found.temperature, rel=1e-6)


def test_each_term_of_the_logits_was_calibrated_on_the_same_before(
    trained: Trained, corpora: Path, tiny: Config
) -> None:
    """No other factors are better: these are all 1 within what an optimiser leaves, or at a limit."""
    fused = objective(checkpoint.load(trained.checkpoint))
    folds = [tokens(trained, corpora, tiny, name) for name in ("validation", "simulated")]
    parts = [logit_terms(fused, fold, modality) for fold in folds for modality in MODALITIES]
    before = read_tensors(trained.run / "fusion.safetensors")[0]
    state = fused.fusion.state_dict()
    names = ("single_heads.0.weight", "single_heads.1.weight", "cls_head.weight")
    used = [float(state[name].norm() / before[f"model.fusion.{name}"].norm()) for name in names]
    assert used != [1.0, 1.0, 1.0]
    for factor, again in zip(used, fit_factors(*joined(parts)).tolist(), strict=True):
        assert again == pytest.approx(1.0, rel=0.01) or factor in (pytest.approx(0.05), pytest.approx(20.0))


def test_run_again_it_trains_nothing_twice(trained: Trained, tmp_path: Path) -> None:
    run = shutil.copytree(trained.run, tmp_path / "run")
    (run / "checkpoint.safetensors").unlink()
    command = [*trained.command[:-1], str(run)]
    result = CliRunner().invoke(main, command, catch_exceptions=False)
    assert [result.output.count(f"{name}: 2 of 2 epochs found") for name in ("faces", "voices", "fusion")] == [1, 1, 1]
    again, before = checkpoint.load(run / "checkpoint.safetensors"), checkpoint.load(trained.checkpoint)
    assert again.measured == before.measured
    for key, value in before.model.state_dict().items():
        assert torch.equal(again.model.state_dict()[key], value), key


@pytest.mark.parametrize("stage", ["faces", "voices"])
def test_only_one_encoder_is_trained_where_only_one_is_wanted(trained: Trained, tmp_path: Path, stage: str) -> None:
    command = [*trained.command[:-1], str(tmp_path / "run"), "--only", stage]
    result = CliRunner().invoke(main, command, catch_exceptions=False)
    assert "checkpoint:" not in result.output
    assert {path.name for path in (tmp_path / "run").iterdir()} == {f"{stage}.safetensors", "tensorboard"}
    alone, whole = (read_tensors(run / f"{stage}.safetensors")[0] for run in (tmp_path / "run", trained.run))
    assert all(torch.equal(alone[key], whole[key]) for key in whole)


@pytest.mark.parametrize("changed", ["held-out speakers", "seed", "widths"])
def test_a_run_of_another_configuration_is_not_gone_on_with(
    trained: Trained, corpora: Path, tiny: Config, tmp_path: Path, changed: str
) -> None:
    replace, speakers = msgspec.structs.replace, ["ravdess-02", "emodb-03", "nemo-SM0"]
    other = {
        "held-out speakers": replace(tiny, recipe=replace(tiny.recipe, test_speakers=speakers)),
        "seed": replace(tiny, seed=tiny.seed + 1),
        "widths": replace(tiny, audio_encoder=replace(tiny.audio_encoder, width=20), image_encoder=NanoImage(20)),
    }[changed]
    run = shutil.copytree(trained.run, tmp_path / "run")
    with pytest.raises(UsageError, match="--run"):
        fit.fit(other, corpora, run, None)


def test_layers_that_move_are_in_the_checkpoint_with_the_figures_that_they_give(
    trained: Trained, corpora: Path, tiny: Config, tmp_path: Path
) -> None:
    """Trained on from a checkpoint, once more after an end, and evaluated from the sound on by what it holds."""
    moving = msgspec.structs.replace(tiny, recipe=msgspec.structs.replace(tiny.recipe, moving_layers=True))
    for _ in range(2):
        path = fit.fit(moving, corpora, tmp_path, None, origin=open_origin(moving, str(trained.checkpoint)))
        assert path is not None
        found = checkpoint.load(path)
        before, after = (part.model.audio_encoder.state_dict() for part in (checkpoint.load(trained.checkpoint), found))
        changed = {name for name, value in before.items() if not torch.equal(after[name], value)}
        assert changed == {name for name in before if name.startswith(("layers.", "norm."))}
        path.unlink()
    heard = Dataset(tiny, corpora).labelled_voices("test")
    seen = tokens(trained, corpora, tiny, "test").faces
    voices = encode_voices(tiny, found.model.audio_encoder, heard, 1, tmp_path / "whole.safetensors")
    for modality in MODALITIES:
        logits, labels = predict(objective(found), FoldTokens(voices, seen), modality)
        again, kept = evaluate(logits.softmax(dim=1).numpy(), labels.numpy()), found.measured[f"test {modality}"]
        assert [kept[key] for key in ("count", "ua", "wa")] == [again.count, again.ua, again.wa]


def test_encoders_of_another_training_are_kept_and_its_fusion_goes_on(
    trained: Trained, corpora: Path, tiny: Config, tmp_path: Path
) -> None:
    """Other labels in another order: nothing but the fusion is trained, and the model says where it comes from."""
    other = msgspec.structs.replace(tiny, name="foal-two", labels=["sad", "happy"])
    origin = open_origin(other, str(trained.checkpoint))
    path = fit.fit(other, corpora, tmp_path, None, origin=origin)
    assert path is not None
    before, after = checkpoint.load(trained.checkpoint), checkpoint.load(path)
    old, new = before.model.state_dict(), after.model.state_dict()
    encoders = [name for name in old if name.startswith(("audio_encoder.", "image_encoder."))]
    assert len(encoders) > 50
    assert [name for name in encoders if not torch.equal(old[name], new[name])] == []
    assert not torch.equal(old["fusion.audio_project.linear1.weight"], new["fusion.audio_project.linear1.weight"])
    assert after.config.labels == ["sad", "happy"]
    assert after.ancestor is not None
    assert after.ancestor.name == f"{tiny.name} {tiny.version}"
    assert not [found.name for found in tmp_path.iterdir() if found.name.startswith(("faces", "voices"))]
