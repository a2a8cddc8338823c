"""Naive live loop, which encodes every frame of every window again, against each frame encoded once.

Graphs and crops are the same.
"""

import time
from collections.abc import Callable, Sequence

import numpy as np

from ..live.recognizer import Recognition
from .candidates import Candidate
from .report import NaiveComparison
from .sampling import Sampling
from .workload import LiveWindow

MAX_WINDOWS = 100


def compare_with_naive(candidate: Candidate, windows: Sequence[LiveWindow], sampling: Sampling) -> NaiveComparison:
    """Time both on the same windows, interleaved; the first window is the warm-up."""
    sampling.probe_noise()
    recognizer = candidate.recognizer

    def cached(window: LiveWindow) -> Recognition:
        recognizer.embed(window.new_crops)
        return recognizer.recognize([window])[0]

    def naive(window: LiveWindow) -> Recognition:
        return recognizer.recognize([window.with_embeddings(recognizer.embed(window.all_crops))])[0]

    cached_ms, naive_ms, difference = [], [], 0.0
    for window in [windows[0], *windows][: MAX_WINDOWS + 1]:
        first, first_ms = timed(cached, window)
        second, second_ms = timed(naive, window)
        cached_ms.append(first_ms)
        naive_ms.append(second_ms)
        difference = max(difference, float(np.abs(first.probs - second.probs).max()))
    return NaiveComparison(
        candidate=candidate.name, cached_cpu_ms=cached_ms[1:], naive_cpu_ms=naive_ms[1:], difference=difference
    )


def timed(recognize: Callable[[LiveWindow], Recognition], window: LiveWindow) -> tuple[Recognition, float]:
    """Return the recognition of a window, and the CPU milliseconds that it took."""
    started_s = time.process_time()
    recognition = recognize(window)
    return recognition, (time.process_time() - started_s) * 1e3
