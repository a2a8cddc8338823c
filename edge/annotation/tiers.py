"""Steady labels as WebVTT captions, an ELAN document and a Praat TextGrid; the libraries are imported when needed."""

import os
from html import escape
from pathlib import Path

from ..system.printable import visible
from .annotate import Annotation
from .segments import milliseconds, segments

TIER = "emotion"
"""Name of the tier."""
PROGRAM = "foal-edge"


def write_vtt(annotation: Annotation, path: Path) -> None:
    """Write a caption a segment; characters that WebVTT takes for markup are escaped."""
    from webvtt import Caption, WebVTT

    captions = [
        Caption(timestamp(begin), timestamp(end), escape(label, quote=False))
        for begin, end, label in segments(annotation.rows)
    ]
    with path.open("w", encoding="utf-8", newline="") as file:
        WebVTT(captions=captions).write(file)


def timestamp(time_ms: int) -> str:
    """Return milliseconds as WebVTT writes them."""
    seconds, rest_ms = divmod(time_ms, 1000)
    minutes, rest_s = divmod(seconds, 60)
    hours, rest_minutes = divmod(minutes, 60)
    return f"{hours:02d}:{rest_minutes:02d}:{rest_s:02d}.{rest_ms:03d}"


def write_eaf(annotation: Annotation, path: Path) -> None:
    """Write an ELAN document with one tier, linked to the recording by its address and from the document's folder."""
    from pympi import Eaf

    document = Eaf(author=PROGRAM)
    recording = annotation.recording.parent.resolve() / annotation.recording.name  # no .. in the address
    relative = Path(os.path.relpath(recording, path.absolute().parent)).as_posix()
    document.add_linked_file(
        recording.as_uri(),
        relpath=visible(relative if relative.startswith("../") else f"./{relative}"),
        mimetype=Eaf.MIMES.get(recording.suffix.lower().lstrip("."), "unknown"),
    )
    document.add_tier(TIER)
    document.remove_tier("default")
    for begin, end, label in segments(annotation.rows):
        document.add_annotation(TIER, begin, end, label)
    document.to_file(str(path))


def write_textgrid(annotation: Annotation, path: Path) -> None:
    """Write a TextGrid with one interval tier that covers all of the recording."""
    from pympi import TextGrid

    found = segments(annotation.rows)
    end_ms = max(milliseconds(annotation.contents.duration_s or 0), found[-1].end_ms if found else 1, 1)
    grid = TextGrid(xmin=0, xmax=end_ms / 1000)
    tier = grid.add_tier(TIER)
    for begin, end, label in found:
        tier.add_interval(begin / 1000, end / 1000, label, check=False)
    grid.to_file(str(path))
