"""Rows that the chart of a stream is fed with: one for each prediction, and one of nothing where some are missing.

A row is `[t, p0, ..., agreement, level, speech, steady, audio, video]`: the end of a window in milliseconds of Unix
time, a probability for each label, and what stood beside them. `chart.js` keeps the rows and draws them.
"""

from collections.abc import Sequence
from typing import Any

from ..wire.messages import Prediction
from .history import Point, StreamHistory
from .palette import STATE_COLOURS, looks, text_colour

Row = list[float | str | None]
COLUMNS = ("agreement", "level", "speech", "steady", "audio", "video")
"""Columns after the probabilities."""
MOST_MISSING = 3.0
"""Number of hops without a prediction that the band still bridges."""


def row(point: Point) -> Row:
    """Return the row of a point."""
    prediction = point.prediction
    return [
        point.time_ns / 1e6,
        *(round(p, 4) for p in prediction.probs),
        prediction.agreement,
        prediction.audio.rms_dbfs,
        prediction.audio.speech,
        point.steady,
        prediction.audio.state,
        prediction.video.state,
    ]


def gap(after: Prediction) -> Row:
    """Return the row that ends the band one millisecond after a prediction."""
    return [after.t_end / 1e6 + 1, *[None] * (len(after.labels) + len(COLUMNS))]


def new_rows(history: StreamHistory, revision: int, hop_s: float) -> list[Row]:
    """Return the rows that a chart lacks which has been given those up to a revision."""
    newer = history.since(revision)
    at = len(history.points) - len(newer)
    before = history.points[at - 1].prediction if at > 0 else None
    found: list[Row] = []
    for point in newer:
        prediction = point.prediction
        if before is not None and prediction.t_end - before.t_end > MOST_MISSING * hop_s * 1e9:
            found.append(gap(before))
        found.append(row(point))
        before = prediction
    return found


def appearance(labels: Sequence[str]) -> dict[str, Any]:
    """Return what `chart.js` has to know of a stream: its columns, and the fill and text of labels and states."""
    fills = {label: look.colour for label, look in looks(labels).items()} | STATE_COLOURS
    return {
        "labels": list(labels),
        "columns": ["t", *labels, *COLUMNS],
        "patterns": [looks(labels)[label].pattern for label in labels],
        "fills": {name: [colour, text_colour(colour)] for name, colour in fills.items()},
    }
