"""A comparison of two recognisers against figures worked out by hand, and what may ship."""

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edge.bundle.manifest import Comparison
from edge.errors import FoalError
from edge.live.recognizer import Recognizer
from export.compare import FEWEST_WINDOWS, check, compare, describe
from export.windows import Window

WIDTH = 5
CROP = np.zeros((2, 2, 3), np.uint8)


class Told:
    """A recogniser that says of each window what it was told to."""

    def __init__(self, probs: list[list[float]]) -> None:
        fusion = SimpleNamespace(inputs=[None, None, SimpleNamespace(shape=["batch", 3, WIDTH])])
        self.manifest = SimpleNamespace(graphs=SimpleNamespace(fusion=fusion))
        self._probs = iter(probs)
        self.given: list[tuple[int, tuple[int, ...]]] = []

    def embed(self, crops: list[np.ndarray]) -> np.ndarray:
        return np.ones((len(crops), WIDTH), np.float32)

    def recognize(self, windows: list[Any]) -> list[Any]:
        (window,) = windows
        self.given.append((len(window.samples), window.embeddings.shape))
        return [SimpleNamespace(probs=np.array(next(self._probs)))]


def recognizer(told: Told) -> Recognizer:
    return told  # type: ignore[return-value]


def window(label: int, samples: int = 3, crops: int = 1) -> Window:
    return Window(np.ones(samples, np.float32), [CROP] * crops, label)


def test_figures_are_those_of_the_hand() -> None:
    fp32 = Told([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
    lower = Told([[0.8, 0.2], [0.4, 0.6], [0.2, 0.8]])
    found = compare(recognizer(fp32), recognizer(lower), [window(0), window(0), window(1)])
    assert found.windows == 3
    assert found.ua_fp32 == 1.0
    # Of the first class one of two is right, of the second one of one.
    assert found.ua == pytest.approx(0.75)
    assert found.mean_difference == pytest.approx((0.1 + 0.1 + 0.2 + 0.2) / 6)
    assert found.largest_difference == pytest.approx(0.2)


def test_what_is_not_seen_is_not_encoded() -> None:
    both = Told([[1.0, 0.0]] * 3), Told([[1.0, 0.0]] * 3)
    compare(recognizer(both[0]), recognizer(both[1]), [window(0), window(0, crops=0), window(0, samples=0, crops=2)])
    for told in both:
        assert told.given == [(3, (1, WIDTH)), (3, (0, WIDTH)), (0, (2, WIDTH))]


def test_no_windows_are_no_comparison() -> None:
    with pytest.raises(ValueError, match="nothing to evaluate"):
        compare(recognizer(Told([])), recognizer(Told([])), [])


@pytest.mark.parametrize(("ua", "mean"), [(0.75, 0.0), (0.7451, 0.02), (0.7549, 0.0)])
def test_what_is_close_ships(ua: float, mean: float) -> None:
    check(Comparison(500, 0.75, ua, mean, 0.9), "int8")


@pytest.mark.parametrize(("ua", "mean"), [(0.7449, 0.0), (0.7551, 0.0), (0.75, 0.0201), (0.75, math.nan), (0.7, 0.3)])
def test_what_is_far_does_not_and_the_figures_are_named(ua: float, mean: float) -> None:
    found = Comparison(500, 0.75, ua, mean, 0.9)
    with pytest.raises(FoalError, match="int8 is too far from fp32") as refused:
        check(found, "int8")
    assert describe(found) in str(refused.value)
    assert "at most 0.5 points and 0.02 on average" in str(refused.value)


@pytest.mark.parametrize(("windows", "refused"), [(1, True), (FEWEST_WINDOWS - 1, True), (FEWEST_WINDOWS, False)])
def test_a_few_windows_prove_nothing(windows: int, refused: bool) -> None:
    found = Comparison(windows, 0.75, 0.75, 0.0, 0.0)
    if not refused:
        check(found, "fp16")
        return
    with pytest.raises(FoalError, match=f"on {windows} windows; at least 100 are needed"):
        check(found, "fp16")


def test_a_comparison_is_said_in_a_line() -> None:
    said = describe(Comparison(500, 0.75, 0.7512, 0.00123, 0.4567))
    assert said == (
        "UA 75.12 % against 75.00 % in fp32 on 500 windows, probabilities differ by 0.0012 on average, 0.4567 at most"
    )
