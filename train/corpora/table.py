"""Clips of the user's own: a table `path,label,speaker,fold`, its paths relative to its folder."""

from pathlib import Path

from edge.errors import UsageError
from edge.evaluation.csv_table import rows

from .utterance import Utterance, VideoSegment

ABOUT = "clips of one's own, on the terms that they were recorded under"
ONE_TRACK_IS_ENOUGH = True
"""True: a file may have audio, video or both."""


def utterances(root: Path) -> list[Utterance]:
    """Return the rows of the table, which is `root` itself or its `table.csv`; any label will do."""
    table = root / "table.csv" if root.is_dir() else root
    found: dict[str, Utterance] = {}
    for line, row in rows(table, ("path", "label", "speaker", "fold")):
        name = name_of(Path(row["path"]))
        if not name:
            raise UsageError(f"{table}, line {line}: path {row['path']!r} names no file; give a clip's")
        if name in found:
            raise UsageError(
                f"{table}, line {line}: {row['path']} is named {name} like an earlier line's file; rename or delete it"
            )
        path = table.parent / row["path"]
        found[name] = Utterance(
            name, path, row["label"], f"table-{row['speaker']}", "table", fold=row["fold"], video=VideoSegment(path)
        )
    if not found:
        raise UsageError(f"{table} has no rows; give each clip a line path,label,speaker,fold")
    return list(found.values())


def name_of(path: Path) -> str:
    """Return the path as one word, without the file's extension; empty if it has no name."""
    return "_".join(path.relative_to(path.anchor).with_suffix("").parts) if path.name else ""
