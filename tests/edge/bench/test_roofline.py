"""Roofline: the matrix product, and the arithmetic of the rates."""

from pathlib import Path

import numpy as np
import pytest

from edge.bench import roofline
from edge.bench.roofline import open_matmul, varint


def test_the_product_is_numpys() -> None:
    draw = np.random.default_rng(0)
    left, right = draw.random((5, 300), np.float32), draw.random((300, 7), np.float32)
    found = open_matmul(1)(left, right)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, left.astype(float) @ right.astype(float), rtol=1e-5)


def test_varints_are_those_of_protobufs_documentation() -> None:
    assert varint(1) == b"\x01"
    assert varint(150) == b"\x96\x01"


@pytest.mark.parametrize("threads", [0, 1])
def test_rates_are_positive(threads: int) -> None:
    assert roofline.gemm_gflops(threads, side=64) > 0
    assert roofline.copy_gbps(threads, 1 << 20) > 0


def test_both_rates_are_measured_and_all_is_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[int] = []
    copy = np.copyto

    def note(target: np.ndarray, source: np.ndarray) -> None:
        copied.append(source.nbytes)
        copy(target, source)

    monkeypatch.setattr(roofline, "SIDE", 64)
    monkeypatch.setattr(roofline, "COPIED_BYTES", 1 << 20)
    monkeypatch.setattr(roofline, "MIN_COPIED_BYTES", 1 << 20)
    monkeypatch.setattr(np, "copyto", note)
    found = roofline.measure(3)
    assert found.gemm_gflops > 0
    assert found.copy_gbps > 0
    assert len(copied) == 3 * roofline.RUNS
    assert sum(copied) == roofline.RUNS << 20


def test_rates_are_operations_and_bytes_of_the_best_run(monkeypatch: pytest.MonkeyPatch) -> None:
    taken_s = iter([0.25, 0.125, 0.5])
    monkeypatch.setattr(roofline, "shortest_s", lambda run: next(taken_s))
    monkeypatch.setattr(roofline, "usable_cores", lambda: 2)
    assert roofline.gemm_gflops(0, side=100) == pytest.approx(2 * 100**3 / 0.125 / 1e9)
    assert roofline.copy_gbps(0, 1 << 20) == pytest.approx(2 * (1 << 20) / 0.5 / 1e9)


def test_numpy_does_not_count_where_fewer_cores_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    taken_s = iter([0.25, 0.125])
    monkeypatch.setattr(roofline, "shortest_s", lambda run: next(taken_s))
    monkeypatch.setattr(roofline, "usable_cores", lambda: 2)
    assert roofline.gemm_gflops(1, side=100) == pytest.approx(2 * 100**3 / 0.25 / 1e9)


@pytest.mark.parametrize(
    ("available_kib", "copied"), [(24_000_000, 1 << 28), (800_000, 102_400_000), (10_000, 1 << 24), (None, 1 << 28)]
)
def test_less_is_copied_where_memory_is_scarce(tmp_path: Path, available_kib: int | None, copied: int) -> None:
    meminfo = tmp_path / "meminfo"
    if available_kib is not None:
        meminfo.write_text(f"MemTotal:       99999999 kB\nMemAvailable:   {available_kib} kB\n")
    assert roofline.copied_bytes(meminfo) == copied
