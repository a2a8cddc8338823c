"""Rows of an annotation, as short as they may be."""

from msgspec.structs import replace

from edge.annotation.rows import Row
from edge.geometry import Box

ROW = Row(
    start_s=0.0,
    end_s=0.5,
    label="glad",
    confidence=0.75,
    steady_label="glad",
    probs={"calm": 0.25, "glad": 0.75},
    agreement=-0.125,
    audio="ok",
    speech=0.5,
    rms_dbfs=-20.25,
    video="ok",
    faces=2,
    box=Box(10, 20, 30, 40),
    frames=3,
    frame=12,
    face_id=0,
)
UNSEEN = replace(ROW, agreement=None, video="off", faces=None, box=None, frames=0, frame=None, face_id=None)


def person_rows(person: int, *windows: int, label: str = "glad", hop_s: float = 0.5) -> list[Row]:
    """A row of a person in each of these windows, which are counted from 1 and begin two hops before."""
    rows = [
        replace(ROW, face_id=person, start_s=hop_s * (window - 2), end_s=hop_s * window, steady_label=label)
        for window in windows
    ]
    return [replace(row, start_s=max(0.0, row.start_s)) for row in rows]


def steady(*labels: str, hop_s: float = 0.5) -> list[Row]:
    """A row a hop, with these steady labels."""
    return [replace(ROW, end_s=hop_s * number, steady_label=label) for number, label in enumerate(labels, 1)]
