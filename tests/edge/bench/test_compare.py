"""Comparison of two benchmarks."""

import msgspec
import pytest

from edge.bench import statistics
from edge.bench.compare import compare
from edge.bench.report import Report, Series
from edge.errors import UsageError
from tests.edge.bench.made_report import EMPTY, FIRST, MACHINE, NOISE, REPORT, SECOND, candidate
from tests.edge.bench.test_tables import find, printed, rows_of


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enough to tell differences as large as these."""
    monkeypatch.setattr(statistics, "RESAMPLES", 200)


def changed(series: Series, factor: float) -> Series:
    return msgspec.structs.replace(series, samples_ms=[factor * value for value in series.samples_ms])


def with_series(series: list[Series], **fields) -> Report:
    return msgspec.structs.replace(REPORT, series=series, **fields)


def test_the_same_shows_no_difference() -> None:
    text = printed(compare(REPORT, REPORT))
    rows = rows_of(text, "Medians")
    assert len(rows) == len(REPORT.series)
    verdicts = {row["scenario"]: row["verdict"] for row in rows}
    assert verdicts.pop("cold start") == "too few samples", "there are five of each"
    assert set(verdicts.values()) == {"no difference shown"}
    for word in ("ANOTHER", "NOISY", "other", "only"):
        assert word not in text


@pytest.mark.parametrize(("factor", "verdict"), [(0.5, "faster"), (1.5, "slower")])
def test_what_changed(factor: float, verdict: str) -> None:
    single, *others = REPORT.series
    rows = rows_of(printed(compare(REPORT, with_series([changed(single, factor), *others]))), "Medians")
    row = find(rows, scenario="single stream", candidate=FIRST)
    assert (row["after / before"], row["verdict"]) == (f"{factor:.3f}", verdict)
    assert find(rows, scenario="single stream", candidate=SECOND)["verdict"] == "no difference shown"


@pytest.mark.parametrize("count", [1, 5])
def test_too_few_samples_of_either_side_decide_nothing(count: int) -> None:
    single, *others = REPORT.series
    few = with_series([msgspec.structs.replace(changed(single, 3.0), samples_ms=[99.0] * count), *others])
    for before, after in ((REPORT, few), (few, REPORT)):
        row = find(rows_of(printed(compare(before, after)), "Medians"), scenario="single stream", candidate=FIRST)
        assert (row["95 % interval"], row["verdict"]) == ("-", "too few samples")


def test_another_machine_is_loud() -> None:
    machine = msgspec.structs.replace(MACHINE, cpu="Other CPU", governor="powersave")
    text = printed(compare(REPORT, with_series(REPORT.series, machine=machine)))
    assert "ANOTHER MACHINE: cpu Made CPU 1.0 before, Other CPU after; governor performance before" in text
    assert "do not compare" in text


def test_noise_of_either_is_loud() -> None:
    noise = msgspec.structs.replace(NOISE, warnings=["a neighbour"])
    noisy = with_series(REPORT.series, noise=noise)
    assert "NOISY MACHINE before: a neighbour" in printed(compare(noisy, REPORT))
    assert "NOISY MACHINE after: a neighbour" in printed(compare(REPORT, noisy))


def test_what_else_differs() -> None:
    machine = msgspec.structs.replace(MACHINE, versions={"python": "3.11.7", "numpy": "2.0"})
    others = [candidate(FIRST, manifest_sha256="cd" * 32), *REPORT.candidates[1:]]
    after = with_series(REPORT.series, machine=machine, candidates=others, hop_s=1.0, recording="street")
    text = printed(compare(REPORT, after))
    assert "ANOTHER MACHINE" not in text
    assert "other setting: recording demo before, street after" in text
    assert "other setting: hop 0.5 s before, 1 s after" in text
    assert "other version: onnxruntime 1.20.1 before, none after" in text
    assert "other version: numpy none before, 2.0 after" in text
    assert f"other bundle: {FIRST}: manifest abababababab before, cdcdcdcdcdcd after" in text


def test_what_only_one_has_is_listed() -> None:
    others = REPORT.series[1:]
    text = printed(compare(REPORT, with_series(others)))
    assert f"only before: single stream, a window, 1, {FIRST}" in text
    assert "only after" not in text
    assert "only after: single stream" in printed(compare(with_series(others), REPORT))


def test_drops_compare_where_there_are_some() -> None:
    quiet = [
        msgspec.structs.replace(series, counts={"windows": 120}) if series.candidate == FIRST else series
        for series in REPORT.series
    ]
    rows = rows_of(printed(compare(REPORT, with_series(quiet))), "Drops")
    assert {row["size"] for row in rows} == {"8"}
    row = find(rows, candidate=FIRST)
    assert (row["dropped before"], row["dropped after"]) == ("windows_late 40", "none")
    assert "Drops" not in printed(compare(with_series(quiet[:6]), with_series(quiet[:6])))


def test_nothing_in_common() -> None:
    with pytest.raises(UsageError, match=r"nothing in common: before has cold start, .* after has no samples; measure"):
        list(compare(REPORT, EMPTY))
