"""CPU time of a live run by stage, computed by hand."""

import pytest
from msgspec.structs import replace

from edge.bench.figures import cpu_breakdowns
from edge.bench.report import Series
from edge.bench.tables import cpu_table
from tests.edge.bench.made_report import REPORT


def stage(operation: str, cpu_ms: float, candidate: str = "nano") -> Series:
    samples_ms = [1.0] * 4
    return Series(
        scenario="stage", operation=operation, candidate=candidate, samples_ms=samples_ms, cpu_s=4 * cpu_ms / 1e3
    )


STAGES = [
    stage("decode 1 s", 30, ""),
    stage("framing", 4, ""),
    stage("image_encoder", 2),
    stage("audio_encoder", 5),
    stage("fusion", 1),
]
LIVE = Series(
    scenario="live",
    operation="capture to publish",
    candidate="nano",
    size=2,
    samples_ms=[5.0],
    cpu_s=2.0,
    duration_s=10.0,
)


def test_what_no_stage_takes_is_the_runtimes_own() -> None:
    report = replace(REPORT, hop_s=0.5, frame_rate_hz=5.0, series=[*STAGES, LIVE])
    [found] = cpu_breakdowns(report)
    assert found[1:] == pytest.approx((100, 30, 20, 10, 10, 2))
    assert (found.rest, found.overhead_share) == (pytest.approx(28), pytest.approx(0.48))


def test_without_the_stages_nothing_is_said() -> None:
    assert list(cpu_breakdowns(replace(REPORT, series=[LIVE, *STAGES[:-1]]))) == []
    assert list(cpu_breakdowns(replace(REPORT, series=[replace(LIVE, duration_s=None), *STAGES]))) == []


def test_a_rest_that_makes_no_sense_is_left_out() -> None:
    overloaded = replace(LIVE, counts={"windows_late": 3})
    for live in (replace(LIVE, cpu_s=0.5), overloaded):
        report = replace(REPORT, hop_s=0.5, frame_rate_hz=5.0, series=[*STAGES, live])
        [found] = cpu_breakdowns(report)
        assert (found.rest, found.overhead_share) == (None, None)
        assert "rest" not in [str(column.header) for column in cpu_table(report).columns]
