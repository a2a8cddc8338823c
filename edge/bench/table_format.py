"""Tables in Markdown and what stands in their cells."""

import math
from collections.abc import Iterable, Mapping, Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from .figures import PERCENTILES, drops, percentiles_ms
from .report import Series
from .statistics import Interval

LATENCIES = (*(f"p{wanted}" for wanted in PERCENTILES), "max")
WORDS = ("scenario", "what", "contender", "bundle", "manifest", "precision", "about", "verdict", "ended early")
"""The columns that are read from the left, beside those of drops."""


def markdown(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """A table without the columns that are empty in all rows, as wide as its cells on any terminal."""
    kept = list(rows)
    shown = [index for index in range(len(columns)) if any(row[index] for row in kept)]
    widths = [max(len(row[index]) for row in (columns, *kept)) for index in shown]
    table = Table(box=box.MARKDOWN, width=sum(widths) + 3 * len(widths) + 1)
    for index, width in zip(shown, widths, strict=True):
        is_words = columns[index] in WORDS or columns[index].startswith("dropped")
        table.add_column(Text(columns[index]), justify="left" if is_words else "right", width=width, no_wrap=True)
    for row in kept:
        table.add_row(*(Text(row[index]) for index in shown))
    return table


def latencies(series: Series) -> list[str]:
    """As `LATENCIES` heads them; `-` where the samples do not support it."""
    largest = max(series.samples_ms, default=None)
    return [number(value) or "-" for value in (*percentiles_ms(series), largest)]


def size_or_rate(size: int, rate: float | None) -> str:
    """How much at a time: the rate where windows arrive by chance."""
    return f"{size}" if rate is None else f"{rate:.3g} a second"


def dropped(series: Series) -> str:
    """Each reason that occurred."""
    return ", ".join(f"{reason} {count:,}" for reason, count in drops(series).items()) or "none"


def ratio_cells(ratio: Interval) -> tuple[str, str]:
    """A ratio and its interval."""
    return f"{ratio.value:.3f}", f"{ratio.low:.3f} to {ratio.high:.3f}"


def precisions(precision: Mapping[str, str]) -> str:
    """One word where all graphs have the same."""
    if len(set(precision.values())) == 1:
        return next(iter(precision.values()))
    return ", ".join(f"{graph} {width}" for graph, width in precision.items())


def number(value: float | None) -> str:
    """Three digits that count, and all before the point; empty where there is none."""
    if value is None:
        return ""
    before = math.floor(math.log10(abs(value))) if value else 0
    return f"{value:,.{min(max(2 - before, 0), 6)}f}"
