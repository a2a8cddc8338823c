"""The steady state, by hand and against a filter of tiny steps through the same curve."""

import math
import random
from collections.abc import Sequence

import msgspec
import numpy as np
import pytest

from edge.errors import EngineError
from edge.live.steady_state import Change, Smoothing, SteadyStateFilter
from edge.live.steady_state_config import SteadyStateConfig
from edge.wire.messages import UNCERTAIN

SECOND_NS = 1_000_000_000
LABELS = ["calm", "glad", "sad"]
UNSMOOTHED = SteadyStateConfig(smoothing_s=0, enter=0.6, leave=0.4, dwell_s=0)


def ns(seconds: float) -> int:
    return round(seconds * SECOND_NS)


def feed(steadier: SteadyStateFilter, *windows: tuple[float, float, float]) -> list[Change | None]:
    """Each window's end in seconds, and its probabilities of calm and glad."""
    return [steadier.update(np.array([calm, glad, 1 - calm - glad]), ns(end_s)) for end_s, calm, glad in windows]


def labels_of(changes: Sequence[Change | None]) -> list[str | None]:
    return [change.label if change else None for change in changes]


def smooth(values: Sequence[float], ends_s: Sequence[float], time_constant_s: float) -> list[float]:
    smoothing = Smoothing(time_constant_s)
    smoothed = [float(smoothing.begin(np.array(values[:1]))[0])]
    for value, before_s, end_s in zip(values[1:], ends_s, ends_s[1:], strict=False):
        smoothed.append(float(smoothing.advance(np.array([value]), ns(end_s) - ns(before_s))[0]))
    return smoothed


def filtered(values: Sequence[float], ends_s: Sequence[float], time_constant_s: float) -> list[float]:
    """The low-pass filter y' = (x - y) / T in steps of a thousandth of T, x going straight from value to value."""
    outputs = [values[0]]
    for i in range(1, len(values)):
        length_s, output = ends_s[i] - ends_s[i - 1], outputs[-1]
        steps = math.ceil(1000 * length_s / time_constant_s)
        for step in range(steps):
            value = values[i - 1] + (values[i] - values[i - 1]) * (step + 0.5) / steps
            output += (value - output) * length_s / steps / time_constant_s
        outputs.append(output)
    return outputs


@pytest.mark.parametrize("time_constant_s", [0.1, 0.5, 2.0, 10.0])
def test_smoothing_is_a_low_pass_filter_at_uneven_times(time_constant_s: float) -> None:
    random_ = random.Random(1)
    ends_s = np.cumsum([random_.choice([0.05, 0.2, 0.5, 3.0]) for _ in range(60)]).tolist()
    values = [random_.random() for _ in ends_s]
    expected = filtered(values, ends_s, time_constant_s)
    assert smooth(values, ends_s, time_constant_s) == pytest.approx(expected, abs=1e-3)


def test_a_step_has_gone_as_far_as_an_exponential_has() -> None:
    """From 0 to 1 within a nanosecond: 1 - 1/e after one time constant, 1 - 1/e^2 after two."""
    smoothed = smooth([0.0, 1.0, 1.0, 1.0], [0, 1e-9, 2, 4], 2.0)
    assert smoothed == pytest.approx([0, 0, 1 - math.exp(-1), 1 - math.exp(-2)], abs=1e-6)


def test_without_smoothing_each_window_stands_for_itself() -> None:
    assert smooth([0.1, 0.9, 0.3], [0, 0.5, 1], 0) == [0.1, 0.9, 0.3]


@pytest.mark.parametrize("hop_s", [0.25, 1.0, 2.0])
def test_another_hop_gives_about_the_same_curve(hop_s: float) -> None:
    """A probability that swings within 20 s, known every half second and every hop; apart by less than 0.02."""
    curves = []
    for step_s in (0.5, hop_s):
        ends_s = np.arange(0, 60.1, step_s)
        values = 0.5 + 0.4 * np.sin(2 * np.pi * ends_s / 20)
        curves.append(dict(zip(ends_s.tolist(), smooth(values.tolist(), ends_s.tolist(), 1.0), strict=True)))
    common = sorted(curves[0].keys() & curves[1].keys())
    assert len(common) >= 30
    assert max(abs(curves[0][end_s] - curves[1][end_s]) for end_s in common) < 0.02


