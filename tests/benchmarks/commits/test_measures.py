"""Ratios of two revisions, and what counts as a regression."""

import pytest

from benchmarks.commits.measures import LEAST_MB, MARGINS, compare, drops, drops_more, measures
from tests.benchmarks.made_rounds import made_rounds, made_run


def named(name: str, counts: tuple[int, ...] = (1, 4)):
    (found,) = (each for each in measures(counts) if each.name == name)
    return found


def test_each_number_of_streams_has_its_measures_and_a_further_stream_where_there_are_two() -> None:
    assert [each.name for each in measures([4, 1])] == [
        "start to first prediction",
        *("CPU time, 1 stream", "p99 latency, 1 stream", "peak memory, 1 stream"),
        *("CPU time, 4 streams", "p99 latency, 4 streams", "peak memory, 4 streams"),
        "memory of a further stream",
    ]
    assert "memory of a further stream" not in [each.name for each in measures([4])]


def test_measures_read_their_run() -> None:
    runs = {1: made_run(1, start_s=2.0, cpu_ms=7.0), 4: made_run(4, latencies_ms=[*range(1, 102)], peak_mb=320.0)}
    read = {each.name: each.of(runs) for each in measures([1, 4])}
    assert read["start to first prediction"] == 2.0
    assert read["CPU time, 1 stream"] == 7.0
    assert read["p99 latency, 4 streams"] == pytest.approx(100.0)
    assert read["peak memory, 4 streams"] == 320.0
    assert read["memory of a further stream"] == pytest.approx((320 - 200) / 3)


def test_memory_that_does_not_grow_still_has_a_ratio() -> None:
    runs = {1: made_run(1, peak_mb=200.0), 4: made_run(4, peak_mb=199.0)}
    assert named("memory of a further stream").of(runs) == LEAST_MB


def test_a_factor_of_every_round_is_the_ratio_with_no_width() -> None:
    found = compare(named("CPU time, 4 streams"), made_rounds(), made_rounds(factor=1.2))
    assert (found.before, found.after) == (pytest.approx(51.75), pytest.approx(62.1))
    assert found.ratio == pytest.approx((1.2, 1.2, 1.2))
    assert found.is_regression
    assert found.verdict == "REGRESSION"


@pytest.mark.parametrize(
    ("factor", "verdict"),
    [
        (1 + MARGINS["CPU"] + 0.01, "REGRESSION"),
        (1 + MARGINS["CPU"] - 0.01, "more, within the margin"),
        (1.0, "no difference shown"),
        (0.8, "less"),
    ],
)
def test_the_interval_has_to_lie_beyond_the_margin(factor: float, verdict: str) -> None:
    found = compare(named("CPU time, 1 stream"), made_rounds(), made_rounds(factor=factor))
    assert (found.verdict, found.is_regression) == (verdict, verdict == "REGRESSION")


def test_an_interval_that_reaches_the_margin_is_no_regression() -> None:
    noisy = [{1: made_run(cpu_ms=50.0 * factor)} for factor in (1.0, 1.5, 1.0, 1.5, 1.5, 1.0, 1.5, 1.5)]
    found = compare(named("CPU time, 1 stream", (1,)), [{1: made_run()}] * 8, noisy)
    assert found.ratio.value == 1.5
    assert found.ratio.low < 1 + MARGINS["CPU"]
    assert not found.is_regression


def test_fewer_than_six_rounds_show_nothing() -> None:
    found = compare(named("CPU time, 1 stream"), made_rounds(5), made_rounds(5, factor=3.0))
    assert found.verdict == "too few rounds"
    assert not found.is_regression


def test_drops_are_of_all_runs_of_a_round_and_worse_where_every_round_has_more() -> None:
    assert drops(made_rounds(2, dropped=3)) == [6, 6]
    assert drops_more(made_rounds(6), made_rounds(6, dropped=1))
    assert not drops_more(made_rounds(5), made_rounds(5, dropped=1))
    assert not drops_more(made_rounds(7), [*made_rounds(6, dropped=9), *made_rounds(1)])
