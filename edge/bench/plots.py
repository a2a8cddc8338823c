"""Pictures of a benchmark, 1000 pixels wide: how latencies are spread, throughput, and one window through its stages.

They need matplotlib, which is not a dependency of the runtime.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from .figures import drops, rows_per_s
from .plot_style import (
    COLOURS,
    blank,
    colour,
    fixed_ticks,
    handle,
    legend,
    plain_ticks,
    require_matplotlib,
    save,
    streams,
    tidy,
)
from .report import Document, Scenario, Series
from .statistics import percentile

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STYLES: tuple[Literal["-", "--", ":", "-."], ...] = ("-", "--", ":", "-.")
SHARES = {0.01: "p1", 0.1: "p10", 0.5: "p50", 0.9: "p90", 0.95: "p95", 0.99: "p99", 0.999: "p99.9"}
"""The percentiles that are drawn as lines."""
BATCHED = {"image_encoder": "o", "audio_encoder": "^", "fusion": "s"}
"""The stages that take batches, and their markers."""


def draw(document: Document, folder: Path) -> list[Path]:
    """Write the pictures whose data the document has; UsageError without matplotlib or where they cannot be written."""
    require_matplotlib()
    drawn = []
    for name, plot in (("latencies", latencies), ("throughput", throughput), ("timeline", timeline)):
        figure = plot(document)
        if figure is not None:
            save(figure, folder / f"{name}.png")
            drawn.append(folder / f"{name}.png")
    return drawn


def latencies(document: Document) -> Figure | None:
    """The share of windows that took at most so long, single stream and live."""
    groups = {"one window after the other": chosen(document, "single stream"), "live": chosen(document, "live")}
    groups = {title: group for title, group in groups.items() if group}
    if not groups:
        return None
    every = [series for group in groups.values() for series in group]
    styles = {size: STYLES[i % len(STYLES)] for i, size in enumerate(sorted({series.size for series in every}))}
    figure = blank(640)
    panels = figure.subplots(1, len(groups), squeeze=False, sharey=True)[0]
    for axes, (title, group) in zip(panels, groups.items(), strict=True):
        for series in group:
            shares = (np.arange(len(series.samples_ms)) + 0.5) / len(series.samples_ms)
            own = colour(document, series.contender)
            axes.plot(sorted(series.samples_ms), shares, styles[series.size], color=own, lw=1.3)
        axes.set(xlabel="ms from capture to publish" if title == "live" else "ms", title=title)
        spread_axes(axes, [value for series in group for value in series.samples_ms])
    sizes = [handle(streams(size), style=style) for size, style in styles.items()]
    legend(figure, document, names(every), sizes if len(sizes) > 1 else [])
    return figure


def spread_axes(axes: Axes, values_ms: Sequence[float]) -> None:
    """Logarithmic milliseconds against percentiles, drawn out towards both ends."""
    low, high = min(values_ms), max(values_ms)
    axes.set_xscale("log")
    plain_ticks(axes.xaxis, (1, 2, 5) if high > 8 * low else (1, 1.5, 2, 3, 4, 5, 6, 8))
    axes.set_xlim(low / 1.25, high * 1.25)
    axes.set_yscale("logit")
    axes.set_ylim(0.005, 0.9995)
    fixed_ticks(axes.yaxis, SHARES)
    tidy(axes)


def throughput(document: Document) -> Figure | None:
    """Rows a second against the batch's rows, and live latencies and drops against streams."""
    stages = [series for series in chosen(document, "stage") if series.what in BATCHED]
    live = [series for series in document.series if series.scenario == "live"]
    if not stages and not live:
        return None
    figure = blank(640)
    columns = figure.add_gridspec(1, 2 if stages and live else 1)
    if stages:
        draw_batches(figure.add_subplot(columns[0, 0]), document, stages)
    if live:
        rows = columns[0, -1].subgridspec(2, 1, height_ratios=(2, 1))
        upper = figure.add_subplot(rows[0])
        draw_streams(upper, document, live)
        draw_drops(figure.add_subplot(rows[1], sharex=upper), document, live)
    legend(figure, document, names([*stages, *live]))
    return figure


def draw_batches(axes: Axes, document: Document, stages: Sequence[Series]) -> None:
    """A line for each stage and contender."""
    for what, marker in BATCHED.items():
        for name in names(stages):
            points = sorted((s.size, rows_per_s(s)) for s in stages if (s.what, s.contender) == (what, name))
            axes.plot(
                *np.array(points, float).reshape(-1, 2).T, marker=marker, ms=4, lw=1.3, color=colour(document, name)
            )
    axes.set_yscale("log")
    axes.set_xscale("log", base=2)
    fixed_ticks(axes.xaxis, {series.size: f"{series.size}" for series in stages})
    plain_ticks(axes.yaxis, (1, 2, 5))
    axes.set(xlabel="rows in a batch", ylabel="rows a second", title="stages")
    shown = [what for what in BATCHED if any(series.what == what for series in stages)]
    axes.legend(handles=[handle(what, marker=BATCHED[what]) for what in shown], frameon=False, fontsize=7)
    tidy(axes)


