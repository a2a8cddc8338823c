"""The report of a benchmark, written and read."""

import json
from pathlib import Path

import msgspec
import pytest

from edge.bench.report import SCHEMA, read_report, write_report
from edge.errors import UsageError
from tests.edge.bench.made_report import REPORT


def test_read_is_what_was_written(tmp_path: Path) -> None:
    write_report(REPORT, tmp_path / "bench.json")
    assert read_report(tmp_path / "bench.json") == REPORT


def test_others_can_read_it(tmp_path: Path) -> None:
    write_report(REPORT, tmp_path / "bench.json")
    text = (tmp_path / "bench.json").read_text()
    plain = json.loads(text)
    assert plain["schema"] == SCHEMA
    assert plain["series"][0]["samples_ms"] == REPORT.series[0].samples_ms
    assert text.count("\n") > len(REPORT.series)


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot be written .*; give --json another place"):
        write_report(REPORT, tmp_path / "absent" / "bench.json")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot be read .*; give a file that bench --json wrote"):
        read_report(tmp_path / "absent.json")


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff", b'{"schema": "one"}'])
def test_no_document(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bench.json").write_bytes(content)
    with pytest.raises(UsageError, match="is no report of foal-edge bench"):
        read_report(tmp_path / "bench.json")


def test_another_schema(tmp_path: Path) -> None:
    write_report(msgspec.structs.replace(REPORT, schema=SCHEMA + 1), tmp_path / "bench.json")
    with pytest.raises(UsageError, match=f"has schema {SCHEMA + 1}, this program reads {SCHEMA}; measure again"):
        read_report(tmp_path / "bench.json")


EARLIER = """
{"schema": 1, "date": "2026-01-02T03:04:05+00:00", "command": "foal-edge bench --json a.json", "recording": "talk.mp4",
 "hop_s": 0.5, "window_s": 6.0, "picture_hz": 5.0, "energy": "CPU package-0",
 "machine": {"cpu": "Made CPU 1.0", "cores": 4, "memory_mb": 8192, "gpu": null, "system": "Linux 6.1 x86_64",
             "versions": {"python": "3.11.7"}, "commit": null, "clocks_mhz": [], "governor": null, "power_mode": null,
             "temperature_c": null},
 "noise": {"work_ms": [1.0, 1.5], "stolen": 0.25, "others": 0.5, "complaints": ["a neighbour"]},
 "roof": {"gemm_gflops": 100.0, "copy_gbps": 10.0},
 "contenders": [{"name": "nano cpu", "bundle": "nano 1.0", "manifest_sha256": "ab", "precision": {"fusion": "fp32"},
                 "backend": "cpu", "about": "4 threads", "difference": 0.5}],
 "series": [{"scenario": "server", "what": "a window, at 25% load", "contender": "nano cpu", "size": 1, "rate": 2.5,
             "samples_ms": [4.0], "warm_up_ms": [9.0], "device_ms": [], "stopped": "1 of 368", "cpu_s": 0.5,
             "peak_mb": null, "energy_j": 2.0, "gflop": 0.1, "moved_mb": 3.0, "lasted_s": 7.0, "counts": {},
             "stages_ms": {}}],
 "naive": [{"contender": "nano cpu", "once_cpu_ms": [1.0], "again_cpu_ms": [4.0], "difference": 1e-07}], "failed": []}
"""
"""Report that an earlier version wrote."""


def test_a_report_of_an_earlier_version_is_read_and_its_keys_are_written(tmp_path: Path) -> None:
    (tmp_path / "earlier.json").write_text(EARLIER)
    found = read_report(tmp_path / "earlier.json")
    [series], [naive] = found.series, found.naive
    assert (found.frame_rate_hz, found.energy_source, found.roofline.gemm_gflops) == (5.0, "CPU package-0", 100.0)
    assert (found.noise.probe_ms, found.noise.steal_share, found.noise.other_share) == ([1.0, 1.5], 0.25, 0.5)
    assert found.noise.warnings == ["a neighbour"]
    assert found.candidates[0].name == series.candidate == naive.candidate == "nano cpu"
    assert (series.operation, series.arrivals_per_s, series.stop_reason) == ("a window, at 25% load", 2.5, "1 of 368")
    assert (series.traffic_mb, series.duration_s) == (3.0, 7.0)
    assert (naive.cached_cpu_ms, naive.naive_cpu_ms) == ([1.0], [4.0])
    write_report(found, tmp_path / "now.json")
    assert json.loads((tmp_path / "now.json").read_text()) == json.loads(EARLIER)


def test_a_report_of_an_earlier_version_is_compared(edge_command, tmp_path: Path) -> None:
    (tmp_path / "earlier.json").write_text(EARLIER)
    write_report(read_report(tmp_path / "earlier.json"), tmp_path / "now.json")
    compared = edge_command("bench", "compare", tmp_path / "earlier.json", tmp_path / "now.json")
    assert (compared.status, "too few samples" in compared.out) == (0, True)
