"""What the pictures of a benchmark share: their size, colours, axes, legend and files."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UsageError
from .report import Document

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.typing import LineStyleType

DPI = 150
WIDTH_PX = 1000
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#000000")
"""Told apart with any colour vision (Okabe and Ito 2008)."""


def require_matplotlib() -> None:
    """UsageError where it is not installed."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise UsageError("plots need matplotlib, which is not installed; pip install matplotlib") from error


def blank(height_px: int) -> Figure:
    """A white picture of no window and no global state."""
    from matplotlib.figure import Figure

    return Figure(figsize=(WIDTH_PX / DPI, height_px / DPI), dpi=DPI, layout="constrained", facecolor="white")


def save(figure: Figure, path: Path) -> None:
    """Write a PNG that says nothing of the software that made it; UsageError where that cannot be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, format="png", dpi=DPI, metadata={"Software": None})
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror}); give another folder for the plots") from error


def colour(document: Document, contender: str) -> str:
    """The same in every picture; the eighth contender has that of the first."""
    order = [one.name for one in document.contenders]
    return COLOURS[order.index(contender) % len(COLOURS)] if contender in order else "grey"


def handle(label: str, colour: str = "grey", style: LineStyleType = "-", marker: str = "") -> Line2D:
    """A line for a legend."""
    from matplotlib.lines import Line2D

    return Line2D([], [], color=colour, linestyle=style, marker=marker, markersize=4, lw=1.3, label=label)


def legend(figure: Figure, document: Document, drawn: Collection[str], more: Sequence[Line2D] = ()) -> None:
    """The contenders that are drawn, and what else is told apart, above the axes."""
    handles = [handle(c.name, colour(document, c.name)) for c in document.contenders if c.name in drawn]
    figure.legend(handles=handles, loc="outside upper center", ncols=2, frameon=False, fontsize=8)
    if more:
        figure.legend(handles=more, loc="outside lower center", ncols=min(len(more), 5), frameon=False, fontsize=8)


def plain_ticks(axis: Axis, steps: Sequence[float]) -> None:
    """Ticks at these multiples of the powers of ten, written out."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axis.set_major_locator(LogLocator(subs=steps))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
    axis.set_minor_locator(NullLocator())


def fixed_ticks(axis: Axis, labels: dict[float, str]) -> None:
    """Ticks there and nowhere else."""
    from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

    axis.set_major_locator(FixedLocator(list(labels)))
    axis.set_major_formatter(FixedFormatter(list(labels.values())))
    axis.set_minor_locator(NullLocator())


def tidy(axes: Axes) -> None:
    """A pale grid behind, and small figures."""
    axes.grid(color="0.9")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    axes.title.set_fontsize(9)
    axes.xaxis.label.set_fontsize(8)
    axes.yaxis.label.set_fontsize(8)


def streams(size: int) -> str:
    """A number of streams, for people."""
    return f"{size} stream" if size == 1 else f"{size} streams"
