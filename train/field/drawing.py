"""Drawing of a field test: UA of every row with its interval, and the share that publishes no emotion."""

from pathlib import Path

from matplotlib.axes import Axes

from ..plots import blank_figure, colours, save
from .results import Results
from .rows import Row
from .table import sections

ROW_PX = 22
SECTION_PX = 60
FRAME_PX = 240
"""Height of the legend, the titles and the axis."""


def draw(path: Path, results: Results) -> bool:
    """Draw a panel for each section of emotions, one line a row, into a PNG; return False where there is none."""
    parts = {section: rows for section, rows in sections(results).items() if rows[0].figures}
    if not parts:
        return False
    heights = [SECTION_PX + ROW_PX * len(rows) for rows in parts.values()]
    figure = blank_figure(sum(heights) + FRAME_PX)
    panels = figure.subplots(len(parts), 1, squeeze=False, sharex=True, height_ratios=heights)[:, 0]
    for axes, (section, rows) in zip(panels, parts.items(), strict=True):
        draw_section(axes, section, rows)
    panels[-1].set_xlabel("%")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=2, frameon=False)
    save(figure, path)
    return True


def draw_section(axes: Axes, section: str, rows: list[Row]) -> None:
    """Draw the rows of one section from top to bottom."""
    blue, orange, *_ = colours(2)
    places = range(len(rows))
    figures = [row.figures for row in rows if row.figures]
    axes.barh(places, [100 * each.uncertain for each in figures], color=orange, alpha=0.35, label="no emotion")
    known = [(place, each.ua) for place, each in zip(places, figures, strict=True) if each.ua is not None]
    axes.errorbar(
        [100 * ua.mean for _, ua in known],
        [place for place, _ in known],
        xerr=[
            [100 * max(0.0, ua.mean - ua.low) for _, ua in known],
            [100 * max(0.0, ua.high - ua.mean) for _, ua in known],
        ],
        fmt="o",
        markersize=3,
        color=blue,
        label="UA, 95 % over speakers",
    )
    axes.set_yticks(places, [row.name for row in rows], size=6)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlim(0, 100)
    axes.set_title(section, size=8)
    axes.grid(axis="x", color="0.9")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
