"""Noise of a machine, from made trees of /proc and made times."""

import os
from pathlib import Path

import pytest

from edge.bench.noise import NoiseMonitor, tree_ticks

QUIET_MS = [1.0, 1.01, 0.99] * 10


def made_stat(root: Path, **ticks: int) -> None:
    """`/proc/stat`."""
    names = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal", "guest", "guest_nice")
    (root / "proc").mkdir(exist_ok=True)
    line = " ".join(str(ticks.get(name, 0)) for name in names)
    (root / "proc/stat").write_text(f"cpu  {line}\ncpu0 {line}\nintr 1 2 3\n")


def made_process(root: Path, process: int, parent: int, *ticks: int, name: str = "python") -> None:
    """`/proc/N/stat`; `ticks`: its own in both modes, then those of ended children."""
    folder = root / "proc" / str(process)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "stat").write_text(f"{process} ({name}) S {parent} {'0 ' * 9}{' '.join(map(str, ticks))} 20 0 1 0\n")


def test_a_look_times_the_work(tmp_path: Path) -> None:
    noise = NoiseMonitor()
    for _ in range(3):
        noise.probe()
    found = noise.summarize()
    assert len(found.probe_ms) == 3
    assert min(found.probe_ms) > 0
    assert 0 <= found.steal_share <= 1
    assert 0 <= found.other_share <= 1


def test_shares_are_of_all_cpu_time_since_the_making(tmp_path: Path) -> None:
    process = os.getpid()
    made_stat(tmp_path, user=1000, system=100, idle=5000, iowait=50, steal=70)
    made_process(tmp_path, process, 1, 300, 20, 0, 0)
    made_process(tmp_path, process + 1, process, 50, 5, 0, 0)
    noise = NoiseMonitor(tmp_path)
    noise.probe_ms += QUIET_MS
    made_stat(tmp_path, user=1450, nice=10, system=160, idle=5350, iowait=60, irq=10, softirq=10, steal=170)
    made_process(tmp_path, process, 1, 500, 30, 40, 10)
    made_process(tmp_path, process + 1, process, 90, 5, 0, 0)
    found = noise.summarize()
    assert found.steal_share == pytest.approx(100 / 1000)
    assert found.other_share == pytest.approx((540 - 300) / 1000)
    assert [warning.split(" took ")[0] for warning in found.warnings] == ["the hypervisor", "other processes"]
    assert "24.0%" in found.warnings[1]


def test_own_time_is_that_of_children_and_theirs(tmp_path: Path) -> None:
    made_process(tmp_path, 10, 1, 1, 2, 3, 4)
    made_process(tmp_path, 11, 10, 100, 0, 0, 0, name="a (strange) name")
    made_process(tmp_path, 12, 11, 0, 1000, 0, 0)
    made_process(tmp_path, 13, 1, 5, 5, 5, 5)
    (tmp_path / "proc/14").mkdir()
    assert tree_ticks(tmp_path / "proc", 10) == 1 + 2 + 3 + 4 + 100 + 1000


def test_a_quiet_machine_has_no_complaints(tmp_path: Path) -> None:
    made_stat(tmp_path, user=10, idle=1000)
    noise = NoiseMonitor(tmp_path)
    noise.probe_ms += QUIET_MS
    made_stat(tmp_path, user=50, idle=2000, steal=10)
    found = noise.summarize()
    assert found.warnings == []
    assert found.probe_ms == QUIET_MS


@pytest.mark.parametrize(
    ("probe_ms", "warning"),
    [
        ([1.0] * 5 + [1.3] * 2 + [1.0] * 3, "p90 of the probes was 30% above their median"),
        ([1.0] * 5 + [1.05] * 5 + [1.14] * 5, "+14% in the last third"),
        ([1.14] * 5 + [1.1] * 5 + [1.0] * 5, "-12% in the last third"),
    ],
)
def test_work_that_is_not_steady_is_warned_of(tmp_path: Path, probe_ms: list, warning: str) -> None:
    made_stat(tmp_path, idle=1000)
    noise = NoiseMonitor(tmp_path)
    noise.probe_ms += probe_ms
    (found,) = noise.summarize().warnings
    assert warning in found
    assert "is expected; " in found


def test_a_kernel_that_does_not_tell_is_warned_of(tmp_path: Path) -> None:
    found = NoiseMonitor(tmp_path).summarize()
    assert (found.steal_share, found.other_share, found.probe_ms) == (0, 0, [])
    assert len(found.warnings) == 1
    assert "cannot be read" in found.warnings[0]
