"""Figures of a trained model: on the terminal, as JSON beside the checkpoint, and inside it."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import Tensor

from edge.evaluation.metrics import Accuracy, evaluate
from edge.evaluation.tables import accuracy_table, confusion_table

from .calibration import remark_on
from .log import console
from .objective import MODALITIES


def accuracy(logits: Tensor, labels: Tensor) -> dict[str, float]:
    """Return UA and WA of logits `[N, C]`, for an epoch's log line."""
    figures = evaluate(logits.softmax(dim=1).numpy(), labels.numpy())
    return {"ua": figures.ua, "wa": figures.wa}


def measured(figures: dict[str, Accuracy]) -> dict[str, dict[str, float]]:
    """Return the figures of each evaluation that a checkpoint stores."""
    return {
        name: {"count": float(row.count), "ua": row.ua, "wa": row.wa, "ece": row.ece} for name, row in figures.items()
    }


def report(labels: Sequence[str], figures: dict[str, Accuracy], temperature: float, folder: Path) -> None:
    """Print the figures and write them to `report.json` in the folder. Evaluations are named `fold modality`.

    A temperature at a limit is remarked on in both.
    """
    console.print(accuracy_table(figures))
    for name, row in figures.items():
        if name.split()[1] in MODALITIES:
            console.print(confusion_table(name, labels, row))
    console.print(f"temperature {temperature:.3f}")
    found: dict[str, Any] = {"temperature": temperature}
    if remark := remark_on(temperature):
        console.print(remark)
        found["remark"] = remark
    text = json.dumps({**found, **{name: asdict(row) for name, row in figures.items()}}, indent=1)
    (folder / "report.json").write_text(text + "\n")
