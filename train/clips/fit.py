"""Training of one Foal-Net for use: by the strict protocol, calibrated, and saved with its image encoder.

Dimensions: n clips of a fold, C classes.
"""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from edge.errors import UsageError
from edge.evaluation.metrics import Accuracy, evaluate

from ..checkpoint import Checkpoint, save
from ..figures import measured, report
from ..foalnet import FoalNet
from ..objective import MODALITIES, Objective
from ..variants import FOAL_NET
from .crossval import Experiment, Run, calibrate, logits, make_learner, refuse_untrained_labels, train
from .frozen_audio import FrozenAudioEncoder
from .split import folds, split


def fit(experiment: Experiment, image_encoder: nn.Module, left_out: str | None) -> Path:
    """Train with one fold left out, by default the last; return the path of the checkpoint.

    The report has the figures of an origin's own network, too, as `before`.
    """
    names = folds(experiment.examples.utterances)
    if left_out not in (None, *names):
        raise UsageError(f"--fold {left_out}: the corpus has the folds {', '.join(names)}")
    run = Run(FOAL_NET, "strict", experiment.config.seed, left_out or names[-1])
    refuse_untrained_labels(experiment, run)
    learner = train(experiment, run)
    path = experiment.folder / "checkpoint.safetensors"
    assert isinstance(learner.objective, Objective), "Foal-Net"
    assert learner.audio_encoder is not None, "Foal-Net"
    rows = split(experiment.examples.utterances, run.left_out, run.protocol)
    chosen = logits(experiment, learner, experiment.examples, rows.validation, MODALITIES)
    temperature = calibrate(experiment, rows, chosen)
    tested = logits(experiment, learner, experiment.examples, rows.test, MODALITIES)
    truth = experiment.examples.labels
    figures = {
        **assess("validation", chosen, truth[rows.validation], temperature),
        **assess("test", tested, truth[rows.test], temperature),
    }
    before = assess_origin(experiment, run)
    if experiment.processes.is_main:
        report(experiment.config.labels, figures | before, temperature, experiment.folder)
        encoder, origin = learner.audio_encoder, experiment.origin
        model = FoalNet(
            encoder.encoder if isinstance(encoder, FrozenAudioEncoder) else encoder,
            image_encoder,
            learner.objective.fusion,
        )
        save(
            path,
            Checkpoint(model, experiment.config, temperature, measured(figures), origin.ancestor if origin else None),
        )
    experiment.processes.wait()
    return path


def assess(fold: str, logits: Mapping[str, Tensor], labels: Tensor, temperature: float) -> dict[str, Accuracy]:
    """Return the figures of a fold by modality, of logits `[n, C]` each and labels int64 `[n]`."""
    return {
        f"{fold} {modality}": evaluate((part / temperature).softmax(dim=1).numpy(), labels.numpy())
        for modality, part in logits.items()
    }


def assess_origin(experiment: Experiment, run: Run) -> dict[str, Accuracy]:
    """Return the figures of the test fold before the training, if the origin knows all labels; else nothing."""
    origin = experiment.origin
    if origin is None or not set(experiment.config.labels) <= set(origin.labels):
        return {}
    rows = split(experiment.examples.utterances, run.left_out, run.protocol).test
    found = logits(experiment, make_learner(experiment, run), experiment.examples, rows, MODALITIES)
    return assess("before", found, experiment.examples.labels[rows], origin.temperature)
