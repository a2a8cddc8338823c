"""Messages and figures as a person reads them, on a terminal."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import numpy as np
from rich.table import Table

from ..backends.proof import Finding
from ..evaluation.metrics import Accuracy
from ..wire.control_messages import StatusReply
from ..wire.messages import Latency, Message, Prediction, Stats, SteadyState


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
    if isinstance(message, SteadyState):
        before = f", before {message.previous}" if message.previous is not None else ""
        return f"{message.stream} is {message.label} ({message.confidence:.0%}){before}"
    if isinstance(message, Stats):
        return (
            f"up {message.uptime_s:.0f} s  {message.predictions} predictions  hop {message.hop_s:g} s  "
            f"busy {message.busy:.0%}  waiting {counts(message.queues)}  dropped {counts(message.dropped)}"
        )
    return f"{message.stream} {message.state}: audio {message.audio}, video {message.video}"


def counts(numbers: Mapping[str, int]) -> str:
    """Those that are not 0."""
    return ", ".join(f"{name} {number}" for name, number in numbers.items() if number) or "nothing"


def status_report(reply: StatusReply) -> Iterator[str | Table]:
    """What runs, a row a stream, and the runtime's load."""
    width = max(map(len, reply.about), default=0)
    for name, value in reply.about.items():
        yield f"{name:<{width}}  {value}"
    table = Table("stream", "state", "audio", "video", "hop s", "dropped")
    for status in reply.streams:
        table.add_row(
            status.stream, status.state, status.audio, status.video, f"{status.hop_s:g}", counts(status.dropped)
        )
    yield table
    yield line(reply.stats) if reply.stats is not None else "no figures yet: they come every second"


def latency_table(predictions: Collection[Prediction], missed: int, skipped: int) -> Table:
    """Percentiles of each stage's milliseconds, how many predictions never came and how many were overtaken."""
    title = f"{len(predictions)} predictions, {missed} missed" + (f", {skipped} skipped" if skipped else "")
    table = Table("ms", "p50", "p95", "p99", "max", title=title)
    for stage in Latency.__struct_fields__:
        values = [getattr(prediction.latency_ms, stage) for prediction in predictions]
        table.add_row(stage, *(f"{value:.1f}" for value in np.percentile(values, [50, 95, 99, 100])))
    return table


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
        proof = finding.proof
        figures = f"{proof.difference:.1e}", f"{proof.tolerance:.1e}", f"{finding.median_ms:.2f}"
        table.add_row(proof.graph, finding.precision, *figures, "ok" if proof.is_within_tolerance else "too far")
    return table
