"""Format of the tables: Markdown, and the text of their cells."""

import math
from collections.abc import Iterable, Mapping, Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from .figures import PERCENTILES, drops, percentiles_ms
from .report import Series
from .statistics import Interval

LATENCY_COLUMNS = (*(f"p{wanted}" for wanted in PERCENTILES), "max")
TEXT_COLUMNS = (
    "scenario", "operation", "candidate", "bundle", "manifest", "precision", "about", "verdict", "ended early",
)  # fmt: skip
"""Columns that, like those of drops, are aligned to the left."""


def markdown(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """Build a table without the columns that are empty in all rows, as wide as its cells on any terminal."""
    kept = list(rows)
    shown = [index for index in range(len(columns)) if any(row[index] for row in kept)]
    widths = [max(len(row[index]) for row in (columns, *kept)) for index in shown]
    table = Table(box=box.MARKDOWN, width=sum(widths) + 3 * len(widths) + 1)
    for index, width in zip(shown, widths, strict=True):
        is_text = columns[index] in TEXT_COLUMNS or columns[index].startswith("dropped")
        table.add_column(Text(columns[index]), justify="left" if is_text else "right", width=width, no_wrap=True)
    for row in kept:
        table.add_row(*(Text(row[index]) for index in shown))
    return table


def latency_cells(series: Series) -> list[str]:
    """Return the cells under `LATENCY_COLUMNS`, `-` where the samples do not support one."""
    largest = max(series.samples_ms, default=None)
    return [number(value) or "-" for value in (*percentiles_ms(series), largest)]


def size_or_rate(series: Series) -> str:
    """Return the size of a series, or the arrival rate where windows arrive at random."""
    return f"{series.size}" if series.arrivals_per_s is None else f"{series.arrivals_per_s:.3g} per s"


def drop_counts(series: Series) -> str:
    """Return each drop reason that occurred, with its count."""
    return ", ".join(f"{reason} {count:,}" for reason, count in drops(series).items()) or "none"


def ratio_cells(ratio: Interval) -> tuple[str, str]:
    """Return the cells of a ratio and its interval, `-` where the samples support none."""
    return f"{ratio.value:.3f}", f"{ratio.low:.3f} to {ratio.high:.3f}" if ratio.is_bounded else "-"


def precisions(precision: Mapping[str, str]) -> str:
    """Return the precision of each graph, as one word where all have the same."""
    if len(set(precision.values())) == 1:
        return next(iter(precision.values()))
    return ", ".join(f"{graph} {width}" for graph, width in precision.items())


def number(value: float | None) -> str:
    """Format a number with three significant digits, and all before the point; empty for None."""
    if value is None:
        return ""
    before = math.floor(math.log10(abs(value))) if value else 0
    return f"{value:,.{min(max(2 - before, 0), 6)}f}"
