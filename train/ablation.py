"""Output of an ablation: tables, confusion matrices, embeddings before and after alignment, curves."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from edge.evaluation.metrics import Floats, Ints

from . import plots, report
from .intervals import Interval, Outcome
from .log import console
from .plots import Embeddings
from .report import Comparison
from .variants import Variant

WINDOWS_S = (2.0, 4.0, 6.0)
"""Window lengths, in seconds, that UA is plotted against."""


class Prediction(NamedTuple):
    """Predictions of one run for the utterances of one evaluation."""

    probs: Floats
    """`[N, C]`."""
    truth: Ints
    """`[N]`."""


class Curve(NamedTuple):
    """UA as a function of one setting."""

    name: str
    """Name, also that of the plot's file."""
    xlabel: str
    x: list[float]
    lines: dict[str, list[Interval]]


@dataclass(frozen=True)
class Ablation:
    """All results of an ablation."""

    comparison: Comparison
    aligned: tuple[Embeddings, Embeddings] | None
    """Embeddings of the baseline and of Foal-Net; None if only one of them was trained."""
    curves: Sequence[Curve]


def collect(runs: Iterable[tuple[Variant, dict[str, Prediction]]]) -> dict[str, dict[str, Outcome]]:
    """Return method -> evaluation -> outcome over all runs of the method, in the order of their first occurrence."""
    found: dict[str, dict[str, list[Prediction]]] = {}
    for variant, predictions in runs:
        for evaluation, prediction in predictions.items():
            found.setdefault(variant.name, {}).setdefault(evaluation, []).append(prediction)
    return {method: {name: outcome(part) for name, part in parts.items()} for method, parts in found.items()}


def outcome(runs: Sequence[Prediction]) -> Outcome:
    """Combine runs over the same utterances into one outcome."""
    return Outcome(np.stack([run.probs for run in runs]), runs[0].truth)


def write(ablation: Ablation, folder: Path) -> None:
    """Write the tables and plots into the folder, and print the tables."""
    comparison = ablation.comparison
    findings = report.find(comparison)
    report.write(findings, folder)
    for evaluation, cells in findings.cells.items():
        for method, cell in cells.items():
            title = f"{method}: {evaluation}, runs: {cell.runs}"
            path = folder / "confusion" / f"{slug(evaluation)}-{slug(method)}.png"
            plots.confusion(path, comparison.labels, np.array(cell.confusion), title)
    if ablation.aligned:
        plots.embeddings(folder / "embeddings.png", comparison.labels, *ablation.aligned)
    for curve in ablation.curves:
        plots.curves(folder / f"{curve.name}.png", curve.x, curve.lines, curve.xlabel, "UA")
    console.print(*report.terminal_tables(findings))
    console.print(f"tables and pictures: {folder}")


def slug(name: str) -> str:
    """Return a name in the form used in file names."""
    return "-".join("".join(letter if letter.isalnum() else " " for letter in name.lower()).split())
