"""Style of the plots: size, colours, axes, legend and files."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..system import palette
from .report import Report

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.typing import LineStyleType

DPI = 150
WIDTH_PX = 1000
COLOURS = (*palette.COLOURS, palette.BLACK)


def require_matplotlib() -> None:
    """Raise UsageError where matplotlib is not installed."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise UsageError("plots need matplotlib, which is not installed; pip install 'foal-edge[report]'") from error


def new_figure(height_px: int) -> Figure:
    """Return a white figure, `WIDTH_PX` wide, without a window or global state."""
    from matplotlib.figure import Figure

    return Figure(figsize=(WIDTH_PX / DPI, height_px / DPI), dpi=DPI, layout="constrained", facecolor="white")


def save(figure: Figure, path: Path) -> None:
    """Write a PNG without the name of the software that made it; UsageError where it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, format="png", dpi=DPI, metadata={"Software": None})
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror}); give another folder for the plots") from error


def colour(report: Report, candidate: str) -> str:
    """Return a candidate's colour, the same in every plot; the eighth candidate has that of the first."""
    order = [one.name for one in report.candidates]
    return COLOURS[order.index(candidate) % len(COLOURS)] if candidate in order else "grey"


def legend_line(label: str, colour: str = "grey", style: LineStyleType = "-", marker: str = "") -> Line2D:
    """Return a line for a legend."""
    from matplotlib.lines import Line2D

    return Line2D([], [], color=colour, linestyle=style, marker=marker, markersize=4, lw=1.3, label=label)


def legend(figure: Figure, report: Report, drawn: Collection[str], more: Sequence[Line2D] = ()) -> None:
    """Draw the candidates that are drawn above the axes, and further lines below."""
    handles = [legend_line(c.name, colour(report, c.name)) for c in report.candidates if c.name in drawn]
    figure.legend(handles=handles, loc="outside upper center", ncols=2, frameon=False, fontsize=8)
    if more:
        figure.legend(handles=more, loc="outside lower center", ncols=min(len(more), 5), frameon=False, fontsize=8)


def plain_ticks(axis: Axis, steps: Sequence[float]) -> None:
    """Set ticks at these multiples of the powers of ten, written out."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axis.set_major_locator(LogLocator(subs=steps))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
    axis.set_minor_locator(NullLocator())


def fixed_ticks(axis: Axis, labels: dict[float, str]) -> None:
    """Set ticks at these values and nowhere else."""
    from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

    axis.set_major_locator(FixedLocator(list(labels)))
    axis.set_major_formatter(FixedFormatter(list(labels.values())))
    axis.set_minor_locator(NullLocator())


def tidy(axes: Axes) -> None:
    """Draw a pale grid behind the data, and small labels."""
    axes.grid(color="0.9")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    axes.title.set_fontsize(9)
    axes.xaxis.label.set_fontsize(8)
    axes.yaxis.label.set_fontsize(8)


def stream_count(size: int) -> str:
    """Format a number of streams."""
    return f"{size} stream" if size == 1 else f"{size} streams"
