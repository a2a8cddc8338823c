"""Cross-validation on clips: every row of a comparison, left-out fold, protocol and seed is one run, done once.

Dimensions: n clips of a fold, C classes, E embedding width.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from edge.errors import UsageError

from ..ablation import WINDOWS_S, slug
from ..calibration import fit_common_temperature, remark_on
from ..config import Config, clips
from ..encoders import build
from ..encoders.nano_audio import NanoAudioEncoder
from ..figures import accuracy
from ..log import console
from ..objective import Modality, Objective
from ..optimise import optimise
from ..origin import Origin, start_fusion
from ..processes import Processes
from ..sampling import class_weights
from ..stage import Stage, identity
from ..tensors import read_tensors, write_tensors
from ..variants import FOAL_NET, Variant, make_objective
from .examples import Examples
from .frozen_audio import FrozenAudioEncoder
from .learner import EVALUATED_AT_ONCE, ClipLearner, predict
from .split import Protocol, Split, folds, split

RATES_HZ = (1.0, 2.0, 5.0, 10.0, 30.0)
OWN: tuple[Modality, ...] = ("both",)
"""Modalities of a row's own evaluation: all that its network has."""


@dataclass(frozen=True)
class Run:
    """Training of one row with one fold left out, one protocol and one seed."""

    variant: Variant
    protocol: Protocol
    seed: int
    left_out: str

    @property
    def name(self) -> str:
        """Name used in file names."""
        return slug(f"{self.variant.name} {self.protocol} {self.seed} {self.left_out}")


@dataclass(frozen=True)
class Experiment:
    """Data and settings that every run is trained and evaluated with."""

    config: Config
    examples: Examples
    finest: Examples
    """Examples at the highest frame rate, for the curve; may be the same object."""
    data: str
    """Identity of the embeddings and the clips, and of the origin."""
    folder: Path
    processes: Processes
    origin: Origin | None = None
    """Network that every run goes on from; None where only the encoders are pre-trained."""


def runs(
    experiment: Experiment, variants: Sequence[Variant], protocols: Sequence[Protocol], seeds: Sequence[int]
) -> Iterator[Run]:
    """Yield all runs of a comparison."""
    for variant in variants:
        for protocol in protocols:
            for seed in seeds:
                for left_out in folds(experiment.examples.utterances):
                    yield Run(variant, protocol, seed, left_out)


def result(experiment: Experiment, run: Run) -> dict[str, Tensor]:
    """Return the result of a run, from its file if it was done before; its weights are not kept."""
    path = experiment.folder / f"{run.name}.result.safetensors"
    made_of = run_identity(experiment, run)
    stage = make_stage(experiment, run)
    if path.is_file():
        found, about = read_tensors(path)
        if about["identity"] != made_of:
            raise UsageError(f"{path} was made with another configuration; choose another --run or delete the file")
    else:
        found = assess(experiment, run, train(experiment, run))
        if experiment.processes.is_main:
            write_tensors(path, found, {"identity": made_of})
    experiment.processes.wait()
    if experiment.processes.is_main:
        for made in (stage.path, stage.best_path):
            made.unlink(missing_ok=True)
    return found


def make_stage(experiment: Experiment, run: Run) -> Stage:
    """Return the stage of a run, which keeps its best epoch apart."""
    path = experiment.folder / f"{run.name}.safetensors"
    return Stage(run.name, clips(experiment.config).stage, run.seed, run_identity(experiment, run), path, best="ua")


def refuse_untrained_labels(experiment: Experiment, run: Run) -> None:
    """Raise UsageError if a label has no clip in the folds that a run is trained on."""
    rows = split(experiment.examples.utterances, run.left_out, run.protocol).train
    trained = set(experiment.examples.labels[rows].tolist())
    for index, label in enumerate(experiment.config.labels):
        if index not in trained:
            raise UsageError(
                f"with the fold {run.left_out} left out, the folds to train on have no clip of the label {label!r}; "
                "spread its clips over all folds, or take the label out of the configuration"
            )


