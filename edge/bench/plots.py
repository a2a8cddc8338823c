"""Plots of a benchmark, 1000 pixels wide: distribution of latencies, throughput, and the stages of one window.

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
    colour,
    fixed_ticks,
    legend,
    legend_line,
    new_figure,
    plain_ticks,
    require_matplotlib,
    save,
    stream_count,
    tidy,
)
from .report import Report, Scenario, Series
from .statistics import percentile

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STYLES: tuple[Literal["-", "--", ":", "-."], ...] = ("-", "--", ":", "-.")
SHARES = {0.01: "p1", 0.1: "p10", 0.5: "p50", 0.9: "p90", 0.95: "p95", 0.99: "p99", 0.999: "p99.9"}
"""Percentiles that are drawn as lines."""
BATCHED = {"image_encoder": "o", "audio_encoder": "^", "fusion": "s"}
"""Stages that take batches, and their markers."""


def write_plots(report: Report, folder: Path) -> list[Path]:
    """Write the plots whose data the report has, and return their paths.

    UsageError without matplotlib, or where they cannot be written.
    """
    require_matplotlib()
    written = []
    for name, plot in (("latencies", latency_plot), ("throughput", throughput_plot), ("timeline", timeline_plot)):
        figure = plot(report)
        if figure is not None:
            save(figure, folder / f"{name}.png")
            written.append(folder / f"{name}.png")
    return written


def latency_plot(report: Report) -> Figure | None:
    """Plot the cumulative distribution of the latencies, single stream and live."""
    groups = {
        "one window after the other": sampled_series(report, "single stream"),
        "live": sampled_series(report, "live"),
    }
    groups = {title: group for title, group in groups.items() if group}
    if not groups:
        return None
    every = [series for group in groups.values() for series in group]
    styles = {size: STYLES[i % len(STYLES)] for i, size in enumerate(sorted({series.size for series in every}))}
    figure = new_figure(640)
    panels = figure.subplots(1, len(groups), squeeze=False, sharey=True)[0]
    for axes, (title, group) in zip(panels, groups.items(), strict=True):
        for series in group:
            shares = (np.arange(len(series.samples_ms)) + 0.5) / len(series.samples_ms)
            own = colour(report, series.candidate)
            axes.plot(sorted(series.samples_ms), shares, styles[series.size], color=own, lw=1.3)
        axes.set(xlabel="ms from capture to publish" if title == "live" else "ms", title=title)
        scale_axes(axes, [value for series in group for value in series.samples_ms])
    sizes = [legend_line(stream_count(size), style=style) for size, style in styles.items()]
    legend(figure, report, candidate_names(every), sizes if len(sizes) > 1 else [])
    return figure


def scale_axes(axes: Axes, values_ms: Sequence[float]) -> None:
    """Scale the axes: logarithmic milliseconds against percentiles on a logit scale."""
    low, high = min(values_ms), max(values_ms)
    axes.set_xscale("log")
    plain_ticks(axes.xaxis, (1, 2, 5) if high > 8 * low else (1, 1.5, 2, 3, 4, 5, 6, 8))
    axes.set_xlim(low / 1.25, high * 1.25)
    axes.set_yscale("logit")
    axes.set_ylim(0.005, 0.9995)
    fixed_ticks(axes.yaxis, SHARES)
    tidy(axes)


def throughput_plot(report: Report) -> Figure | None:
    """Plot rows per second over the batch size, and live latencies and drops over the number of streams."""
    stages = [series for series in sampled_series(report, "stage") if series.operation in BATCHED]
    live = [series for series in report.series if series.scenario == "live"]
    if not stages and not live:
        return None
    figure = new_figure(640)
    columns = figure.add_gridspec(1, 2 if stages and live else 1)
    if stages:
        draw_batches(figure.add_subplot(columns[0, 0]), report, stages)
    if live:
        rows = columns[0, -1].subgridspec(2, 1, height_ratios=(2, 1))
        upper = figure.add_subplot(rows[0])
        draw_streams(upper, report, live)
        draw_drops(figure.add_subplot(rows[1], sharex=upper), report, live)
    legend(figure, report, candidate_names([*stages, *live]))
    return figure


def draw_batches(axes: Axes, report: Report, stages: Sequence[Series]) -> None:
    """Draw the throughput of each stage and candidate as a line."""
    for stage, marker in BATCHED.items():
        for name in candidate_names(stages):
            points = sorted((s.size, rows_per_s(s)) for s in stages if (s.operation, s.candidate) == (stage, name))
            axes.plot(
                *np.array(points, float).reshape(-1, 2).T, marker=marker, ms=4, lw=1.3, color=colour(report, name)
            )
    axes.set_yscale("log")
    axes.set_xscale("log", base=2)
    fixed_ticks(axes.xaxis, {series.size: f"{series.size}" for series in stages})
    plain_ticks(axes.yaxis, (1, 2, 5))
    axes.set(xlabel="rows in a batch", ylabel="rows per second", title="stages")
    shown = [stage for stage in BATCHED if any(series.operation == stage for series in stages)]
    axes.legend(handles=[legend_line(stage, marker=BATCHED[stage]) for stage in shown], frameon=False, fontsize=7)
    tidy(axes)


def draw_streams(axes: Axes, report: Report, live: Sequence[Series]) -> None:
    """Draw median and p99 of each candidate, where the samples support them."""
    for name in candidate_names(live):
        own = sorted((series for series in live if series.candidate == name), key=lambda series: series.size)
        for wanted, style in ((50, STYLES[0]), (99, STYLES[1])):
            values = [percentile(series.samples_ms, wanted) for series in own]
            sizes = [series.size for series in own]
            # None becomes NaN, which leaves a gap.
            axes.plot(sizes, np.array(values, float), style, marker="o", ms=4, lw=1.3, color=colour(report, name))
    axes.set(ylabel="ms from capture to publish", title="live")
    axes.set_ylim(bottom=0)
    axes.legend(handles=[legend_line("p50"), legend_line("p99", style="--")], frameon=False, fontsize=7)
    tidy(axes)
    axes.tick_params(labelbottom=False)


def draw_drops(axes: Axes, report: Report, live: Sequence[Series]) -> None:
    """Draw the drops per second of each candidate."""
    for name in candidate_names(live):
        own = sorted((series for series in live if series.candidate == name), key=lambda series: series.size)
        rates = [sum(drops(series).values()) / (series.duration_s or 1) for series in own]
        axes.plot([series.size for series in own], rates, marker="o", ms=4, lw=1.3, color=colour(report, name))
    axes.set_xscale("log", base=2)
    fixed_ticks(axes.xaxis, {series.size: f"{series.size}" for series in live})
    axes.set(xlabel="streams", ylabel="dropped\nper second")
    axes.set_ylim(0, max(1.0, axes.get_ylim()[1]))
    tidy(axes)


def timeline_plot(report: Report) -> Figure | None:
    """Plot the window of median latency in each candidate's smallest live run, on a time axis.

    The axis begins with the capture of the newest sample in the window.
    """
    live = [series for series in sampled_series(report, "live") if series.stages_ms.get("total")]
    if not live:
        return None
    smallest = [min((s for s in live if s.candidate == name), key=lambda s: s.size) for name in candidate_names(live)]
    figure = new_figure(100 + 240 * len(smallest))
    panels = figure.subplots(len(smallest), 1, squeeze=False, sharex=True)[:, 0]
    for axes, series in zip(panels, smallest, strict=True):
        draw_window(axes, series)
    panels[-1].set_xlabel("ms since the newest sample of the window was captured")
    return figure


def draw_window(axes: Axes, series: Series) -> None:
    """Draw each stage as a bar, one under the other."""
    bars = window_bars(series)
    for row, (_, start_ms, took_ms) in enumerate(bars):
        axes.barh(row, took_ms, left=start_ms, height=0.6, color=COLOURS[row])
        annotate(axes, f"{took_ms:.1f} ms", (start_ms + took_ms, row), "left")
    published_ms = bars[-1][1] + bars[-1][2]
    for x_ms, style, label in ((0, "-", "end of the window"), (published_ms, ":", f"published, {published_ms:.1f} ms")):
        axes.axvline(x_ms, color="black", lw=0.8, ls=style)
        annotate(axes, label, (x_ms, -0.65), "right")
    axes.set_yticks(range(len(bars)), [name for name, _, _ in bars])
    axes.set_ylim(len(bars) - 0.4, -1)
    axes.use_sticky_edges = False
    axes.margins(x=0.1)
    axes.set_title(f"{series.candidate}, {stream_count(series.size)}: the window of median latency")
    tidy(axes)


def annotate(axes: Axes, text: str, at: tuple[float, float], side: Literal["left", "right"]) -> None:
    """Write small text that begins or ends at a point, on white."""
    paper = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
    away = (5 if side == "left" else -5, 0)
    axes.annotate(text, at, away, textcoords="offset points", ha=side, va="center", size=7, bbox=paper)


def window_bars(series: Series) -> list[tuple[str, float, float]]:
    """Return name, start and length in ms of each stage of the window of median total.

    Frames are encoded when they arrive, over the hop before the end of the window: they are drawn together before 0.
    Nearly all the time that no stage accounts for passes before the audio encoder: waiting for the hop, cutting the
    window.
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


def sampled_series(report: Report, scenario: Scenario) -> list[Series]:
    """Return the series of a scenario that have samples."""
    return [series for series in report.series if series.scenario == scenario and series.samples_ms]


def candidate_names(series: Iterable[Series]) -> list[str]:
    """Return the candidates of some series, each once, in order."""
    return list(dict.fromkeys(one.candidate for one in series))