def draw_streams(axes: Axes, document: Document, live: Sequence[Series]) -> None:
    """Median and p99 of each contender, where the samples support them."""
    for name in names(live):
        own = sorted((series for series in live if series.contender == name), key=lambda series: series.size)
        for wanted, style in ((50, STYLES[0]), (99, STYLES[1])):
            values = [percentile(series.samples_ms, wanted) for series in own]
            sizes = [series.size for series in own]
            # None becomes NaN, which leaves a gap.
            axes.plot(sizes, np.array(values, float), style, marker="o", ms=4, lw=1.3, color=colour(document, name))
    axes.set(ylabel="ms from capture to publish", title="live")
    axes.set_ylim(bottom=0)
    axes.legend(handles=[handle("p50"), handle("p99", style="--")], frameon=False, fontsize=7)
    tidy(axes)
    axes.tick_params(labelbottom=False)


def draw_drops(axes: Axes, document: Document, live: Sequence[Series]) -> None:
    """Everything dropped in a second, of each contender."""
    for name in names(live):
        own = sorted((series for series in live if series.contender == name), key=lambda series: series.size)
        rates = [sum(drops(series).values()) / (series.lasted_s or 1) for series in own]
        axes.plot([series.size for series in own], rates, marker="o", ms=4, lw=1.3, color=colour(document, name))
    axes.set_xscale("log", base=2)
    fixed_ticks(axes.xaxis, {series.size: f"{series.size}" for series in live})
    axes.set(xlabel="streams", ylabel="dropped\na second")
    axes.set_ylim(0, max(1.0, axes.get_ylim()[1]))
    tidy(axes)


def timeline(document: Document) -> Figure | None:
    """The window of median latency of each contender's smallest live run; 0 is the capture of its newest sample."""
    live = [series for series in chosen(document, "live") if series.stages_ms.get("total")]
    if not live:
        return None
    smallest = [min((s for s in live if s.contender == name), key=lambda s: s.size) for name in names(live)]
    figure = blank(100 + 240 * len(smallest))
    panels = figure.subplots(len(smallest), 1, squeeze=False, sharex=True)[:, 0]
    for axes, series in zip(panels, smallest, strict=True):
        draw_window(axes, series)
    panels[-1].set_xlabel("ms since the newest sample of the window was captured")
    return figure


def draw_window(axes: Axes, series: Series) -> None:
    """A bar for each stage, one under the other."""
    bars = window_bars(series)
    for row, (_, start_ms, took_ms) in enumerate(bars):
        axes.barh(row, took_ms, left=start_ms, height=0.6, color=COLOURS[row])
        note(axes, f"{took_ms:.1f} ms", (start_ms + took_ms, row), "left")
    published_ms = bars[-1][1] + bars[-1][2]
    for x_ms, style, label in ((0, "-", "end of the window"), (published_ms, ":", f"published, {published_ms:.1f} ms")):
        axes.axvline(x_ms, color="black", lw=0.8, ls=style)
        note(axes, label, (x_ms, -0.65), "right")
    axes.set_yticks(range(len(bars)), [name for name, _, _ in bars])
    axes.set_ylim(len(bars) - 0.4, -1)
    axes.use_sticky_edges = False
    axes.margins(x=0.1)
    axes.set_title(f"{series.contender}, {streams(series.size)}: the window of median latency")
    tidy(axes)


def note(axes: Axes, text: str, at: tuple[float, float], side: Literal["left", "right"]) -> None:
    """Small words that begin or end there, on white."""
    paper = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
    away = (5 if side == "left" else -5, 0)
    axes.annotate(text, at, away, textcoords="offset points", ha=side, va="center", size=7, bbox=paper)


def window_bars(series: Series) -> list[tuple[str, float, float]]:
    """Name, start and length in ms of each stage of the window of median total.

    Its frames are encoded as they come, over the hop before its end: they are drawn together before 0. What no stage
    accounts for is nearly all before the audio encoder: waiting for the hop, and taking the evidence together.
    """
    totals = series.stages_ms["total"]
    middle = int(np.argsort(totals, kind="stable")[len(totals) // 2])
    video, audio, fuse = (series.stages_ms[name][middle] for name in ("encode_video", "encode_audio", "fuse"))
    waiting = max(totals[middle] - audio - fuse, 0.0)
    return [
        ("frames of the hop", -video, video),
        ("waiting and the rest", 0.0, waiting),
        ("audio encoder", waiting, audio),
        ("fusion", waiting + audio, fuse),
    ]


def chosen(document: Document, scenario: Scenario) -> list[Series]:
    """The series of a scenario that have samples."""
    return [series for series in document.series if series.scenario == scenario and series.samples_ms]


def names(series: Iterable[Series]) -> list[str]:
    """The contenders, each once, in order."""
    return list(dict.fromkeys(one.contender for one in series))
