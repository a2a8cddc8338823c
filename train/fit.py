"""The whole training: encoders, their tokens, fusion, calibration, evaluation. Each part is kept and not done twice."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from edge.metrics import Accuracy, evaluate
from edge.show import accuracy_table, confusion_table

from .calibration import fit_temperature
from .checkpoint import Checkpoint, build, save
from .config import Config
from .encode import fit_audio_encoder, fit_image_encoder
from .encoders.nano_audio import NanoAudioEncoder
from .encoders.nano_image import NanoImageEncoder
from .foalnet import FoalNet
from .fuse import MODALITIES, fit_fusion, predict
from .material import Material
from .optimise import console
from .tokens import FaceTokens, VoiceTokens, hear, see

EncoderStage = Literal["faces", "voices"]


def fit(config: Config, root: Path, run: Path, only: EncoderStage | None) -> Path | None:
    """Train into the folder `run` and return the checkpoint; with `only`, one encoder and nothing else."""
    material = Material(config, root)
    image_encoder = audio_encoder = None
    if only != "voices":
        image_encoder = fit_image_encoder(config, material.crops("train"), material.crops("validation"), run)
    if only != "faces":
        audio_encoder = fit_audio_encoder(
            config,
            material.sounds("train"),
            material.voice_weights(),
            material.sounds("validation"),
            run,
        )
    if image_encoder is None or audio_encoder is None:
        return None
    tokens = make_tokens(config, material, image_encoder, audio_encoder, run)
    torch.manual_seed(config.seed)
    model = build(config)
    model.image_encoder, model.audio_encoder = image_encoder, audio_encoder
    fit_fusion(config, model, tokens["train"], material.voice_weights(), tokens["validation"], run)
    temperature = calibrate(model.eval(), *tokens["validation"])
    figures = evaluate_all(model, temperature, material, tokens)
    report(config, figures, temperature, run)
    measured = {name: {"count": row.count, "ua": row.ua, "wa": row.wa, "ece": row.ece} for name, row in figures.items()}
    path = run / "checkpoint.safetensors"
    save(path, Checkpoint(model, config, temperature, measured))
    return path


def make_tokens(
    config: Config, material: Material, image_encoder: NanoImageEncoder, audio_encoder: NanoAudioEncoder, run: Path
) -> dict[str, tuple[VoiceTokens, FaceTokens]]:
    """Tokens of every fold; several views of what is trained on, one of the rest."""
    made = {}
    for fold in ("train", "validation", "test"):
        views = config.fusion_weights.views if fold == "train" else 1
        made[fold] = (
            hear(config, audio_encoder, *material.sounds(fold), views, run / "tokens" / f"voices-{fold}.safetensors"),
            see(config, image_encoder, *material.crops(fold), views, run / "tokens" / f"faces-{fold}.safetensors"),
        )
    return made


def calibrate(model: FoalNet, heard: VoiceTokens, seen: FaceTokens) -> float:
    """One temperature for audio alone, video alone and both, each weighing the same."""
    parts = [predict(model, heard, seen, modality) for modality in MODALITIES]
    weights = torch.cat([torch.full((len(labels),), 1 / len(labels), dtype=torch.float64) for _, labels in parts])
    return fit_temperature(torch.cat([p[0] for p in parts]), torch.cat([p[1] for p in parts]), weights)


def evaluate_all(
    model: FoalNet, temperature: float, material: Material, tokens: dict[str, tuple[VoiceTokens, FaceTokens]]
) -> dict[str, Accuracy]:
    """Validation and test, by modality, and the voices by corpus as well."""
    figures = {}
    for fold in ("validation", "test"):
        heard, seen = tokens[fold]
        for modality in MODALITIES:
            logits, labels = predict(model, heard, seen, modality)
            probs = (logits / temperature).softmax(dim=1).numpy()
            figures[f"{fold} {modality}"] = evaluate(probs, labels.numpy())
            if modality == "audio":
                corpora = np.array([voice.corpus for voice in material.voices[fold]])
                for corpus in np.unique(corpora):
                    of = corpora == corpus
                    figures[f"{fold} {corpus}"] = evaluate(probs[of], labels.numpy()[of])
    return figures


def report(config: Config, figures: dict[str, Accuracy], temperature: float, run: Path) -> None:
    """Print the figures, and keep them as JSON."""
    console.print(accuracy_table(figures))
    for name, row in figures.items():
        if name.split()[1] in MODALITIES:
            console.print(confusion_table(name, config.labels, row))
    console.print(f"temperature {temperature:.3f}")
    text = json.dumps({"temperature": temperature, **{name: asdict(row) for name, row in figures.items()}}, indent=1)
    (run / "report.json").write_text(text + "\n")
