"""How steady a machine is, from made trees of /proc and made times."""

import os
from pathlib import Path

import pytest

from edge.bench.noise import Steadiness, own_ticks

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
    steadiness = Steadiness()
    for _ in range(3):
        steadiness.look()
    found = steadiness.report()
    assert len(found.work_ms) == 3
    assert min(found.work_ms) > 0
    assert 0 <= found.stolen <= 1
    assert 0 <= found.others <= 1


def test_shares_are_of_all_cpu_time_since_the_making(tmp_path: Path) -> None:
    process = os.getpid()
    made_stat(tmp_path, user=1000, system=100, idle=5000, iowait=50, steal=70)
    made_process(tmp_path, process, 1, 300, 20, 0, 0)
    made_process(tmp_path, process + 1, process, 50, 5, 0, 0)
    steadiness = Steadiness(tmp_path)
    steadiness.work_ms += QUIET_MS
    made_stat(tmp_path, user=1450, nice=10, system=160, idle=5350, iowait=60, irq=10, softirq=10, steal=170)
    made_process(tmp_path, process, 1, 500, 30, 40, 10)
    made_process(tmp_path, process + 1, process, 90, 5, 0, 0)
    found = steadiness.report()
    assert found.stolen == pytest.approx(100 / 1000)
    assert found.others == pytest.approx((540 - 300) / 1000)
    assert [complaint.split(" took ")[0] for complaint in found.complaints] == ["the hypervisor", "other processes"]
    assert "24.0%" in found.complaints[1]


def test_own_time_is_that_of_children_and_theirs(tmp_path: Path) -> None:
    made_process(tmp_path, 10, 1, 1, 2, 3, 4)
    made_process(tmp_path, 11, 10, 100, 0, 0, 0, name="a (strange) name")
    made_process(tmp_path, 12, 11, 0, 1000, 0, 0)
    made_process(tmp_path, 13, 1, 5, 5, 5, 5)
    (tmp_path / "proc/14").mkdir()
    assert own_ticks(tmp_path / "proc", 10) == 1 + 2 + 3 + 4 + 100 + 1000


def test_a_quiet_machine_has_no_complaints(tmp_path: Path) -> None:
    made_stat(tmp_path, user=10, idle=1000)
    steadiness = Steadiness(tmp_path)
    steadiness.work_ms += QUIET_MS
    made_stat(tmp_path, user=50, idle=2000, steal=10)
    found = steadiness.report()
    assert found.complaints == []
    assert found.work_ms == QUIET_MS


@pytest.mark.parametrize(
    ("work_ms", "complaint"),
    [
        ([1.0] * 5 + [1.3] * 2 + [1.0] * 3, "p90 was 30% above its median"),
        ([1.0] * 5 + [1.05] * 5 + [1.14] * 5, "+14% in the last third"),
        ([1.14] * 5 + [1.1] * 5 + [1.0] * 5, "-12% in the last third"),
    ],
)
def test_work_that_is_not_steady_is_complained_of(tmp_path: Path, work_ms: list, complaint: str) -> None:
    made_stat(tmp_path, idle=1000)
    steadiness = Steadiness(tmp_path)
    steadiness.work_ms += work_ms
    (found,) = steadiness.report().complaints
    assert complaint in found
    assert "is expected; " in found


def test_a_kernel_that_does_not_tell_is_complained_of(tmp_path: Path) -> None:
    found = Steadiness(tmp_path).report()
    assert (found.stolen, found.others, found.work_ms) == (0, 0, [])
    assert len(found.complaints) == 1
    assert "cannot be read" in found.complaints[0]
