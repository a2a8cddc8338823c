"""The paper's ablation on voices and faces: the encoders trained once, each row's fusion on their tokens.

Voices and faces are paired by label, and no recording is in two pairs, so that the pairs are as many facts.
"""

from collections.abc import Iterator, Sequence
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
from ..plots import Embeddings
from ..processes import ALONE
from ..report import Comparison
from ..tensors import fingerprint
from ..variants import BASELINE, FOAL_NET, VARIANTS, Variant, make_objective, weights
from .fit import fit_encoders, make_tokens
from .fuse import Heard, fit_fusion, pair, predict_pairs, unvaried
from .material import Material
from .tokens import hear

NOTES = (
    "Voices and faces of one label are paired, of different people; no recording is in two pairs.",
    "The encoders are frozen, so AVEL shares no weights with the classifier: it reaches it only by the choice of MEM's "
    "negatives and by the clipping of gradients.",
    "The last epoch counts in every run. Confidences are calibrated on the validation pairs.",
    "Test speakers and faces were not used for anything before.",
)


class Bench(NamedTuple):
    """What every row is trained and evaluated on."""

    config: Config
    run: Path
    tokens: dict[str, Heard]
    voice_weights: Tensor
    encoders: str
    """Fingerprint."""

    def pairs(self, fold: str) -> tuple[Tensor, Tensor]:
        """The fold's voices and faces, int64 `[n]` each."""
        return pair(self.tokens[fold].voices.labels, self.tokens[fold].faces.labels, once=True)


def ablate(
    config: Config, root: Path, run: Path, seeds: Sequence[int], command: str, skip_damaged: bool = False
) -> Ablation:
    """Train every row with every seed, or go on where an earlier run ended, and evaluate them on the same pairs."""
    material = Material(config, root, skip_damaged)
    image_encoder, audio_encoder = fit_encoders(config, material, run)
    tokens = make_tokens(config, material, image_encoder, audio_encoder, run)
    encoders = fingerprint(audio_encoder) + fingerprint(image_encoder)
    bench = Bench(config, run, tokens, material.voice_weights(), encoders)
    trained = {(variant, seed): train(bench, variant, seed) for seed in seeds for variant in VARIANTS}
    runs = ((variant, evaluate(bench, trained[variant, seed])) for variant in VARIANTS for seed in seeds)
    comparison = Comparison(collect(runs), BASELINE.name, config.labels, command, NOTES)
    foal_nets = [trained[FOAL_NET, seed] for seed in seeds]
    before, after = (embed(bench, trained[variant, seeds[0]]) for variant in (BASELINE, FOAL_NET))
    return Ablation(comparison, (before, after), [window_curve(bench, material, audio_encoder, foal_nets)])


def train(bench: Bench, variant: Variant, seed: int) -> Objective | SingleObjective:
    """One row with one seed."""
    config = bench.config
    config = msgspec.structs.replace(config, seed=seed, objective=weights(config, variant))
    torch.manual_seed(seed)
    smoothing = voices_and_faces(config).fusion_stage.label_smoothing
    objective = make_objective(config, variant, smoothing, ALONE)
    folder = bench.run / "ablation" / f"{slug(variant.name)}-{seed}"
    inputs = f"{variant.name} {bench.encoders}"
    folds = bench.tokens
    title = f"{variant.name}, seed {seed}"
    fit_fusion(config, objective, folds["train"], bench.voice_weights, folds["validation"], folder, inputs, title)
    return objective.eval()


def evaluate(bench: Bench, objective: Objective | SingleObjective) -> dict[str, Prediction]:
    """Calibrated predictions of the validation and the test pairs, and of either modality of them alone."""
    voices, faces = bench.pairs("validation")
    held_out = bench.tokens["validation"]
    logits = predict_pairs(objective, held_out, voices, faces, "both")
    temperature = fit_temperature(logits, held_out.voices.labels[voices], torch.ones(len(logits)))
    found = {}
    for fold in ("test", "validation"):
        for modality in objective.modalities if len(objective.modalities) > 1 else ("both",):
            name = f"{fold} pairs" + ("" if modality == "both" else f", {modality} alone")
            found[name] = predict(bench.tokens[fold], objective, bench.pairs(fold), temperature, modality)
    return found


def predict(
    fold: Heard,
    objective: Objective | SingleObjective,
    pairs: tuple[Tensor, Tensor],
    temperature: float,
    modality: Modality,
) -> Prediction:
    """One evaluation."""
    probs = (predict_pairs(objective, fold, *pairs, modality) / temperature).softmax(dim=1)
    return Prediction(probs.numpy(), fold.voices.labels[pairs[0]].numpy())


@torch.no_grad()
def embed(bench: Bench, objective: Objective | SingleObjective) -> Embeddings:
    """The AVEL embeddings of the test pairs."""
    assert isinstance(objective, Objective), "a single modality is not aligned"
    voices, faces = bench.pairs("test")
    audio, video = objective.fusion.embed(*unvaried(bench.tokens["test"], voices, faces))
    return Embeddings(audio.numpy(), video.numpy(), bench.tokens["test"].voices.labels[voices].numpy())


def window_curve(
    bench: Bench, material: Material, encoder: NanoAudioEncoder, objectives: Sequence[Objective | SingleObjective]
) -> Curve:
    """UA of the test pairs where only the first seconds of each voice are heard."""
    heard: dict[str, Modality] = {"both": "both", "audio alone": "audio"}
    lines: dict[str, list[Interval]] = {name: [] for name in heard}
    for fold in cut_folds(bench, material, encoder):
        for name, modality in heard.items():
            runs = [predict(fold, objective, bench.pairs("test"), 1.0, modality) for objective in objectives]
            lines[name].append(accuracies(outcome(runs)).ua)
    return Curve("window", "seconds of the voice that are heard", list(WINDOWS_S), lines)


def cut_folds(bench: Bench, material: Material, encoder: NanoAudioEncoder) -> Iterator[Heard]:
    """The test fold with voices of each length."""
    waveforms, labels = material.waveforms("test")
    for window_s in WINDOWS_S:
        samples = round(window_s * bench.config.audio.rate_hz)
        path = bench.run / "tokens" / f"voices-test-{window_s:g}s.safetensors"
        voices = hear(bench.config, encoder, [audio[:samples] for audio in waveforms], labels, 1, path)
        yield Heard(voices, bench.tokens["test"].faces)