@pytest.mark.parametrize(
    ("calm", "label", "confidence"), [(0.7, "calm", 0.7), (0.6, "calm", 0.6), (0.59, UNCERTAIN, 0.59)]
)
def test_the_first_window_always_brings_a_change(calm: float, label: str, confidence: float) -> None:
    (change,) = feed(SteadyStateFilter(LABELS, UNSMOOTHED), (2, calm, 0.1))
    assert change is not None
    assert (change.label, change.previous, change.since_ns) == (label, None, ns(2))
    assert change.probs.tolist() == pytest.approx([calm, 0.1, 0.9 - calm])
    assert change.confidence == confidence


def test_a_label_is_taken_at_enter_and_left_below_leave() -> None:
    changes = feed(
        SteadyStateFilter(LABELS, UNSMOOTHED),
        (0, 0.6, 0.4),
        (1, 0.4, 0.6),  # glad has reached enter, but calm is not below leave
        (2, 0.39, 0.59),  # now it is, and glad has not reached enter
        (3, 0.58, 0.4),
        (4, 0.4, 0.6),
        (5, 0.7, 0.3),
    )
    assert labels_of(changes) == ["calm", None, UNCERTAIN, None, "glad", "calm"]
    assert [change.previous for change in changes if change] == [None, "calm", UNCERTAIN, "glad"]
    assert [change.confidence for change in changes if change] == [0.6, 0.59, 0.6, 0.7]


def test_probabilities_around_a_threshold_change_nothing() -> None:
    steadier = SteadyStateFilter(LABELS, UNSMOOTHED)
    changes = feed(steadier, *((i, 0.61 if i % 2 == 0 else 0.41, 0.3) for i in range(100)))
    assert labels_of(changes) == ["calm"] + 99 * [None]


def test_a_label_is_held_for_its_dwell_and_uncertain_is_not() -> None:
    steadier = SteadyStateFilter(LABELS, msgspec.structs.replace(UNSMOOTHED, dwell_s=2))
    changes = feed(
        steadier, (0, 1, 0), (0.5, 0, 1), (1.9, 0, 1), (2, 0.3, 0.3), (2.1, 0, 1), (4, 1, 0), (4.1, 1, 0), (6, 1, 0)
    )
    assert labels_of(changes) == ["calm", None, None, UNCERTAIN, "glad", None, "calm", None]
    assert [change.since_ns for change in changes if change] == [ns(0), ns(2), ns(2.1), ns(4.1)]


def test_smoothing_delays_a_change_as_computed_by_hand() -> None:
    """1 to 0 over the first 0.5 s, then 0; after 0.5 s (1 - 1/e) is left for T = 0.5 s, after 1 s 1/e of that."""
    steadier = SteadyStateFilter(LABELS, SteadyStateConfig(smoothing_s=0.5, enter=0.5, leave=0.5, dwell_s=0))
    changes = feed(steadier, (0, 1, 0), (0.5, 0, 1), (1, 0, 1))
    assert labels_of(changes) == ["calm", None, "glad"]
    left = math.exp(-1) * (1 - math.exp(-1))
    assert changes[2] is not None
    assert changes[2].probs.tolist() == pytest.approx([left, 1 - left, 0])
    assert changes[2].confidence == pytest.approx(1 - left)


def test_after_a_gap_all_begins_anew() -> None:
    steadying = SteadyStateConfig(smoothing_s=60, enter=0.6, leave=0.1, dwell_s=600, forget_s=5)
    forgets, recalls = SteadyStateFilter(LABELS, steadying), SteadyStateFilter(LABELS, steadying)
    assert labels_of(feed(recalls, (0, 1, 0), (5, 0.45, 0.55))) == ["calm", None]
    first, then = feed(forgets, (0, 1, 0), (5.001, 0.45, 0.55))
    assert first is not None
    assert then is not None
    assert (then.label, then.previous) == (UNCERTAIN, "calm")
    assert then.probs.tolist() == pytest.approx([0.45, 0.55, 0])


