"""Tables of a benchmark."""

import io

import msgspec
import numpy as np
import pytest

from edge.bench.figures import compare_with_first, roofline_share, rows_per_s
from edge.bench.report import Series
from edge.bench.tables import markdown, number, tables
from edge.cli.terminal import Terminal
from tests.edge.bench.made_report import EMPTY, FIRST, MACHINE, NOISE, REPORT, ROOFLINE, SECOND


def printed(parts) -> str:
    """As on a narrow terminal."""
    file = io.StringIO()
    console = Terminal(file)
    console.width = 60
    for part in parts:
        console.print(part)
    assert "\\u" not in file.getvalue()
    return file.getvalue()


def rows_of(text: str, title: str) -> list[dict[str, str]]:
    """The Markdown table under a title."""
    lines = iter(text.splitlines())
    next(line for line in lines if line.startswith(title))
    rows = []
    for line in lines:
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip().strip("|").split("|")])
        elif rows:
            break
    return [dict(zip(rows[0], row, strict=True)) for row in rows[2:]]


@pytest.fixture(scope="module")
def text() -> str:
    return printed(tables(REPORT))


def find(table: list[dict[str, str]], /, **fields: str) -> dict[str, str]:
    (row,) = (row for row in table if all(row[name] == value for name, value in fields.items()))
    return row


def test_what_was_measured_on_comes_first(text: str) -> None:
    head = text[: text.index("Candidates")]
    for fact in ("Made CPU 1.0", "4 cores", "no GPU", "1200 to 3400 MHz", "governor performance", "45 °C"):
        assert fact in head
    for fact in ("onnxruntime 1.20.1", "commit 0123abc", "hop 0.5 s", "window 6 s", "100 GFLOP/s", "10.0 GB/s"):
        assert fact in head
    assert "NOISY" not in text


def test_noise_is_loud() -> None:
    noisy = msgspec.structs.replace(NOISE, warnings=["another process took 30 %"], probe_ms=[])
    silent = msgspec.structs.replace(MACHINE, clocks_mhz=[], governor=None, temperature_c=None, commit=None)
    text = printed(tables(msgspec.structs.replace(EMPTY, noise=noisy, machine=silent)))
    assert "NOISY MACHINE: another process took 30 %" in text
    assert "clocks: not reported by this platform" in text
    assert "|" not in text


def test_scenarios(text: str) -> None:
    rows = rows_of(text, "Scenarios")
    series = REPORT.series[0]
    row = find(rows, scenario="single stream", candidate=FIRST)
    assert [float(row[name]) for name in ("p50", "p90", "p95", "p99")] == pytest.approx(
        np.percentile(series.samples_ms, [50, 90, 95, 99]), rel=0.01
    )
    assert float(row["max"]) == pytest.approx(max(series.samples_ms), rel=0.01)
    assert float(row["CPU ms per sample"]) == pytest.approx(series.cpu_s * 1e3 / 400, rel=0.01)
    assert row["windows/s"] == ""
    assert find(rows, scenario="server", candidate=FIRST)["size"] == "2.5 per s"
    offline = next(series for series in REPORT.series if series.scenario == "offline")
    expected = 16 * 40 / sum(offline.samples_ms) * 1e3
    assert float(find(rows, scenario="offline", candidate=FIRST)["windows/s"]) == pytest.approx(expected, rel=0.01)


def test_what_the_samples_do_not_support_is_a_dash(text: str) -> None:
    rows = rows_of(text, "Scenarios")
    server = find(rows, scenario="server", candidate=FIRST)
    assert server["p99"] == "-"
    assert server["p95"] != "-"
    cold = find(rows, scenario="cold start", candidate=FIRST)
    assert cold["p50"] == "-"
    assert cold["max"] == "900"
    assert cold["ended early"] == "after 60 s"
    assert "J per sample" not in cold


