"""Runs of the runtime watched from outside; two revisions from beginning to end."""

import sys
from pathlib import Path

import pytest

from benchmarks.commits import watch
from benchmarks.commits.report import Report, markdown
from benchmarks.commits.revisions import find_revision
from benchmarks.commits.run import Options, compare_revisions, run_in_turn
from edge.bench import recording
from edge.bench.noise import NoiseMonitor
from edge.errors import UsageError

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "demo.mp4"
    recording.write(path, 6)
    return path


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "WARM_S", 0.5)


@pytest.mark.usefixtures("soon")
def test_both_sides_run_in_turn(film: Path) -> None:
    said: list[str] = []
    python, noise = Path(sys.executable), NoiseMonitor()
    found = run_in_turn({"before": python, "after": python}, film, Options(film, [1, 2], 2, 1.0), noise, said.append)
    assert [line.partition(" streams")[0] for line in said] == [
        *(f"round 1 of 2, {side}: {streams}" for streams in (1, 2) for side in ("before", "after")),
        *(f"round 2 of 2, {side}: {streams}" for streams in (1, 2) for side in ("after", "before")),
    ]
    assert len(noise.probe_ms) == 8
    for runs in (*found["before"], *found["after"]):
        assert [run.streams for run in runs] == [1, 2]
        for run in runs:
            assert run.start_s > 0.3
            assert run.cpu_ms > 0
            assert run.peak_mb > 50
            assert len(run.latencies_ms) >= 2
            assert 0 <= min(run.latencies_ms) <= run.p99_ms <= max(run.latencies_ms)


@pytest.mark.usefixtures("soon")
def test_a_recording_that_ends_too_early_is_refused(film: Path) -> None:
    with pytest.raises(UsageError, match=r"demo\.mp4 ends too early: 31\.5 s are needed; .* fewer --seconds"):
        watch.watch_run(Path(sys.executable), film, 1, 30.0)


@pytest.mark.slow
def test_a_commit_costs_what_it_costs() -> None:
    head = find_revision(ROOT, "HEAD")
    report = compare_revisions(ROOT, head, head, Options(None, [1], 2, 4.0), lambda line: None)
    assert isinstance(report, Report)
    assert [len(runs) for runs in (report.runs_before, report.runs_after)] == [2, 2]
    assert report.recording == "the demo's face and voice"
    assert "- No regression beyond the margins." in markdown(report)
    assert {each.verdict for each in report.comparisons()} == {"too few rounds"}