def train(experiment: Experiment, run: Run) -> ClipLearner:
    """Train one run; return the learner with its best epoch's weights."""
    processes, examples = experiment.processes, experiment.examples
    rows = split(examples.utterances, run.left_out, run.protocol)
    labels = examples.labels[rows.train]
    learner = make_learner(experiment, run)
    called = processes.wrap(learner)

    def loss(indices: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        batch = examples.batch(rows.train[indices]).to(processes.device)
        losses: dict[str, Tensor] = called(batch, labels[indices].to(processes.device), generator)
        return losses

    def check() -> dict[str, float]:
        found = logits(experiment, learner, examples, rows.validation, OWN)["both"]
        return accuracy(found, examples.labels[rows.validation])

    optimise(make_stage(experiment, run), learner, class_weights(labels), loss, check, processes)
    return learner


def run_identity(experiment: Experiment, run: Run) -> str:
    """Return the identity of a run: everything that decides its result."""
    return identity(experiment.config, asdict(run), experiment.data)


def make_learner(experiment: Experiment, run: Run) -> ClipLearner:
    """Build the learner that a run begins with; its weights depend on the origin and the seed, not on the fold."""
    config, origin = experiment.config, experiment.origin
    torch.manual_seed(run.seed)
    encoder = None if run.variant.modality == "video" else make_audio_encoder(config, origin)
    objective = make_objective(config, run.variant, clips(config).stage.label_smoothing, experiment.processes)
    if origin and isinstance(objective, Objective):
        start_fusion(objective.fusion, origin, config.labels)
    return ClipLearner(encoder, objective).to(experiment.processes.device)


def make_audio_encoder(config: Config, origin: Origin | None) -> nn.Module:
    """Build the audio encoder with its weights, those of the `origin` if there is one; a nano encoder is frozen."""
    if origin is None:
        return build.audio_encoder(config, pretrained=True)
    encoder = copy.deepcopy(origin.model.audio_encoder)
    assert encoder is not None, "a whole network"
    return FrozenAudioEncoder(config, encoder) if isinstance(encoder, NanoAudioEncoder) else encoder


def assess(experiment: Experiment, run: Run, learner: ClipLearner) -> dict[str, Tensor]:
    """Return calibrated probabilities `[n, C]` of the left-out fold by modality, and Foal-Net's data for the curves."""
    rows = split(experiment.examples.utterances, run.left_out, run.protocol)
    modalities = learner.objective.modalities if isinstance(learner.objective, Objective) else OWN
    temperature = 1.0
    if run.protocol == "strict":
        temperature = calibrate(
            experiment, rows, logits(experiment, learner, experiment.examples, rows.validation, modalities)
        )
        if experiment.processes.is_main and (remark := remark_on(temperature)):
            console.print(f"{run.name}: {remark}")
    found = {
        f"probs {name}": (part / temperature).softmax(dim=1)
        for name, part in logits(experiment, learner, experiment.examples, rows.test, modalities).items()
    }
    if isinstance(learner.objective, Objective):
        found["audio embedding"], found["video embedding"] = embed(experiment, learner, rows.test)
    if run.variant == FOAL_NET and run.protocol == "strict":
        for name, examples in views(experiment):
            found[f"probs {name}"] = logits(experiment, learner, examples, rows.test, OWN)["both"].softmax(dim=1)
    return {**found, "temperature": torch.tensor(temperature)}


def calibrate(experiment: Experiment, rows: Split, chosen: Mapping[str, Tensor]) -> float:
    """Return one temperature for the validation fold's logits of all modalities."""
    truth = experiment.examples.labels[rows.validation]
    return fit_common_temperature([(part, truth) for part in chosen.values()])


def logits(
    experiment: Experiment, learner: ClipLearner, examples: Examples, rows: Tensor, modalities: Sequence[Modality]
) -> dict[str, Tensor]:
    """Return the logits of `predict`, in the precision of the training."""
    return predict(
        learner.eval(), examples, rows, modalities, clips(experiment.config).stage.precision, experiment.processes
    )


@torch.no_grad()
def embed(experiment: Experiment, learner: ClipLearner, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Return the AVEL embeddings `[n, E]` of audio and of video."""
    assert isinstance(learner.objective, Objective), "a single modality is not aligned"
    parts = []
    for part in rows.split(EVALUATED_AT_ONCE):
        tokens = learner.tokens(experiment.examples.batch(part).to(experiment.processes.device))
        parts.append([side.cpu() for side in learner.objective.fusion.embed(*tokens)])
    audio, video = zip(*parts, strict=True)
    return torch.cat(audio), torch.cat(video)


def views(experiment: Experiment) -> Iterator[tuple[str, Examples]]:
    """Yield the examples at lower and higher frame rates, and with shorter windows, by name."""
    for rate_hz in rates(experiment.finest):
        yield f"rate {rate_hz:g}", experiment.finest.at_frame_rate(rate_hz)
    for window_s in windows(experiment.examples):
        yield f"window {window_s:g}", experiment.examples.cut_to(window_s)


def rates(examples: Examples) -> list[float]:
    """Return those of `RATES_HZ` whose frames are a subset of the embedded ones."""
    return [rate_hz for rate_hz in RATES_HZ if examples.frame_rate_hz / rate_hz in range(1, 1000)]


def windows(examples: Examples) -> list[float]:
    """Return those of `WINDOWS_S` that are no longer than the examples."""
    return [window_s for window_s in WINDOWS_S if window_s * examples.rate_hz <= examples.samples]
