"""Tables of rows: CSV with columns that users of OpenFace and Py-feat know, and JSON Lines."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import structs

from ..errors import UsageError
from ..evaluation.csv_table import PROBABILITY, check_columns, text_of, write_rows
from ..validation import UNREADABLE, explain
from .rows import Row

BOX = ("FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight")
DERIVED = ("timestamp", "success", *BOX)
"""Columns that say again, under the names of other programs, what other columns say."""
PLAIN = tuple(name for name in Row.__struct_fields__ if name not in ("probs", "box"))


def flatten(row: Row) -> dict[str, Any]:
    """Return a row as the values of its CSV columns, in their order; None for a missing one."""
    fields = structs.asdict(row)
    probs = {f"{PROBABILITY}{label}": probability for label, probability in fields.pop("probs").items()}
    box = fields.pop("box") or (None,) * len(BOX)
    face = {"timestamp": row.end_s, "success": int(row.box is not None), **dict(zip(BOX, box, strict=True))}
    at = PLAIN.index("steady_label") + 1
    plain = list(fields.items())
    return {**dict(plain[:at]), **probs, **dict(plain[at:]), **face}


def write_csv(rows: Sequence[Row], path: Path) -> None:
    """Write rows as CSV; a recording without rows has no header either."""
    write_rows(path, [flatten(row) for row in rows])


def write_jsonl(rows: Sequence[Row], path: Path) -> None:
    """Write rows as JSON Lines, an object a row."""
    path.write_bytes(msgspec.json.Encoder().encode_lines(rows))


def read_rows(path: Path) -> list[Row]:
    """Read the rows of a CSV or JSON Lines file of `foal-edge annotate`; UsageError names what is wrong and where."""
    text = text_of(path)
    lines = text.splitlines()
    if lines and lines[0].lstrip().startswith("{"):
        return [build_row(msgspec.json.decode, line, path, number) for number, line in enumerate(lines, 1)]
    reader = csv.DictReader(io.StringIO(text, newline=""), restkey="more", strict=True)
    try:
        check_columns(path, reader.fieldnames or [], [*PLAIN, *BOX])
        return [build_row(unflatten, values, path, reader.line_num) for values in reader]
    except csv.Error as error:
        raise UsageError(
            f"{path}, after line {reader.line_num}: {error}; make it again with foal-edge annotate"
        ) from error


def build_row(decode: Any, source: Any, path: Path, line: int) -> Row:
    """Return the row that `decode` makes of a line; UsageError with its number if it is none."""
    data = source
    try:
        data = decode(source)
        return msgspec.convert(data, Row, strict=False)
    except UNREADABLE as error:
        raise UsageError(
            f"{path}, line {line}: {explain(error, data, Row)}; make it again with foal-edge annotate"
        ) from error


def unflatten(values: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a row from its CSV values."""
    fields: dict[str, Any] = {name: values[name] or None for name in PLAIN}
    fields["probs"] = {
        name.removeprefix(PROBABILITY): value for name, value in values.items() if name.startswith(PROBABILITY)
    }
    box = [values[name] for name in BOX]
    fields["box"] = box if all(box) else None
    return fields
