"""One Foal-Net for use: trained strictly with one fold left out, calibrated, and written with its image encoder."""

from pathlib import Path

from torch import nn

from edge.errors import UsageError
from edge.evaluation.metrics import Accuracy, evaluate

from ..checkpoint import Checkpoint, save
from ..figures import measured, report
from ..foalnet import FoalNet
from ..objective import MODALITIES, Objective
from ..variants import FOAL_NET
from .crossval import Bench, Run, calibrate, logits, train
from .split import folds, split


def fit(bench: Bench, image_encoder: nn.Module, left_out: str | None) -> Path:
    """Train with one fold left out, the last where none is named; return the checkpoint."""
    names = folds(bench.examples.utterances)
    if left_out not in (None, *names):
        raise UsageError(f"--fold {left_out}: the corpus has the folds {', '.join(names)}")
    run = Run(FOAL_NET, "strict", bench.config.seed, left_out or names[-1])
    learner = train(bench, run)
    path = bench.folder / "checkpoint.safetensors"
    assert isinstance(learner.objective, Objective), "Foal-Net"
    assert learner.audio_encoder is not None, "Foal-Net"
    rows = split(bench.examples.utterances, run.left_out, run.protocol)
    chosen = logits(bench, learner, bench.examples, rows.chooser, MODALITIES)
    temperature = calibrate(bench, rows, chosen)
    tested = logits(bench, learner, bench.examples, rows.test, MODALITIES)
    figures: dict[str, Accuracy] = {}
    for name, parts, of in (("validation", chosen, rows.chooser), ("test", tested, rows.test)):
        for modality, part in parts.items():
            probs = (part / temperature).softmax(dim=1)
            figures[f"{name} {modality}"] = evaluate(probs.numpy(), bench.examples.labels[of].numpy())
    if bench.processes.is_main:
        report(bench.config.labels, figures, temperature, bench.folder)
        model = FoalNet(learner.audio_encoder, image_encoder, learner.objective.fusion)
        save(path, Checkpoint(model, bench.config, temperature, measured(figures)))
    bench.processes.wait()
    return path
