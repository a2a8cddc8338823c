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
        titles, *lines = columns_of(rows)
        lines = [titles, [":--"] + ["--:"] * (len(titles) - 1), *lines]
        parts.append(f"## {section.capitalize()}\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines))
        notes = [f"- {row.name}: {further(row)}" for row in rows if row.more]
        parts += ["\n".join(notes)] if notes else []
    parts += [LEGEND, f"Made by\n\n```sh\n{results.command}\n```"]
    return "\n\n".join(parts) + "\n"


def terminal_tables(results: Results) -> Iterator[Table | str]:
    """Yield the same tables for a terminal, each followed by its further figures."""
    for section, rows in sections(results).items():
        titles, *lines = columns_of(rows)
        table = Table(title=section)
        for title in titles:
            table.add_column(title, justify="right" if title else "left")
        for line in lines:
            table.add_row(*line)
        yield table
        yield from (f"{row.name}: {further(row)}" for row in rows if row.more)


def sections(results: Results) -> dict[str, list[Row]]:
    """Return the rows by section, in the order of the sections' first rows."""
    found: dict[str, list[Row]] = {}
    for row in results.rows:
        found.setdefault(row.section, []).append(row)
    return found


def columns_of(rows: list[Row]) -> list[list[str]]:
    """Return the titles of the columns that hold a figure in some row, then the cells of each row."""
    lines = [titles_of(rows[0]), *map(cells, rows)]
    used = [number for number in range(len(lines[0])) if any(line[number] != EMPTY for line in lines[1:])]
    return [[line[number] for number in used] for line in lines]


def titles_of(row: Row) -> list[str]:
    """Return the titles of a row's cells."""
    return ["", "n", *row.own.columns] if row.own else list(HEADER)


def cells(row: Row) -> list[str]:
    """Return a row's cells."""
    figures = row.figures
    if row.own:
        return [row.name, str(row.own.count), *(number(figure) for figure in row.own.columns.values())]
    assert figures is not None, "a row has figures of one kind"
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
    shown = zip(titles_of(row)[1:], cells(row)[1:], strict=True)
    return f"{row.section}: {row.name}  " + "  ".join(f"{name} {cell}" for name, cell in shown if cell != EMPTY)


def number(figure: Interval) -> str:
    """Return a figure with its interval, such as `97.7 (96 to 99)`."""
    return f"{figure.mean:.1f} ({figure.low:.0f} to {figure.high:.0f})"


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
