"""One Foal-Net of clips for use, through the command."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from edge.backends.onnxruntime import OrtBackend
from edge.bundle.load import load as load_bundle
from edge.errors import UsageError
from edge.evaluation.metrics import evaluate
from export.commands import main as export
from tests.train.clips.conftest import Done, elsewhere, files, train
from train import checkpoint
from train.calibration import fit_common_temperature
from train.checkpoint import Checkpoint
from train.clips import crossval
from train.clips.crossval import Experiment, Run
from train.clips.fit import fit
from train.clips.split import Split, split
from train.encoders import build
from train.fusion import Tokens
from train.objective import MODALITIES
from train.variants import FOAL_NET

RUN = Run(FOAL_NET, "strict", 1234, "Session2")


@pytest.fixture(scope="module")
def loaded(fitted: Done) -> Checkpoint:
    return checkpoint.load(fitted.run / "checkpoint.safetensors")


@pytest.fixture(scope="module")
def rows(eager_bench: Experiment) -> Split:
    return split(eager_bench.examples.utterances, "Session2", "strict")


@torch.no_grad()
def logits(loaded: Checkpoint, experiment: Experiment, rows: torch.Tensor, modality: str) -> torch.Tensor:
    """What the checkpoint's model says of clips."""
    model, batch = loaded.model, experiment.examples.batch(rows)
    assert model.audio_encoder is not None
    tokens = Tokens(*model.audio_encoder(batch.waveform, batch.length), batch.video_tokens, batch.video_mask)
    every = torch.ones(len(rows), dtype=torch.bool)
    return model.fuse(*tokens.without(every & (modality == "video"), every & (modality == "audio"))).logits


def same(one: Checkpoint, other: Checkpoint) -> bool:
    ours, others = one.model.state_dict(), other.model.state_dict()
    return one[1:] == other[1:] and all(torch.equal(ours[key], others[key]) for key in ours | others)


def test_the_command_names_its_checkpoint_last(fitted: Done) -> None:
    said = fitted.output.rpartition("checkpoint: ")[2].replace("\n", "")
    assert said == str(fitted.run / "checkpoint.safetensors")


def test_the_checkpoint_gives_the_probabilities_of_the_run(
    fitted: Done, loaded: Checkpoint, eager_bench: Experiment, rows: Split
) -> None:
    learner = crossval.train(eager_bench, RUN)
    expected = crossval.logits(eager_bench, learner, eager_bench.examples, rows.test, MODALITIES)
    for modality in MODALITIES:
        found = logits(loaded, eager_bench, rows.test, modality)
        torch.testing.assert_close(found, expected[modality], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("fold", ["validation", "test"])
def test_the_checkpoint_gives_the_figures_it_carries(
    fitted: Done, loaded: Checkpoint, eager_bench: Experiment, rows: Split, fold: str
) -> None:
    kept = json.loads((fitted.run / "report.json").read_text())
    of = rows.test if fold == "test" else rows.validation
    labels = eager_bench.examples.labels[of].numpy()
    for modality in MODALITIES:
        probs = (logits(loaded, eager_bench, of, modality) / loaded.temperature).softmax(dim=1)
        again, measured = evaluate(probs.numpy(), labels), loaded.measured[f"{fold} {modality}"]
        assert (measured["count"], measured["ua"], measured["wa"]) == (10, again.ua, again.wa)
        assert measured["ece"] == pytest.approx(again.ece, abs=1e-5)
        assert kept[f"{fold} {modality}"]["confusion"] == again.confusion


def test_it_has_learned(loaded: Checkpoint) -> None:
    assert loaded.measured["test both"]["ua"] > 0.7


def test_the_temperature_is_the_choosing_folds(loaded: Checkpoint, eager_bench: Experiment, rows: Split) -> None:
    truth = eager_bench.examples.labels[rows.validation]
    parts = [(logits(loaded, eager_bench, rows.validation, modality), truth) for modality in MODALITIES]
    assert loaded.temperature == pytest.approx(fit_common_temperature(parts), rel=1e-3)


def test_it_holds_the_encoder_that_made_the_embeddings(loaded: Checkpoint, eager_bench: Experiment) -> None:
    torch.manual_seed(eager_bench.config.seed)
    expected = build.image_encoder(eager_bench.config, pretrained=True)
    assert loaded.model.image_encoder is not None
    found = loaded.model.image_encoder.state_dict()
    assert all(torch.equal(found[key], value) for key, value in expected.state_dict().items())
    assert loaded.config == eager_bench.config


def test_run_again_nothing_is_trained(fitted: Done, loaded: Checkpoint) -> None:
    stages = {name: content for name, content in files(fitted.run).items() if name != "checkpoint.safetensors"}
    assert set(stages) == {f"{RUN.name}.safetensors", f"{RUN.name}.best.safetensors"}
    output = train(*fitted.command)
    assert f"{RUN.name}: 8 of 8 epochs found" in output
    assert stages.items() <= files(fitted.run).items()
    assert same(checkpoint.load(fitted.run / "checkpoint.safetensors"), loaded)


def test_the_last_fold_is_left_out_where_none_is_named(experiment: Experiment) -> None:
    path = fit(experiment, build.image_encoder(experiment.config, pretrained=True), None)
    assert path == experiment.folder / "checkpoint.safetensors"
    names = {name for name in files(experiment.folder) if name.startswith("baseline")}
    assert names == {f"baseline-avel-mem-strict-1234-session3{part}.safetensors" for part in ("", ".best")}


def test_a_fold_that_is_none_is_refused(fitted: Done, tmp_path: Path) -> None:
    command = elsewhere(fitted, run=tmp_path)
    command[command.index("Session2")] = "Session9"
    expected = "--fold Session9: the corpus has the folds Session1, Session2, Session3, Session4, Session5"
    with pytest.raises(UsageError, match=expected):
        train(*command)
    assert not files(tmp_path)


def test_another_fold_in_the_same_folder_is_another_training(experiment: Experiment) -> None:
    encoder = build.image_encoder(experiment.config, pretrained=True)
    first, other, again = (
        checkpoint.load(fit(experiment, encoder, fold)) for fold in ("Session1", "Session2", "Session1")
    )
    assert same(again, first)
    assert not same(other, first)


def test_it_becomes_a_bundle_that_the_runtime_says_the_same_with(
    fitted: Done, loaded: Checkpoint, eager_bench: Experiment, rows: Split, tmp_path: Path
) -> None:
    arguments = ["bundle", str(fitted.run / "checkpoint.safetensors"), "-o", str(tmp_path / "bundle")]
    result = CliRunner().invoke(export, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    bundle = load_bundle(tmp_path / "bundle")
    backend, batch = OrtBackend(bundle, threads=1), eager_bench.examples.batch(rows.test)
    heard = backend.audio_encoder({"waveform": batch.waveform.numpy(), "length": batch.length.numpy()})
    fused = backend.fusion(
        {
            "audio_tokens": heard["tokens"],
            "audio_mask": heard["mask"],
            "video_tokens": batch.video_tokens.numpy(),
            "video_mask": batch.video_mask.numpy(),
        }
    )
    np.testing.assert_allclose(fused["logits"], logits(loaded, eager_bench, rows.test, "both"), atol=1e-3)
    assert bundle.manifest.measured == loaded.measured
    assert bundle.manifest.trained_on[0].startswith("IEMOCAP")
