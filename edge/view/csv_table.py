"""Table of a stream's history as CSV: a row for each prediction, times in nanoseconds as on the wire."""

import csv
import io
from collections.abc import Iterable

from ..wire.evidence import Latency
from .history import Point

COLUMNS = ("session", "seq", "t_start", "t_end", "t_publish", "label", "confidence", "steady", "agreement")
EVIDENCE = ("audio_state", "rms_dbfs", "speech", "video_state", "faces", "frames")


def csv_table(points: Iterable[Point]) -> str:
    """Return the points, which have the same labels, as a table; an empty cell is a null of the message."""
    points = list(points)
    labels = points[0].prediction.labels if points else []
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    stages = [f"{stage}_ms" for stage in Latency.__struct_fields__]
    table.writerow([*COLUMNS, *(f"p_{label}" for label in labels), *EVIDENCE, *stages, "dropped"])
    for point in points:
        each = point.prediction
        table.writerow(
            [
                *(getattr(each, name) for name in COLUMNS[:7]),
                point.steady,
                each.agreement,
                *each.probs,
                each.audio.state,
                each.audio.rms_dbfs,
                each.audio.speech,
                each.video.state,
                each.video.faces,
                each.video.frames,
                *(getattr(each.latency_ms, stage) for stage in Latency.__struct_fields__),
                sum(each.dropped.values()),
            ]
        )
    return text.getvalue()
