"""The naive live loop, which encodes every picture of every window again, against each frame encoded once.

Same graphs and same crops; what differs is the work.
"""

import time
from collections.abc import Callable, Sequence

import numpy as np

from ..live.recognizer import Recognition
from .candidates import Contender
from .report import Naive
from .sampling import Sampling
from .workload import LiveWindow

MOST_WINDOWS = 100


def compare(contender: Contender, windows: Sequence[LiveWindow], sampling: Sampling) -> Naive:
    """Both ways on the same windows, in turn; the first window warms up."""
    sampling.settle()
    recognizer = contender.recognizer

    def once(window: LiveWindow) -> Recognition:
        recognizer.embed(window.crops)
        return recognizer.recognize([window])[0]

    def again(window: LiveWindow) -> Recognition:
        return recognizer.recognize([window.with_embeddings(recognizer.embed(window.seen))])[0]

    once_ms, again_ms, difference = [], [], 0.0
    for window in [windows[0], *windows][: MOST_WINDOWS + 1]:
        cached, took_once_ms = timed(once, window)
        naive, took_again_ms = timed(again, window)
        once_ms.append(took_once_ms)
        again_ms.append(took_again_ms)
        difference = max(difference, float(np.abs(cached.probs - naive.probs).max()))
    return Naive(contender=contender.name, once_cpu_ms=once_ms[1:], again_cpu_ms=again_ms[1:], difference=difference)


def timed(way: Callable[[LiveWindow], Recognition], window: LiveWindow) -> tuple[Recognition, float]:
    """What it says, and its CPU milliseconds."""
    started_s = time.process_time()
    recognition = way(window)
    return recognition, (time.process_time() - started_s) * 1e3
