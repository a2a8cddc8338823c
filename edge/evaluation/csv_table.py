"""Tables of comma-separated values, with errors that name the line."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..system.files import check_file

PROBABILITY = "p_"
"""Beginning of the columns of probabilities, before the label."""
NO_SYNONYMS: Mapping[str, Sequence[str]] = {}


def rows(
    path: Path, columns: Sequence[str], synonyms: Mapping[str, Sequence[str]] = NO_SYNONYMS
) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield line numbers and the values of `columns`; UsageError for a missing column or value, or an open quote.

    `synonyms` are other names of a column, in lower case, which are taken in any case where there is none of its own.
    """
    # Without `strict`, a quote that is never closed would swallow the lines after it.
    reader = csv.DictReader(io.StringIO(text_of(path), newline=""), strict=True)
    row_begins = 1
    try:
        named = name_columns(reader.fieldnames or [], columns, synonyms)
        check_columns(path, named, columns)
        reader.fieldnames = named
        row_begins = reader.line_num + 1
        for row in reader:
            if None in row:
                raise UsageError(
                    f"{path}, line {reader.line_num}: more than {len(row) - 1} values; quote what has a comma"
                )
            for column in columns:
                if not row[column]:
                    raise UsageError(f"{path}, line {reader.line_num}: no {column}; fill it in or delete the line")
            yield reader.line_num, {column: row[column] for column in columns}
            row_begins = reader.line_num + 1
    except csv.Error as error:
        raise UsageError(
            f"{path}, the row that begins in line {row_begins}: {error}; is a quote left open in it?"
        ) from error


def name_columns(found: Sequence[str], wanted: Sequence[str], synonyms: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the names of a table's columns, with synonyms replaced by the wanted names."""
    named = list(found)
    for column in wanted:
        known = (each for name in (column, *synonyms.get(column, ())) for each in named if each.strip().lower() == name)
        if column not in named and (taken := next(known, None)) is not None:
            named[named.index(taken)] = column
    return named


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows as CSV in UTF-8, floats with all their digits, None as nothing; no header where there is no row."""
    with path.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        if rows:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


def check_columns(path: Path, found: Sequence[str], wanted: Sequence[str]) -> None:
    """Raise UsageError unless each of the wanted columns is there, and no column twice."""
    absent = [column for column in wanted if column not in found]
    if absent:
        raise UsageError(
            f"{path} has no column {', '.join(absent)}; its first line is {','.join(found)!r}, "
            f"expected {','.join(wanted)!r}"
        )
    doubled = sorted({column for column in found if found.count(column) > 1})
    if doubled:
        raise UsageError(f"{path} has the column {', '.join(doubled)} more than once; rename or delete one of them")


def text_of(path: Path) -> str:
    """Return the text of a table: UTF-8, or else Windows' western encoding, in which older corpora are."""
    check_file(path, "give a CSV file", what="table")
    content = path.read_bytes()
    if b"\0" in content:
        raise UsageError(f"{path} holds NUL characters, as UTF-16 does; save it as CSV in UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")
