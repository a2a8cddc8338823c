"""A benchmark keeps what it has where a part of it fails."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.bench import live, recording, run, stages
from edge.bench.energy import Energy
from edge.bench.report import Roofline, Series, read_report
from edge.bench.sampling import Sampling
from edge.bundle.load import SHIPPED, load
from edge.cli import bench as commands
from edge.errors import FoalError
from edge.preprocess.media import Frame
from edge.sources import media
from edge.sources.media import read_frames


def series(size: int) -> Series:
    return Series(scenario="live", operation="capture to publish", candidate="nano", size=size, samples_ms=[5.0])


def test_a_part_that_fails_is_told_and_the_others_are_measured_and_kept(
    edge_command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film, kept = tmp_path / "demo.mp4", tmp_path / "kept.json"
    recording.write(film, 7)

    def measured(candidate: object, path: Path, streams: int, *_: object) -> Series:
        if streams == 2:
            raise FoalError("foal-edge ended with status 3 while it was measured")
        if streams == 3:
            raise ZeroDivisionError
        return series(streams)

    monkeypatch.setattr(run, "measure_live", measured)
    monkeypatch.setattr(commands.roofline, "measure", lambda threads: Roofline(gemm_gflops=1.0, copy_gbps=1.0))
    options = ("--only", "live", "--streams", "1,2,3", "--file", film, "--backend", "onnxruntime", "--json", kept)
    ended = edge_command("bench", *options)
    assert ended.status == FoalError.exit_status
    found = read_report(kept)
    assert [each.size for each in found.series] == [1]
    first, second = found.failed
    assert first.startswith("live, 2 streams")
    assert "status 3" in first
    assert "ZeroDivisionError" in second
    assert "- FAILED: live, 2 streams" in ended.out
    assert "these parts failed:" in ended.err


def test_stages_decode_as_a_live_run_does(edge_command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else decoding takes more than the whole of a live stream, of which it is a part."""
    film = tmp_path / "demo.mp4"
    recording.write(film, 7)
    ways: list[bool] = []

    def read(*arguments: Any, in_real_time: bool) -> Iterator[Frame]:
        ways.append(in_real_time)
        return read_frames(*arguments, in_real_time=in_real_time)

    monkeypatch.setattr(media, "read_frames", read)
    for other in ("frame", "graphs", "publish"):
        monkeypatch.setattr(stages, other, lambda *_: ())
    monkeypatch.setattr(commands.roofline, "measure", lambda threads: Roofline(gemm_gflops=1.0, copy_gbps=1.0))
    ended = edge_command("bench", "--only", "stages", "--file", film, "--backend", "onnxruntime", "--seconds", "1")
    assert "decode 1 s" in ended.out
    assert set(ways) == {True}


def test_what_was_seen_before_the_program_broke_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: Iterator[int] = iter([1])

    def run_once(
        arguments: object, window_s: float, wanted: int, sampling: Sampling, seen: live.LiveMeasurement
    ) -> None:
        if next(runs, None) is None:
            raise FoalError("foal-edge ended with status 3")
        seen.latencies_ms += [5.0, 6.0]

    monkeypatch.setattr(live, "run_once", run_once)

    class Candidate:
        name, bundle = "nano", load(SHIPPED)
        arguments: tuple[str, ...] = ()

    found = live.measure_live(Candidate(), Path("x.mp4"), 1, 0.5, Sampling(1.0, Energy(()), lambda: None))  # type: ignore[arg-type]
    assert found.samples_ms == [5.0, 6.0]
    assert found.stop_reason == "2 of the 368 samples that p99 needs; foal-edge ended with status 3"