def test_live(text: str) -> None:
    rows = rows_of(text, "Live")
    assert find(rows, streams="1", candidate=FIRST)["dropped"] == "none"
    row = find(rows, streams="8", candidate=FIRST)
    assert row["dropped"] == "windows_late 40"
    assert row["windows"] == "960"
    assert row["CPU s per s"] == "0.800"


def test_a_live_run_without_a_window() -> None:
    nothing = Series(scenario="live", operation="a window", candidate=FIRST, samples_ms=[], counts={"windows_empty": 3})
    text = printed(tables(msgspec.structs.replace(REPORT, series=[nothing])))
    (row,) = rows_of(text, "Live")
    assert (row["windows"], row["p50"], row["max"], row["dropped"]) == ("0", "-", "-", "windows_empty 3")


def test_stages(text: str) -> None:
    rows = rows_of(text, "Stages")
    series = next(s for s in REPORT.series if (s.operation, s.size, s.candidate) == ("image_encoder", 4, FIRST))
    row = find(rows, operation="image_encoder", rows="4", candidate=FIRST)
    middle_ms = np.median(series.samples_ms)
    assert float(row["ms per row"]) == pytest.approx(middle_ms / 4, rel=0.01)
    assert float(row["CPU ms per row"]) == pytest.approx(0.1 * 1e3 / 20 / 4, rel=0.01)
    assert float(row["GFLOP/s"]) == pytest.approx(0.4 / middle_ms * 1e3, rel=0.01)
    # 0.4 GFLOP at 100 GFLOP/s is 4 ms.
    assert row["roofline share"] == f"{4 / middle_ms:.0%}"
    other = find(rows, operation="image_encoder", rows="4", candidate=SECOND)
    assert other["device ms"] == "0.100"
    assert find(rows, operation="decode")["candidate"] == ""


def test_the_roof_is_the_tighter_bound() -> None:
    series = Series(scenario="stage", operation="fusion", candidate=FIRST, samples_ms=[2.0], gflop=0.1, traffic_mb=10.0)
    assert roofline_share(series, ROOFLINE) == pytest.approx(0.5)
    assert roofline_share(msgspec.structs.replace(series, traffic_mb=15.0), ROOFLINE) == pytest.approx(0.75)
    assert roofline_share(msgspec.structs.replace(series, gflop=None), ROOFLINE) == pytest.approx(0.5)
    assert roofline_share(msgspec.structs.replace(series, gflop=None, traffic_mb=None), ROOFLINE) is None


def test_ratios_are_of_what_both_have(text: str) -> None:
    rows = rows_of(text, f"Time relative to {FIRST}")
    assert {row["candidate"] for row in rows} == {SECOND}
    row = find(rows, scenario="single stream")
    assert float(row["ratio of medians"]) == pytest.approx(1.6, rel=0.05)
    assert row["verdict"] == "slower"
    assert find(rows, scenario="cold start")["verdict"] == "too few samples"
    alone = [series for series in REPORT.series if series.candidate != FIRST]
    assert not list(compare_with_first(msgspec.structs.replace(REPORT, series=alone)))


def test_naive(text: str) -> None:
    (row,) = rows_of(text, "Each frame encoded once")
    assert (row["naive / cached"], row["95 % interval"], row["largest difference"]) == (
        "4.000",
        "4.000 to 4.000",
        "2.0e-07",
    )


def test_nothing_is_cut_or_taken_as_markup() -> None:
    text = printed(["title", markdown(("a", "b", "c"), [("[red]", "", "x" * 100), ("", "", "y")])])
    first, second = rows_of(text, "title")
    assert first == {"a": "[red]", "c": "x" * 100}
    assert second == {"a": "", "c": "y"}


def test_rows_per_s_of_nothing() -> None:
    assert rows_per_s(Series(scenario="stage", operation="fusion", candidate=FIRST, samples_ms=[])) is None


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, ""), (0.0, "0.00"), (0.001234, "0.00123"), (1.236, "1.24"), (12.36, "12.4"), (1234.5, "1,234")],
)
def test_numbers(value: float | None, shown: str) -> None:
    assert number(value) == shown
