"""Training of one Foal-Net for use: by the strict protocol, calibrated, and saved with its image encoder."""

from pathlib import Path

from torch import nn

from edge.errors import UsageError
from edge.evaluation.metrics import Accuracy, evaluate

from ..checkpoint import Checkpoint, save
from ..figures import measured, report
from ..foalnet import FoalNet
from ..objective import MODALITIES, Objective
from ..variants import FOAL_NET
from .crossval import Experiment, Run, calibrate, logits, train
from .split import folds, split


def fit(experiment: Experiment, image_encoder: nn.Module, left_out: str | None) -> Path:
    """Train with one fold left out, by default the last; return the path of the checkpoint."""
    names = folds(experiment.examples.utterances)
    if left_out not in (None, *names):
        raise UsageError(f"--fold {left_out}: the corpus has the folds {', '.join(names)}")
    run = Run(FOAL_NET, "strict", experiment.config.seed, left_out or names[-1])
    learner = train(experiment, run)
    path = experiment.folder / "checkpoint.safetensors"
    assert isinstance(learner.objective, Objective), "Foal-Net"
    assert learner.audio_encoder is not None, "Foal-Net"
    rows = split(experiment.examples.utterances, run.left_out, run.protocol)
    chosen = logits(experiment, learner, experiment.examples, rows.validation, MODALITIES)
    temperature = calibrate(experiment, rows, chosen)
    tested = logits(experiment, learner, experiment.examples, rows.test, MODALITIES)
    figures: dict[str, Accuracy] = {}
    for name, parts, of in (("validation", chosen, rows.validation), ("test", tested, rows.test)):
        for modality, part in parts.items():
            probs = (part / temperature).softmax(dim=1)
            figures[f"{name} {modality}"] = evaluate(probs.numpy(), experiment.examples.labels[of].numpy())
    if experiment.processes.is_main:
        report(experiment.config.labels, figures, temperature, experiment.folder)
        model = FoalNet(learner.audio_encoder, image_encoder, learner.objective.fusion)
        save(path, Checkpoint(model, experiment.config, temperature, measured(figures)))
    experiment.processes.wait()
    return path
