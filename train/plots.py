"""Plots of an evaluation, 1000 pixels wide: confusion matrix, embeddings before and after alignment, curves.

Dimensions: N utterances, P points, E embedding width, C classes.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from edge.evaluation.metrics import Floats, Ints

from .intervals import Interval

DPI = 150
WIDTH_PX = 1000
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#000000")
"""Colours that anyone can tell apart (Okabe and Ito 2008), without their yellow, too pale on white."""
MARKERS = {"audio": "o", "video": "^"}
MOST_DRAWN = 400
"""Largest number of utterances in a panel of embeddings; more would only cover each other."""


class Embeddings(NamedTuple):
    """Embeddings of the same utterances by both modalities, in one space."""

    audio: Floats
    """`[N, E]`."""
    video: Floats
    """`[N, E]`."""
    truth: Ints
    """`[N]`, class indices."""

    def with_both(self) -> "Embeddings":
        """Return those of the utterances that have both modalities: one that lacks one, or its voice, has zeros."""
        has_both = self.audio.any(axis=1) & self.video.any(axis=1)
        return Embeddings(self.audio[has_both], self.video[has_both], self.truth[has_both])


def confusion(path: Path, labels: Sequence[str], matrix: Ints, title: str) -> None:
    """Plot counts `[C, C]`, row = truth, column = prediction, shaded and in percent by row."""
    totals = matrix.sum(axis=1)
    shares = matrix / np.maximum(totals, 1)[:, None]
    figure = blank_figure(740)
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), count in np.ndenumerate(matrix):
        colour = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column, row - 0.08, f"{shares[row, column]:.0%}", ha="center", color=colour, size=13)
        axes.text(column, row + 0.22, f"{count:,}", ha="center", color=colour, size=8)
    axes.set_xticks(range(len(labels)), labels)
    axes.set_yticks(range(len(labels)), [f"{label}\n{of:,}" for label, of in zip(labels, totals, strict=True)])
    axes.set(xlabel="predicted", ylabel="truth", title=title)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    save(figure, path)


def embeddings(path: Path, labels: Sequence[str], before: Embeddings, after: Embeddings) -> None:
    """Plot both modalities of the baseline, whose projections are untrained, and of Foal-Net.

    Each panel shows principal components, with mean cosines in its title.
    """
    palette = colours(len(labels))
    figure = blank_figure(640)
    for axes, name, points in zip(
        figure.subplots(1, 2), ("baseline, before", "Foal-Net, after"), (before, after), strict=True
    ):
        matching, other = mean_cosines(points)
        scatter(axes, points, palette)
        title = f"{name} alignment\nmean cosine, audio to video:\nsame class {matching:+.2f}, other class {other:+.2f}"
        axes.set_title(title, size=9)
    marks = [("s", colour, label) for colour, label in zip(palette, labels, strict=True)]
    marks += [(marker, "grey", modality) for modality, marker in MARKERS.items()]
    handles = [Line2D([], [], linestyle="", marker=m, color=colour, label=label) for m, colour, label in marks]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False, fontsize=8)
    save(figure, path)


def scatter(axes: Axes, points: Embeddings, palette: Sequence[str]) -> None:
    """Draw the principal components of both modalities; of many utterances a random subset is shown."""
    places, explained = principal_components(np.concatenate([points.audio, points.video]))
    count = len(points.truth)
    shown = np.random.default_rng(0).permutation(count)[:MOST_DRAWN]
    shown_colours = [palette[label] for label in points.truth[shown]]
    for first, marker in zip((0, count), MARKERS.values(), strict=True):
        x, y = places[first + shown].T
        axes.scatter(x, y, s=16, c=shown_colours, marker=marker, alpha=0.65, linewidths=0)
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_xticks([])
    axes.set_yticks([])
    drawn = f"{len(shown):,} of {count:,} utterances drawn"
    axes.set_xlabel(f"component 1, {explained[0]:.0%} of the variance\n{drawn}", size=8)
    axes.set_ylabel(f"component 2, {explained[1]:.0%}", size=8)


def principal_components(points: Floats) -> tuple[Floats, Floats]:
    """Return the first two principal components `[P, 2]` of points `[P, E]`, and their shares of the variance `[2]`."""
    centred = points - points.mean(axis=0)
    _, variances, directions = np.linalg.svd(centred.T @ centred)
    first = directions[:2]
    # A direction's sign is arbitrary: its largest number is made positive.
    largest = np.abs(first).argmax(axis=1)
    first = first * np.sign(first[[0, 1], largest])[:, None]
    return centred @ first.T, variances[:2] / variances.sum()


def mean_cosines(points: Embeddings) -> tuple[float, float]:
    """Return the mean cosine of all pairs of audio and video of one class, and of different classes.

    ValueError if there are no such pairs, or an embedding is zero.
    """
    audio_length, video_length = (np.linalg.norm(part, axis=1, keepdims=True) for part in points[:2])
    if not (audio_length.all() and video_length.all()):
        raise ValueError("an embedding of zeros has no cosine; see `with_both`")
    if len(np.unique(points.truth)) < 2:
        raise ValueError("embeddings of one class; matching and other pairs need two")
    audio, video = points.audio / audio_length, points.video / video_length
    # The sum over a class's pairs is the product of its sums, so N * N cosines are never made.
    members = np.eye(points.truth.max() + 1)[points.truth]
    matching = float(((members.T @ audio) * (members.T @ video)).sum())
    everything = float(audio.sum(axis=0) @ video.sum(axis=0))
    pairs = float((members.sum(axis=0) ** 2).sum())
    return matching / pairs, (everything - matching) / (len(points.truth) ** 2 - pairs)


def curves(path: Path, x: Sequence[float], lines: Mapping[str, Sequence[Interval]], xlabel: str, ylabel: str) -> None:
    """Plot a line for each name, with its intervals as a band. Shares are in percent, `ylabel` has no unit."""
    figure = blank_figure(600)
    axes = figure.subplots()
    for colour, (name, intervals) in zip(colours(len(lines)), lines.items(), strict=True):
        mean, low, high = (100 * np.array([getattr(i, part) for i in intervals]) for part in ("mean", "low", "high"))
        axes.plot(x, mean, color=colour, marker="o", markersize=4, label=name)
        axes.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.set(xlabel=xlabel, ylabel=f"{ylabel}, %")
    axes.grid(color="0.9")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper center", ncols=min(len(lines), 4), frameon=False)
    save(figure, path)


def colours(count: int) -> tuple[str, ...]:
    """Return that many colours; ValueError if there are not enough."""
    if count > len(COLOURS):
        raise ValueError(f"{count} colours asked for; {len(COLOURS)} are told apart, so draw fewer at a time")
    return COLOURS[:count]


def blank_figure(height_px: int) -> Figure:
    """Return an empty white figure without a window or global state."""
    return Figure(figsize=(WIDTH_PX / DPI, height_px / DPI), dpi=DPI, layout="constrained", facecolor="white")


def save(figure: Figure, path: Path) -> None:
    """Write a PNG without metadata about the software."""
    path.parent.mkdir(parents=True, exist_ok=True)
    FigureCanvasAgg(figure).print_png(path, metadata={"Software": None})
