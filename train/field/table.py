"""Table of a field test, in Markdown and for a terminal."""

from collections.abc import Iterator

from rich.table import Table

from ..intervals import Interval
from .figures import Figures
from .results import Results
from .rows import Row

EMPTY = "–"
HEADER = ("", "n", "UA % (95 %)", "WA %", "ECE %", "confidence", "no emotion %", "most said", "face found %")
LEGEND = (
    "UA with its 95 % interval over speakers (bootstrap); a window that publishes no emotion counts as wrong. "
    "ECE and confidence are of the emotions that are published. *No emotion*: share of windows that publish none "
    "(`uncertain`). *Most said*: the emotion published most often, with its share of all windows. "
    "One window is judged, which ends where the recording ends."
)


def markdown(results: Results) -> str:
    """Return a table for each section, the meaning of the figures, and the command."""
    parts = [f"{results.model}. " + ", ".join(f"{name} {value}" for name, value in results.settings.items()) + "."]
    for section, rows in sections(results).items():
        columns = used_columns(rows)
        lines = [[HEADER[column] for column in columns], [":--"] + ["--:"] * (len(columns) - 1)]
        lines += [[cells(row)[column] for column in columns] for row in rows]
        parts.append(f"## {section.capitalize()}\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines))
        notes = [f"- {row.name}: {further(row)}" for row in rows if row.more]
        parts += ["\n".join(notes)] if notes else []
    parts += [LEGEND, f"Made by\n\n```sh\n{results.command}\n```"]
    return "\n\n".join(parts) + "\n"


def terminal_tables(results: Results) -> Iterator[Table | str]:
    """Yield the same tables for a terminal, each followed by its further figures."""
    for section, rows in sections(results).items():
        columns = used_columns(rows)
        table = Table(title=section)
        for column in columns:
            table.add_column(HEADER[column], justify="right" if column else "left")
        for row in rows:
            table.add_row(*(cells(row)[column] for column in columns))
        yield table
        yield from (f"{row.name}: {further(row)}" for row in rows if row.more)


def sections(results: Results) -> dict[str, list[Row]]:
    """Return the rows by section, in the order of the sections' first rows."""
    found: dict[str, list[Row]] = {}
    for row in results.rows:
        found.setdefault(row.section, []).append(row)
    return found


def used_columns(rows: list[Row]) -> list[int]:
    """Return the numbers of the columns that hold a figure in some row."""
    lines = [cells(row) for row in rows]
    return [column for column in range(len(HEADER)) if any(line[column] != EMPTY for line in lines)]


def cells(row: Row) -> list[str]:
    """Return a row's cells, one for each column of the header."""
    figures = row.figures
    return [
        row.name,
        str(figures.count),
        interval(figures.ua),
        EMPTY if figures.wa is None else percent(figures.wa.mean),
        percent(figures.ece),
        EMPTY if figures.confidence is None else f"{figures.confidence:.2f}",
        percent(figures.uncertain),
        most_said(figures),
        percent(figures.found),
    ]


def summary(row: Row) -> str:
    """Return a row as a line, for the progress."""
    shown = zip(HEADER[1:], cells(row)[1:], strict=True)
    return f"{row.section}: {row.name}  " + "  ".join(f"{name} {cell}" for name, cell in shown if cell != EMPTY)


def interval(share: Interval | None) -> str:
    """Return an interval in percent, such as `77.7 (76 to 79)`."""
    return EMPTY if share is None else f"{100 * share.mean:.1f} ({100 * share.low:.0f} to {100 * share.high:.0f})"


def percent(share: float | None) -> str:
    """Return a share in percent."""
    return EMPTY if share is None else f"{100 * share:.1f}"


def most_said(figures: Figures) -> str:
    """Return the emotion that is said most often, with its share."""
    return EMPTY if figures.said is None else f"{figures.said} {100 * figures.said_share:.0f} %"


def further(row: Row) -> str:
    """Return the further figures of a row."""
    return ", ".join(f"{name} {100 * figure:.1f}" for name, figure in row.more.items())
