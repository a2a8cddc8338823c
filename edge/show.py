"""Messages and figures as a person reads them, on a terminal."""

from collections.abc import Collection, Iterable, Sequence

import numpy as np
from rich.table import Table

from .doctor import Finding
from .messages import Latency, Message, Prediction
from .metrics import Accuracy


def line(message: Message) -> str:
    """A message in one line."""
    if isinstance(message, Prediction):
        agreement = "  -  " if message.agreement is None else f"{message.agreement:+.2f}"
        probs = "  ".join(f"{label} {p:4.0%}" for label, p in zip(message.labels, message.probs, strict=True))
        window_s = (message.mono_end - message.mono_start) / 1e9
        return (
            f"{message.stream} #{message.seq}  {message.label:<8}  {probs}  agreement {agreement}  "
            f"audio {message.audio.state}  video {message.video.state} ({message.video.frames} frames)  "
            f"window {window_s:.1f} s  latency {message.latency_ms.total:.1f} ms"
        )
    return f"{message.stream} {message.state}: audio {message.audio}, video {message.video}"


def latency_table(predictions: Collection[Prediction]) -> Table:
    """Percentiles of each stage's milliseconds, and how many predictions were missed."""
    table = Table(
        "ms", "p50", "p95", "p99", "max", title=f"{len(predictions)} predictions, {missed(predictions)} missed"
    )
    for stage in Latency.__struct_fields__:
        values = [getattr(prediction.latency_ms, stage) for prediction in predictions]
        table.add_row(stage, *(f"{value:.1f}" for value in np.percentile(values, [50, 95, 99, 100])))
    return table


def missed(predictions: Iterable[Prediction]) -> int:
    """How many of the streams' numbers are not there."""
    numbers: dict[tuple[str, str], list[int]] = {}
    for prediction in predictions:
        numbers.setdefault((prediction.session, prediction.stream), []).append(prediction.seq)
    return sum(max(seen) - min(seen) + 1 - len(seen) for seen in numbers.values())


def accuracy_table(rows: dict[str, Accuracy]) -> Table:
    """UA, WA and calibration error, a row an evaluation."""
    table = Table()
    for column in ("", "count", "UA %", "WA %", "ECE %"):
        table.add_column(column, justify="left" if not column else "right")
    for name, row in rows.items():
        table.add_row(name, str(row.count), *(f"{100 * share:.1f}" for share in (row.ua, row.wa, row.ece)))
    return table


def confusion_table(title: str, labels: Sequence[str], accuracy: Accuracy) -> Table:
    """The confusion matrix, row = truth, column = prediction."""
    table = Table("truth \\ predicted", *labels, title=title)
    for label, row in zip(labels, accuracy.confusion, strict=True):
        table.add_row(label, *map(str, row))
    return table


def findings_table(findings: Iterable[Finding]) -> Table:
    """A row a graph: how far it is from its golden outputs, and how long a batch of one takes."""
    table = Table()
    for column in ("graph", "precision"):
        table.add_column(column, no_wrap=True)
    for column in ("difference", "tolerance", "ms"):
        table.add_column(column, justify="right")
    table.add_column("")
    for finding in findings:
        figures = f"{finding.difference:.1e}", f"{finding.tolerance:.1e}", f"{finding.median_ms:.2f}"
        table.add_row(finding.graph, finding.precision, *figures, "ok" if finding.is_sound else "too far")
    return table
