"""Report of an annotation: its table, and the note beside it where there is one."""

from pathlib import Path
from typing import Any

import msgspec

from ..annotation.about import About, read_about
from ..annotation.collection import MARK
from ..annotation.rows import by_person
from ..annotation.tables import read_rows
from ..errors import UsageError
from .contents import Report, Section


def read_table(path: Path) -> Report:
    """Read a CSV or JSON Lines file of `foal-edge annotate`; UsageError where it is none or has no row."""
    rows = read_rows(path)
    if not rows:
        raise UsageError(f"{path} has no rows; give a table of foal-edge annotate, or a recording of --record")
    about = read_about(path.with_name(f"{path.name.partition(MARK)[0]}{MARK}.about.json"))
    name = about.recording if about else path.name
    return Report(
        title=Path(name).name,
        sections=[
            Section(name if person is None else f"{name}, person {person}", own)
            for person, own in by_person(rows).items()
        ],
        settings=flatten(msgspec.to_builtins(about.settings)) if about else {},
        versions=about.versions if about else {},
        notes=notes_of(about, path),
    )


def notes_of(about: About | None, path: Path) -> list[str]:
    """Return the warnings of an annotation."""
    return about.notes if about else [f"settings and versions are not known: there is no note beside {path.name}"]


def flatten(values: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """Return nested settings as text by their names, joined by points; those that are not set are left out."""
    found: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            found |= flatten(value, f"{prefix}{name}.")
        elif value is not None:
            found[f"{prefix}{name}"] = str(value)
    return found
