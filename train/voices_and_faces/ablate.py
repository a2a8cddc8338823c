"""The paper's ablation on voices and faces: the encoders are trained once, each row's fusion on their tokens.

Where layers of the audio encoder move, each row moves a copy of its own. Voices and faces are paired by label, and no
recording is in two pairs, so that the pairs are independent.
"""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from pathlib import Path
from typing import NamedTuple

import msgspec
import torch
from torch import Tensor

from ..ablation import WINDOWS_S, Ablation, Curve, Prediction, collect, outcome, slug
from ..calibration import fit_temperature
from ..config import Config, voices_and_faces
from ..encoders.nano_audio import NanoAudioEncoder
from ..intervals import Interval, accuracies
from ..objective import Modality, Objective, SingleObjective
from ..origin import Origin
from ..plots import Embeddings
from ..processes import SINGLE_PROCESS
from ..report import Comparison
from ..simulation.streams import Voice
from ..simulation.voice_activity import STEP
from ..tensors import fingerprint
from ..variants import BASELINE, FOAL_NET, VARIANTS, Variant, make_objective, weights
from .dataset import Dataset
from .fit import make_tokens, nano_encoders
from .fusion_stage import fit_fusion, pair, predict_pairs, unaugmented
from .moving import MovingLearner, in_context
from .tokens import FoldTokens, encode_voices

FROZEN = (
    "The encoders are frozen, so AVEL shares no weights with the classifier: it reaches it only by the choice of MEM's "
    "negatives and by the clipping of gradients."
)
MOVING = (
    "The audio encoder's transformer layers are trained with each row, so AVEL and MEM share them with the classifier; "
    "the rest of that encoder and the image encoder are frozen."
)


def notes(config: Config) -> list[str]:
    """Return what has to be known to read the tables."""
    return [
        "Voices and faces of one label are paired, of different people; no recording is in two pairs.",
        MOVING if voices_and_faces(config).moving_layers else FROZEN,
        "The last epoch counts in every run. Confidences are calibrated on the validation pairs.",
        "Test speakers and faces were not used for anything before.",
    ]


class Experiment(NamedTuple):
    """Data and settings that every row is trained and evaluated with."""

    config: Config
    run: Path
    tokens: dict[str, FoldTokens]
    voice_weights: Tensor
    audio_encoder: NanoAudioEncoder
    """Encoder that every row begins with."""
    encoders: str
    """Fingerprint of the encoders' weights."""

    def pairs(self, fold: str) -> tuple[Tensor, Tensor]:
        """Return the fold's pairs, indices of voices and of faces, int64 `[n]` each."""
        return pair(self.tokens[fold].voices.labels, self.tokens[fold].faces.labels, once=True)


class Row(NamedTuple):
    """Row of the table, trained with one seed."""

    objective: Objective | SingleObjective
    moved: NanoAudioEncoder | None
    """Encoder whose layers have moved; None if the tokens that are kept are the objective's inputs."""

    def inputs(self, fold: FoldTokens) -> FoldTokens:
        """Return the tokens that the objective takes, of those that are kept."""
        return fold if self.moved is None else in_context(fold, self.moved)


def ablate(
    config: Config,
    root: Path,
    run: Path,
    seeds: Sequence[int],
    command: str,
    skip_damaged: bool = False,
    origin: Origin | None = None,
) -> Ablation:
    """Train every row with every seed, or resume an earlier run, and evaluate them on the same pairs.

    The encoders are an origin's, or are trained first.
    """
    dataset = Dataset(config, root, skip_damaged)
    image_encoder, audio_encoder = nano_encoders(config, dataset, run, origin)
    tokens = make_tokens(config, dataset, image_encoder, audio_encoder, run)
    encoders = fingerprint(audio_encoder) + fingerprint(image_encoder)
    experiment = Experiment(config, run, tokens, dataset.voice_weights(all_classes=False), audio_encoder, encoders)
    trained = {(variant, seed): train(experiment, variant, seed) for seed in seeds for variant in VARIANTS}
    runs = ((variant, evaluate(experiment, trained[variant, seed])) for variant in VARIANTS for seed in seeds)
    comparison = Comparison(collect(runs), BASELINE.name, config.labels, command, notes(config))
    foal_nets = [trained[FOAL_NET, seed] for seed in seeds]
    before, after = (embed(experiment, trained[variant, seeds[0]]) for variant in (BASELINE, FOAL_NET))
    return Ablation(comparison, (before, after), [window_curve(experiment, dataset, foal_nets)])