def test_after_a_gap_the_same_label_is_no_change() -> None:
    steadier = SteadyStateFilter(LABELS, msgspec.structs.replace(UNSMOOTHED, forget_s=5))
    assert labels_of(feed(steadier, (0, 1, 0), (60, 0.8, 0.1), (61, 0.1, 0.8))) == ["calm", None, "glad"]


def test_a_window_that_ends_no_later_is_passed_over() -> None:
    steadier = SteadyStateFilter(LABELS, UNSMOOTHED)
    changes = feed(steadier, (3, 1, 0), (3, 0, 1), (2, 0, 1), (3.001, 1, 0), (3.002, 0, 1))
    assert labels_of(changes) == ["calm", None, None, None, "glad"]


def test_what_a_change_holds_is_not_what_goes_on() -> None:
    probs = np.array([0.9, 0.1, 0.0])
    steadier = SteadyStateFilter(LABELS, SteadyStateConfig(smoothing_s=10, dwell_s=0))
    change = steadier.update(probs, 0)
    assert change is not None
    change.probs[:] = 0
    assert probs.tolist() == [0.9, 0.1, 0.0]
    probs[:] = 0
    assert labels_of(feed(steadier, (1, 0.1, 0.9))) == [None]


@pytest.mark.parametrize(
    "probs",
    [
        [math.nan, 0.5, 0.5],
        [0.5, math.nan, 0.2],
        [math.inf, 0, 0],
        [1.1, -0.1, 0],
        [0.5, 0.5],
        [0.2, 0.2, 0.2],
        [[1, 0, 0]],
    ],
)
def test_what_are_no_probabilities_is_refused(probs: list[float]) -> None:
    steadier = SteadyStateFilter(LABELS, UNSMOOTHED)
    with pytest.raises(EngineError, match=r"where 3 probabilities that add up to 1 were expected; .*doctor"):
        steadier.update(np.array(probs, np.float32), 0)
    assert labels_of(feed(steadier, (0, 1, 0))) == ["calm"]


@pytest.mark.parametrize(
    ("dwell_s", "labels"), [(0, ["calm", "uncertain", None, "glad"]), (2, ["calm", None, None, "glad"])]
)
def test_without_evidence_it_is_uncertain_once_the_dwell_is_over(dwell_s: float, labels) -> None:
    """Whatever the probabilities say: with two labels, equal ones are as high as `enter`."""
    config = SteadyStateConfig(smoothing_s=0, enter=0.5, leave=0.3, dwell_s=dwell_s)
    steadier = SteadyStateFilter(["calm", "glad"], config)
    windows = [(0, 0.9, True), (0.5, 0.5, False), (1, 0.5, False), (2, 0.1, True)]
    changes = [
        steadier.update(np.array([calm, 1 - calm]), ns(end_s), has_evidence=has_evidence)
        for end_s, calm, has_evidence in windows
    ]
    assert labels_of(changes) == labels


def test_a_stream_that_begins_without_evidence_is_uncertain() -> None:
    change = SteadyStateFilter(LABELS, UNSMOOTHED).update(np.array([1.0, 0, 0]), 0, has_evidence=False)
    assert change is not None
    assert (change.label, change.previous) == (UNCERTAIN, None)


def test_half_precision_is_taken() -> None:
    change = SteadyStateFilter(LABELS, UNSMOOTHED).update(np.float16([0.7, 0.2, 0.1]), 0)
    assert change is not None
    assert change.probs.dtype == np.float64
    assert change.label == "calm"


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ("leave: 0.6", r"leave 0.6 is above enter 0.5; give a leave of at most 0.5"),
        ("smoothing_s: -1", r"\$.smoothing_s"),
        ("smoothing_s: .nan", r"\$.smoothing_s"),
        ("enter: 1.1", r"\$.enter"),
        ("leave: -0.1", r"\$.leave"),
        ("dwell_s: .inf", r"\$.dwell_s"),
        ("forget_s: 0", r"\$.forget_s"),
        ("dwell: 1", r"unknown field `dwell`"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(settings: str, reason: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=reason):
        msgspec.yaml.decode(settings, type=SteadyStateConfig)


def test_what_is_not_said_is_the_default() -> None:
    assert msgspec.yaml.decode("dwell_s: 3", type=SteadyStateConfig) == msgspec.structs.replace(
        SteadyStateConfig(), dwell_s=3.0
    )
