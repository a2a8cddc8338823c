"""Plots of a report as SVG: the time line of one stream, and its latencies."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec.structs import asdict

from ..bench.plot_style import DPI, WIDTH_PX, new_figure, tidy
from ..system.palette import COLOURS, NO_LABEL, label_colour
from .contents import Run, Section

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PX_A_MINUTE, WIDEST_PX = 120, 12_000
"""Width of long time lines, which the page scrolls."""
STATE_COLOURS = {"ok": "#DDEEDD", "online": "#DDEEDD", "off": "#F4F4F4", "stopped": "#F4F4F4", "no_speech": "#DDDDEE"}
OTHER_STATE = "#F3C9B0"
"""Colour of states in which something is missing; their names stand on them."""
LETTER_PX = 6.5
"""Width of a letter of a band's name."""
NAME: dict[str, Any] = {
    **{"ha": "center", "va": "center", "fontsize": 7, "clip_on": True},
    "bbox": {"facecolor": "white", "alpha": 0.75, "lw": 0, "pad": 1},
}
"""Look of a band's name, which can be read on any colour."""


def timeline_plot(section: Section) -> Figure:
    """Plot the steady label, the probabilities, and the states over time."""
    figure = new_figure(460)
    width_px = min(WIDEST_PX, max(WIDTH_PX, (section.end_s - section.begin_s) / 60 * PX_A_MINUTE))
    figure.set_figwidth(width_px / DPI)
    bands = {"audio": list(section.runs("audio")), "video": list(section.runs("video"))}
    if section.states:
        bands["stream"] = list(section.states)
    steady_axes, probs_axes, states_axes = figure.subplots(
        3, sharex=True, height_ratios=(1, 6, 0.7 * len(bands)), squeeze=True
    )
    colours = {label: label_colour(index) for index, label in enumerate(section.labels)}
    steady = [Run(begin / 1000, end / 1000, label) for begin, end, label in section.steady()]
    px_a_s = 0.85 * width_px / max(1e-3, section.end_s - section.begin_s)
    draw_bands(steady_axes, {"steady": steady}, lambda name: colours.get(name, NO_LABEL), px_a_s)
    draw_probabilities(probs_axes, section, colours)
    draw_bands(states_axes, bands, lambda name: STATE_COLOURS.get(name, OTHER_STATE), px_a_s)
    states_axes.set_xlabel("seconds of the recording")
    end_s = max(section.end_s, section.begin_s + 1e-3, *(run.end_s for run in section.states))
    states_axes.set_xlim(section.begin_s, end_s)
    return figure


def draw_probabilities(axes: Axes, section: Section, colours: dict[str, str]) -> None:
    """Draw the probabilities of all labels as one stacked area, named beside it."""
    ends = [row.end_s for row in section.rows]
    curves = np.array([[row.probs[label] for row in section.rows] for label in section.labels])
    axes.stackplot(
        ends, curves, colors=list(colours.values()), labels=section.labels, step="pre", edgecolor="white", lw=0.3
    )
    tidy(axes)
    axes.set_ylim(0, 1)
    axes.set_ylabel("probability")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=8, reverse=True)


def draw_bands(axes: Axes, bands: dict[str, list[Run]], colour: Callable[[str], str], px_a_s: float) -> None:
    """Draw a band a name, its runs in colours, with their names where there is room for them."""
    for height, runs in enumerate(reversed(bands.values())):
        for name in dict.fromkeys(run.name for run in runs):
            spans = [(run.begin_s, run.end_s - run.begin_s) for run in runs if run.name == name]
            axes.broken_barh(spans, (height, 0.9), color=colour(name), lw=0)
            for begin_s, long_s in spans:
                if long_s * px_a_s > LETTER_PX * len(name):
                    axes.text(begin_s + long_s / 2, height + 0.42, name, **NAME)
    tidy(axes)
    axes.grid(visible=False)
    axes.set_yticks([0.45 + height for height in range(len(bands))], list(reversed(bands)))


def latency_plot(section: Section) -> Figure:
    """Plot the total latency of each window over time, and the stages it is made of."""
    figure = new_figure(260)
    axes = figure.subplots()
    ends = [row.end_s for row in section.rows]
    stages = [asdict(latency) for latency in section.latencies]
    for name, colour in zip(stages[0], COLOURS, strict=False):
        axes.plot(ends, [stage[name] for stage in stages], color=colour, label=name, lw=1)
    tidy(axes)
    axes.set_ylabel("latency, ms")
    axes.set_xlabel("seconds of the recording")
    axes.set_yscale("symlog", linthresh=1)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=8)
    return figure


def to_svg(figure: Figure, name: str) -> str:
    """Return a figure as an SVG element whose text is text; `name` keeps its identifiers apart from those of others."""
    from matplotlib import rc_context

    written = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": name, "font.family": "sans-serif"}):
        figure.savefig(written, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    text = written.getvalue()
    return text[text.index("<svg") :]


def percentiles(section: Section, shares: Sequence[float]) -> Iterable[tuple[str, list[float]]]:
    """Yield each stage of the latency with its percentiles, in milliseconds."""
    stages = [asdict(latency) for latency in section.latencies]
    for name in stages[0] if stages else ():
        yield name, [float(value) for value in np.percentile([stage[name] for stage in stages], shares)]
