"""Tables of comma-separated values, with errors that name the line."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..errors import UsageError
from ..system.files import check_file


def rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield line numbers and the values of `columns`; UsageError for a missing column or value, or an open quote."""
    # Without `strict`, a quote that is never closed would swallow the lines after it.
    reader = csv.DictReader(io.StringIO(text_of(path), newline=""), strict=True)
    row_begins = 1
    try:
        check_columns(path, reader.fieldnames or [], columns)
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
