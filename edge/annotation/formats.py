"""Formats of annotations: the end of the file's name, the function that writes it, and what has to be installed."""

from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from ..errors import UsageError
from .annotate import Annotation
from .film import write_film
from .tables import write_csv, write_jsonl
from .tiers import write_eaf, write_textgrid, write_vtt

EXTRA = "annotate"


class Format(NamedTuple):
    """Format of a file."""

    suffix: str
    write: Callable[[Annotation, Path], None]
    module: str | None = None
    """Module that has to be importable; None for no module of others."""
    package: str | None = None
    """Package of PyPI that has it."""


FILM = "film"
"""Name of the format that is a copy of the film, which a recording without video does not have."""
FORMATS = {
    "csv": Format("csv", lambda annotation, path: write_csv(annotation.rows, path)),
    "jsonl": Format("jsonl", lambda annotation, path: write_jsonl(annotation.rows, path)),
    "vtt": Format("vtt", write_vtt, "webvtt", "webvtt-py"),
    "eaf": Format("eaf", write_eaf, "pympi", "pympi-ling"),
    "textgrid": Format("TextGrid", write_textgrid, "pympi", "pympi-ling"),
    FILM: Format("mkv", write_film),
}


def check_formats(names: Iterable[str]) -> None:
    """Raise UsageError with the remedy where a format needs a package that is not installed."""
    for name in names:
        wanted = FORMATS[name]
        if wanted.module is not None and find_spec(wanted.module) is None:
            raise UsageError(
                f"--format {name} needs the package {wanted.package}, which is not installed: "
                f"pip install 'foal-edge[{EXTRA}]'"
            )
