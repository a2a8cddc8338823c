"""Figure of a fleet: the distribution of the latencies of all windows, and the nodes beside each other."""

from pathlib import Path

import numpy as np

from edge.bench import plot_style

from .fleet import Fleet


def draw(fleet: Fleet, path: Path) -> None:
    """Write the figure as PNG; UsageError where it cannot be written."""
    figure = plot_style.new_figure(480)
    left, right = figure.subplots(1, 2)
    for number, speed in enumerate(sorted({spec.speed for spec in fleet.specs}, reverse=True)):
        of = [n for n, spec in enumerate(fleet.specs) if spec.speed == speed]
        latencies = np.sort([each for n in of for each in fleet.results[n].latencies_ms])
        label = f"{len(of)} nodes at speed {speed:g}"
        colour = plot_style.COLOURS[number]
        left.plot(latencies, 1 - np.arange(len(latencies)) / max(1, len(latencies)), color=colour, label=label, lw=1.3)
        heard = [n for n in of if fleet.results[n].latencies_ms]
        tails = [[np.percentile(fleet.results[n].latencies_ms, p) for n in heard] for p in (50, 99)]
        right.vlines(heard, tails[0], tails[1], color=colour, lw=1)
        right.plot(heard, tails[0], ".", color=colour)
        right.plot(heard, tails[1], "_", color=colour)
    left.set(xscale="log", yscale="log", ylim=(1e-4, 1.1), xlabel="latency, ms", ylabel="share of windows above it")
    right.set(yscale="log", xlabel="node", ylabel="p50 (dot) to p99 (line), ms")
    left.legend(frameon=False, fontsize=8)
    cameras = sum(spec.streams for spec in fleet.specs)
    figure.suptitle(f"{cameras:,} cameras on {len(fleet.specs)} nodes, simulated", fontsize=9)
    for axes in (left, right):
        plot_style.tidy(axes)
    plot_style.save(figure, path)
