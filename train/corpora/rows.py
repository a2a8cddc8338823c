"""Tables of comma-separated values, with the line of whatever is wrong in them."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from edge.errors import UsageError


def rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Line numbers and the values of `columns`; UsageError where a column or a value is missing."""
    if not path.is_file():
        raise UsageError(f"no table at {path}")
    # Without `strict`, a quote that is never closed would swallow the lines after it.
    reader = csv.DictReader(io.StringIO(decoded(path), newline=""), strict=True)
    found = reader.fieldnames or []
    absent = [column for column in columns if column not in found]
    if absent:
        raise UsageError(
            f"{path} has no column {', '.join(absent)}; its first line is {','.join(found)!r}, "
            f"expected {','.join(columns)!r}"
        )
    try:
        for row in reader:
            if None in row:
                raise UsageError(
                    f"{path}, line {reader.line_num}: more than {len(found)} values; quote what has a comma"
                )
            for column in columns:
                if not row[column]:
                    raise UsageError(f"{path}, line {reader.line_num}: no {column}; fill it in or delete the line")
            yield reader.line_num, {column: row[column] for column in columns}
    except csv.Error as error:
        raise UsageError(f"{path}, after line {reader.line_num}: {error}; mend what follows it") from error


def decoded(path: Path) -> str:
    """A file's text: UTF-8, or else Windows' western encoding, which older corpora are in."""
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")