def train(experiment: Experiment, variant: Variant, seed: int) -> Row:
    """Train one row with one seed."""
    config = experiment.config
    config = msgspec.structs.replace(config, seed=seed, objective=weights(config, variant))
    torch.manual_seed(seed)
    smoothing = voices_and_faces(config).fusion_stage.label_smoothing
    objective = make_objective(config, variant, smoothing, SINGLE_PROCESS)
    folder = experiment.run / "ablation" / f"{slug(variant.name)}-{seed}"
    inputs = f"{variant.name} {experiment.encoders}"
    folds = experiment.tokens
    title = f"{variant.name}, seed {seed}"
    moves = voices_and_faces(config).moving_layers and "audio" in objective.modalities
    moved = deepcopy(experiment.audio_encoder) if moves else None
    learner = MovingLearner(objective, moved) if moved else objective
    fit_fusion(config, learner, folds["train"], experiment.voice_weights, folds["validation"], folder, inputs, title)
    return Row(objective, moved)


def evaluate(experiment: Experiment, row: Row) -> dict[str, Prediction]:
    """Return calibrated predictions for the validation and the test pairs, and for each modality of them alone."""
    objective = row.objective
    folds = {name: row.inputs(experiment.tokens[name]) for name in ("test", "validation")}
    voices, faces = experiment.pairs("validation")
    held_out = folds["validation"]
    logits = predict_pairs(objective, held_out, voices, faces, "both")
    temperature = fit_temperature(logits, held_out.voices.labels[voices], torch.ones(len(logits)))
    found = {}
    for fold, tokens in folds.items():
        for modality in objective.modalities if len(objective.modalities) > 1 else ("both",):
            name = f"{fold} pairs" + ("" if modality == "both" else f", {modality} alone")
            found[name] = predict(tokens, objective, experiment.pairs(fold), temperature, modality)
    return found


def predict(
    fold: FoldTokens,
    objective: Objective | SingleObjective,
    pairs: tuple[Tensor, Tensor],
    temperature: float,
    modality: Modality,
) -> Prediction:
    """Return the predictions of one evaluation."""
    probs = (predict_pairs(objective, fold, *pairs, modality) / temperature).softmax(dim=1)
    return Prediction(probs.numpy(), fold.voices.labels[pairs[0]].numpy())


@torch.no_grad()
def embed(experiment: Experiment, row: Row) -> Embeddings:
    """Return the AVEL embeddings of the test pairs that have both modalities."""
    assert isinstance(row.objective, Objective), "a single modality is not aligned"
    voices, faces = experiment.pairs("test")
    audio, video = row.objective.fusion.embed(*unaugmented(row.inputs(experiment.tokens["test"]), voices, faces))
    truth = experiment.tokens["test"].voices.labels[voices]
    return Embeddings(audio.numpy(), video.numpy(), truth.numpy()).with_both()


def window_curve(experiment: Experiment, dataset: Dataset, rows: Sequence[Row]) -> Curve:
    """Return UA of the test pairs with only the first seconds of each voice, by their length."""
    modalities: dict[str, Modality] = {"both": "both", "audio alone": "audio"}
    lines: dict[str, list[Interval]] = {name: [] for name in modalities}
    for fold in cut_folds(experiment, dataset):
        folds = [(row.objective, row.inputs(fold)) for row in rows]
        for name, modality in modalities.items():
            runs = [predict(tokens, objective, experiment.pairs("test"), 1.0, modality) for objective, tokens in folds]
            lines[name].append(accuracies(outcome(runs)).ua)
    return Curve("window", "seconds of the voice that are heard", list(WINDOWS_S), lines)


def cut_folds(experiment: Experiment, dataset: Dataset) -> Iterator[FoldTokens]:
    """Yield the test fold with voices of each length."""
    whole = dataset.labelled_voices("test")
    for window_s in WINDOWS_S:
        samples = round(window_s * experiment.config.audio.rate_hz)
        path = experiment.run / "tokens" / f"voices-test-{window_s:g}s.safetensors"
        steps = samples // STEP
        begins = [Voice(voice.audio[:samples], voice.activity[:steps], voice.moments[:steps]) for voice in whole.voices]
        voices = encode_voices(experiment.config, experiment.audio_encoder, whole._replace(voices=begins), 1, path)
        yield FoldTokens(voices, experiment.tokens["test"].faces)
