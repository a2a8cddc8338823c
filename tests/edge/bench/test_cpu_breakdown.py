"""Where a live run's CPU time goes, reckoned by hand."""

import pytest
from msgspec.structs import replace

from edge.bench.cpu_breakdown import budgets
from edge.bench.report import Series
from edge.bench.tables import budgets_table
from tests.edge.bench.made_document import DOCUMENT


def stage(what: str, cpu_ms: float, contender: str = "nano") -> Series:
    samples_ms = [1.0] * 4
    return Series(scenario="stage", what=what, contender=contender, samples_ms=samples_ms, cpu_s=4 * cpu_ms / 1e3)


STAGES = [
    stage("decode 1 s", 30, ""),
    stage("framing", 4, ""),
    stage("image_encoder", 2),
    stage("audio_encoder", 5),
    stage("fusion", 1),
]
LIVE = Series(
    scenario="live", what="capture to publish", contender="nano", size=2, samples_ms=[5.0], cpu_s=2.0, lasted_s=10.0
)


def test_what_no_stage_takes_is_the_runtimes_own() -> None:
    document = replace(DOCUMENT, hop_s=0.5, picture_hz=5.0, series=[*STAGES, LIVE])
    [found] = budgets(document)
    assert found[1:] == pytest.approx((100, 30, 20, 10, 10, 2))
    assert (found.rest, found.own) == (pytest.approx(28), pytest.approx(0.48))


def test_without_the_stages_nothing_is_said() -> None:
    assert list(budgets(replace(DOCUMENT, series=[LIVE, *STAGES[:-1]]))) == []
    assert list(budgets(replace(DOCUMENT, series=[replace(LIVE, lasted_s=None), *STAGES]))) == []


def test_a_rest_that_makes_no_sense_is_left_out() -> None:
    overloaded = replace(LIVE, counts={"windows_late": 3})
    for live in (replace(LIVE, cpu_s=0.5), overloaded):
        document = replace(DOCUMENT, hop_s=0.5, picture_hz=5.0, series=[*STAGES, live])
        [found] = budgets(document)
        assert (found.rest, found.own) == (None, None)
        assert "rest" not in [str(column.header) for column in budgets_table(document).columns]
