"""Whole training: encoders, their tokens, fusion, calibration, evaluation. Finished parts are not repeated."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from edge.evaluation.metrics import Accuracy, evaluate

from ..calibration import fit_common_temperature, fit_factors, joined
from ..checkpoint import Checkpoint, make_fusion, save
from ..config import Config, voices_and_faces
from ..encoders.nano_audio import NanoAudioEncoder
from ..encoders.nano_image import NanoImageEncoder
from ..figures import measured, report
from ..foalnet import FoalNet
from ..objective import MODALITIES, Objective
from ..origin import Origin, start_fusion
from ..tensors import fingerprint
from .audio_stage import fit_audio_encoder
from .dataset import Dataset
from .fusion_stage import evaluation_pairs, fit_fusion, logit_terms, predict
from .image_stage import fit_image_encoder
from .moving import MovingLearner, in_context
from .tokens import FoldTokens, encode_faces, encode_voices

EncoderStage = Literal["faces", "voices"]


def fit(
    config: Config,
    root: Path,
    run: Path,
    only: EncoderStage | None,
    skip_damaged: bool = False,
    origin: Origin | None = None,
) -> Path | None:
    """Train into the folder `run` and return the checkpoint's path; with `only`, train one encoder and return None.

    With an origin both encoders are its own, and the fusion goes on from its weights, as do the layers that move.
    """
    dataset = Dataset(config, root, skip_damaged)
    if only == "faces":
        fit_image_encoder(config, dataset.faces["train"], dataset.faces["validation"], run)
        return None
    if only == "voices":
        train_voices(config, dataset, run)
        return None
    image_encoder, audio_encoder = nano_encoders(config, dataset, run, origin)
    tokens = make_tokens(config, dataset, image_encoder, audio_encoder, run)
    torch.manual_seed(config.seed)
    objective = Objective(make_fusion(config), config.objective, voices_and_faces(config).fusion_stage.label_smoothing)
    inputs = fingerprint(audio_encoder) + fingerprint(image_encoder)
    if origin:
        start_fusion(objective.fusion, origin, config.labels)
        inputs += fingerprint(objective.fusion)
    weights = dataset.voice_weights(all_classes=False)
    moves = voices_and_faces(config).moving_layers
    learner = MovingLearner(objective, audio_encoder) if moves else objective
    fit_fusion(config, learner, tokens["train"], weights, tokens["validation"], run, inputs)
    if moves:
        tokens = {name: in_context(fold, audio_encoder) for name, fold in tokens.items() if name != "train"}
    temperature = calibrate(objective, [tokens["validation"], tokens["simulated"]])
    figures = evaluate_all(objective, temperature, dataset, tokens)
    report(config.labels, figures, temperature, run)
    model = FoalNet(audio_encoder, image_encoder, objective.fusion)
    path = run / "checkpoint.safetensors"
    save(path, Checkpoint(model, config, temperature, measured(figures), origin.ancestor if origin else None))
    return path


def calibrate(objective: Objective, folds: Sequence[FoldTokens]) -> float:
    """Return the temperature fitted on the folds; of a fusion of the product kind each term is calibrated first."""
    if objective.fusion.single_heads:
        terms = [logit_terms(objective, fold, name) for fold in folds for name in MODALITIES]
        objective.fusion.scale(fit_factors(*joined(terms)))
    return fit_common_temperature([predict(objective, fold, name) for fold in folds for name in MODALITIES])


def nano_encoders(
    config: Config, dataset: Dataset, run: Path, origin: Origin | None
) -> tuple[NanoImageEncoder, NanoAudioEncoder]:
    """Return the image and the audio encoder of an origin; without one they are trained, stages 1 and 2."""
    if origin is None:
        image_encoder = fit_image_encoder(config, dataset.faces["train"], dataset.faces["validation"], run)
        return image_encoder, train_voices(config, dataset, run)
    images, sounds = origin.model.image_encoder, origin.model.audio_encoder
    assert isinstance(images, NanoImageEncoder), "as configured"
    assert isinstance(sounds, NanoAudioEncoder), "as configured"
    return images, sounds


def train_voices(config: Config, dataset: Dataset, run: Path) -> NanoAudioEncoder:
    """Train the audio encoder, stage 2."""
    train, validation = (dataset.labelled_voices(fold) for fold in ("train", "validation"))
    weights = dataset.voice_weights(all_classes=True)
    return fit_audio_encoder(config, len(dataset.classes), train, weights, validation, run)


def make_tokens(
    config: Config, dataset: Dataset, image_encoder: NanoImageEncoder, audio_encoder: NanoAudioEncoder, run: Path
) -> dict[str, FoldTokens]:
    """Return the tokens of every fold, and of the validation fold in simulated windows, too.

    There are several views for the training fold and for simulated windows, one for the others.
    """
    made = {}
    for name, fold in (("train", "train"), ("validation", "validation"), ("simulated", "validation"), ("test", "test")):
        views = voices_and_faces(config).views if name in ("train", "simulated") else 1
        heard = dataset.labelled_voices(fold)
        crops = dataset.rated_crops(fold) if name == "train" else dataset.crops(fold)
        made[name] = FoldTokens(
            encode_voices(config, audio_encoder, heard, views, run / "tokens" / f"voices-{name}.safetensors"),
            encode_faces(config, image_encoder, *crops, views, run / "tokens" / f"faces-{name}.safetensors"),
        )
    return made


def evaluate_all(
    objective: Objective, temperature: float, dataset: Dataset, tokens: dict[str, FoldTokens]
) -> dict[str, Accuracy]:
    """Evaluate the validation and the test fold by modality, and the voices by corpus, too."""
    figures = {}
    for fold in ("validation", "simulated", "test"):
        for modality in MODALITIES:
            logits, labels = predict(objective, tokens[fold], modality)
            probs = (logits / temperature).softmax(dim=1).numpy()
            figures[f"{fold} {modality}"] = evaluate(probs, labels.numpy())
            if modality == "audio" and fold != "simulated":
                heard, _ = evaluation_pairs(tokens[fold], modality)
                corpora = np.array([dataset.voices[fold][index].corpus for index in heard])
                for corpus in np.unique(corpora):
                    of = corpora == corpus
                    figures[f"{fold} {corpus}"] = evaluate(probs[of], labels.numpy()[of])
    return figures
