"""Comparison of a lower precision with fp32: probabilities and accuracy of the runtime itself, on real windows."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.bundle.manifest import Comparison
from edge.errors import FoalError
from edge.evaluation.metrics import evaluate
from edge.live.recognizer import Recognizer
from edge.preprocess.media import Embedding, Samples

from .windows import Window

FEWEST_WINDOWS = 100
"""Smallest number of windows that a comparison is valid for."""
LARGEST_LOSS = 0.005
"""Largest change of UA, 0..1, in either direction."""
LARGEST_MEAN_DIFFERENCE = 0.02
"""Largest mean absolute difference of the calibrated probabilities."""


class EncodedWindow(NamedTuple):
    """Window whose crops are encoded."""

    samples: Samples
    embeddings: Embedding
    tokens: None = None
    """Tokens of no stream: an audio encoder that takes pieces is given those of the samples alone."""


def probabilities(recognizer: Recognizer, window: Window) -> NDArray[np.float64]:
    """Return the probabilities that the runtime predicts for one window, `[C]`."""
    width = int(recognizer.manifest.graphs.fusion.inputs[2].shape[2])
    embeddings = recognizer.embed(window.crops) if window.crops else np.zeros((0, width), np.float32)
    return np.asarray(recognizer.recognize([EncodedWindow(window.samples, embeddings)])[0].probs, np.float64)


def compare(fp32: Recognizer, lower: Recognizer, windows: Iterable[Window]) -> Comparison:
    """Compare two recognizers on the same windows, one at a time; ValueError if there are no windows."""
    rows = [(probabilities(fp32, window), probabilities(lower, window), window.label) for window in windows]
    truth = np.array([label for _, _, label in rows])
    expected, found = (np.array([row[side] for row in rows]) for side in (0, 1))
    difference = np.abs(found - expected)
    return Comparison(
        windows=len(rows),
        ua_fp32=evaluate(expected, truth).ua,
        ua=evaluate(found, truth).ua,
        mean_difference=float(difference.mean()),
        largest_difference=float(difference.max()),
    )


def describe(found: Comparison) -> str:
    """Return a comparison as one line of text."""
    return (
        f"UA {100 * found.ua:.2f} % against {100 * found.ua_fp32:.2f} % in fp32 on {found.windows} windows, "
        f"probabilities differ by {found.mean_difference:.4f} on average, {found.largest_difference:.4f} at most"
    )


def check(found: Comparison, precision: str) -> None:
    """Raise FoalError unless the precision is close enough to fp32 to ship."""
    if found.windows < FEWEST_WINDOWS:
        raise FoalError(
            f"{precision} was compared with fp32 on {found.windows} windows; at least {FEWEST_WINDOWS} are needed: "
            "give a larger corpus or a larger --windows"
        )
    # A comparison with a not-a-number is false.
    same_accuracy = abs(found.ua - found.ua_fp32) <= LARGEST_LOSS
    if not (same_accuracy and found.mean_difference <= LARGEST_MEAN_DIFFERENCE):
        raise FoalError(
            f"{precision} is too far from fp32: {describe(found)}; at most {100 * LARGEST_LOSS:g} points and "
            f"{LARGEST_MEAN_DIFFERENCE:g} on average are allowed; export another precision"
        )
