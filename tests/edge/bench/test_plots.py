"""Plots of a benchmark."""

import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest

from edge.bench.plots import latency_plot, throughput_plot, timeline_plot, window_bars, write_plots
from edge.errors import UsageError
from tests.edge.bench.made_report import EMPTY, FIRST, LIVE_SIZES, REPORT, SECOND

pytest.importorskip("matplotlib", reason="matplotlib draws the plots of these tests")


def width_px(path: Path) -> int:
    head = path.read_bytes()[:24]
    assert head.startswith(b"\x89PNG")
    return int.from_bytes(head[16:20], "big")


def test_all_plots(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "plots"
    drawn = write_plots(REPORT, folder)
    assert [path.name for path in drawn] == ["latencies.png", "throughput.png", "timeline.png"]
    assert [width_px(path) for path in drawn] == [1000] * 3


def test_a_plot_without_data_is_left_out(tmp_path: Path) -> None:
    assert write_plots(EMPTY, tmp_path) == []
    stages = [series for series in REPORT.series if series.scenario == "stage"]
    drawn = write_plots(msgspec.structs.replace(REPORT, series=stages), tmp_path)
    assert [path.name for path in drawn] == ["throughput.png"]


def test_the_lines_of_latencies_are_the_samples() -> None:
    single, live = latency_plot(REPORT).axes
    assert len(single.lines) == 2
    assert len(live.lines) == 2 * len(LIVE_SIZES)
    x, y = single.lines[0].get_data()
    assert list(x) == sorted(REPORT.series[0].samples_ms)
    assert np.interp(0.5, y, x) == pytest.approx(np.median(x))


def test_latencies_of_one_scenario_have_one_panel() -> None:
    live = [series for series in REPORT.series if series.scenario == "live"]
    assert len(latency_plot(msgspec.structs.replace(REPORT, series=live)).axes) == 1


def test_throughput_leaves_out_what_samples_do_not_support() -> None:
    batches, streams, dropped = throughput_plot(REPORT).axes
    assert len(batches.lines) == 6
    p50, p99 = (line.get_ydata() for line in streams.lines[:2])
    assert np.isfinite(p50).all()
    # 120 windows a stream: of 368 and more, p99 is said.
    assert list(np.isfinite(p99)) == [False, False, True, True]
    assert list(dropped.lines[0].get_ydata()) == [0, 0, 0, pytest.approx(40 / 60)]


def test_the_window_of_the_timeline_ends_with_its_total() -> None:
    series = next(series for series in REPORT.series if series.scenario == "live")
    bars = window_bars(series)
    starts, lengths = [start for _, start, _ in bars], [length for _, _, length in bars]
    assert starts[0] == -lengths[0]
    assert [start + length for start, length in zip(starts, lengths, strict=True)][:3] == pytest.approx(starts[1:])
    total = sorted(series.stages_ms["total"])[60]
    assert starts[-1] + lengths[-1] == pytest.approx(total)


def test_the_timeline_has_a_panel_each() -> None:
    assert [axes.get_title().split(",")[0] for axes in timeline_plot(REPORT).axes] == [FIRST, SECOND]


def test_without_matplotlib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(UsageError, match=r"pip install 'foal-edge\[report\]'"):
        write_plots(REPORT, tmp_path)


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"cannot be written .*; give another folder"):
        write_plots(REPORT, tmp_path / "file")
