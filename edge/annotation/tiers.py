"""Steady labels as WebVTT captions, an ELAN document and a Praat TextGrid; the libraries are imported when needed.

Where several people were followed, each has a tier.
"""

import os
from html import escape
from pathlib import Path

from ..system.printable import visible
from .annotate import Annotation
from .segments import Segment, milliseconds, segments_by_person

TIER = "emotion"
"""Name of the tier."""
PROGRAM = "foal-edge"


def write_vtt(annotation: Annotation, path: Path) -> None:
    """Write a caption a segment, which names its person; characters that WebVTT takes for markup are escaped."""
    from webvtt import Caption, WebVTT

    said = [
        (begin, end, escape(label if person is None else f"person {person}: {label}", quote=False))
        for person, found in segments_by_person(annotation.rows).items()
        for begin, end, label in found
    ]
    captions = [Caption(timestamp(begin), timestamp(end), text) for begin, end, text in sorted(said)]
    with path.open("w", encoding="utf-8", newline="") as file:
        WebVTT(captions=captions).write(file)


def tiers(annotation: Annotation) -> dict[str, list[Segment]]:
    """Return the segments of each tier by its name: one of all, or one of each person who was followed."""
    found = segments_by_person(annotation.rows) or {None: []}
    return {TIER if person is None else f"{TIER} person {person}": each for person, each in found.items()}


def timestamp(time_ms: int) -> str:
    """Return milliseconds as WebVTT writes them."""
    seconds, rest_ms = divmod(time_ms, 1000)
    minutes, rest_s = divmod(seconds, 60)
    hours, rest_minutes = divmod(minutes, 60)
    return f"{hours:02d}:{rest_minutes:02d}:{rest_s:02d}.{rest_ms:03d}"


def write_eaf(annotation: Annotation, path: Path) -> None:
    """Write an ELAN document with the tiers, linked to the recording by its address and from the document's folder."""
    from pympi import Eaf

    document = Eaf(author=PROGRAM)
    recording = annotation.recording.parent.resolve() / annotation.recording.name  # no .. in the address
    relative = Path(os.path.relpath(recording, path.absolute().parent)).as_posix()
    document.add_linked_file(
        recording.as_uri(),
        relpath=visible(relative if relative.startswith("../") else f"./{relative}"),
        mimetype=Eaf.MIMES.get(recording.suffix.lower().lstrip("."), "unknown"),
    )
    for name, found in tiers(annotation).items():
        document.add_tier(name)
        for begin, end, label in found:
            document.add_annotation(name, begin, end, label)
    document.remove_tier("default")
    document.to_file(str(path))


def write_textgrid(annotation: Annotation, path: Path) -> None:
    """Write a TextGrid with interval tiers that cover all of the recording."""
    from pympi import TextGrid

    named = tiers(annotation)
    ends = [segment.end_ms for found in named.values() for segment in found]
    grid = TextGrid(xmin=0, xmax=max(milliseconds(annotation.contents.duration_s or 0), 1, *ends) / 1000)
    for name, found in named.items():
        tier = grid.add_tier(name)
        for begin, end, label in found:
            tier.add_interval(begin / 1000, end / 1000, label, check=False)
    grid.to_file(str(path))
