"""Meters of energy, from made trees of /sys and a made pynvml."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from edge.bench.energy import Board, Energy, Package, find_board, find_gpus, find_packages

RANGE_UJ = 262_143_328_850


class NVMLError(Exception):
    pass


class MadeNvml(ModuleType):
    """pynvml as far as it is used; a GPU that does not count has None."""

    NVMLError = NVMLError

    def __init__(self, *counted_mj: int | None, driver: bool = True) -> None:
        super().__init__("pynvml")
        self.counted_mj, self.driver, self.opened = list(counted_mj), driver, 0

    def nvmlInit(self) -> None:
        if not self.driver:
            raise NVMLError("Driver Not Loaded")
        self.opened += 1

    def nvmlShutdown(self) -> None:
        self.opened -= 1

    def nvmlDeviceGetCount(self) -> int:
        return len(self.counted_mj)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        return index

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: int) -> int:
        counted_mj = self.counted_mj[handle]
        if counted_mj is None:
            raise NVMLError("Not Supported")
        return counted_mj


@pytest.fixture(autouse=True)
def no_nvml(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)


def made_domain(powercap: Path, name: str, called: str, energy_uj: int) -> Path:
    folder = powercap / name
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"{called}\n")
    (folder / "max_energy_range_uj").write_text(f"{RANGE_UJ}\n")
    (folder / "energy_uj").write_text(f"{energy_uj}\n")
    return folder


def made_board(hwmon: Path, chip: str = "ina3221", rails: tuple[str, ...] = ("VDD_CPU_GPU_CV", "VDD_IN")) -> Path:
    folder = hwmon / "hwmon3"
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"{chip}\n")
    for channel, rail in enumerate(rails, 1):
        (folder / f"in{channel}_label").write_text(f"{rail}\n")
        (folder / f"in{channel}_input").write_text("5000\n")
        (folder / f"curr{channel}_input").write_text(f"{channel}000\n")
    return folder


def test_a_package_counts_on_where_its_counter_starts_again(tmp_path: Path) -> None:
    folder = made_domain(tmp_path, "intel-rapl:0", "package-0", RANGE_UJ - 2_000_000)
    package = Package(folder)
    assert package.read_j() == 0
    told = []
    for energy_uj in (RANGE_UJ - 500_000, 1_000_000, 4_000_000, 3_000_000):
        (folder / "energy_uj").write_text(f"{energy_uj}\n")
        told.append(package.read_j())
    assert told == pytest.approx([1.5, 3.0, 6.0, 6.0 + (RANGE_UJ - 1_000_000) / 1e6])


def test_only_packages_count(tmp_path: Path) -> None:
    for name, called in (("intel-rapl:0", "package-0"), ("intel-rapl:0:0", "core"), ("intel-rapl:1", "psys")):
        made_domain(tmp_path, name, called, 7)
    made_domain(tmp_path, "intel-rapl-mmio:0", "package-0", 7)
    assert [package.about for package in find_packages(tmp_path)] == ["CPU package-0"]


def test_a_counter_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    folder = made_domain(tmp_path / "sys/class/powercap", "intel-rapl:0", "package-0", 7)
    energy = Energy.find(tmp_path)
    (folder / "energy_uj").unlink()
    assert energy.read_j() is None
    assert Energy.find(tmp_path).read_j() is None


def test_a_device_without_meters_tells_nothing(tmp_path: Path) -> None:
    energy = Energy.find(tmp_path)
    assert energy.read_j() is None
    assert energy.about == ""
    energy.close()


def test_packages_and_gpus_are_summed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nvml = MadeNvml(10_000, None, 500)
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    folders = [made_domain(tmp_path / "sys/class/powercap", f"intel-rapl:{i}", f"package-{i}", 100) for i in (0, 1)]
    energy = Energy.find(tmp_path)
    assert energy.about == "CPU package-0 + CPU package-1 + 2 NVIDIA GPUs"
    for folder in folders:
        (folder / "energy_uj").write_text("2000100\n")
    nvml.counted_mj = [13_000, None, 1000]
    assert energy.read_j() == pytest.approx(2 + 2 + 3 + 0.5)
    energy.close()
    assert nvml.opened == 0


def test_a_gpu_that_stops_telling_leaves_no_sum(monkeypatch: pytest.MonkeyPatch) -> None:
    nvml = MadeNvml(10_000)
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    gpus = find_gpus()
    assert gpus is not None
    nvml.counted_mj = [None]
    assert Energy([gpus]).read_j() is None


@pytest.mark.parametrize("nvml", [None, MadeNvml(driver=False), MadeNvml(), MadeNvml(None)])
def test_there_is_no_meter_without_a_gpu_that_counts(monkeypatch: pytest.MonkeyPatch, nvml: MadeNvml | None) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    assert find_gpus() is None
    assert nvml is None or nvml.opened == 0


def test_a_boards_power_is_integrated(tmp_path: Path) -> None:
    folder = made_board(tmp_path)
    times_s: Iterator[float] = iter([10.0, 12.0, 13.0])
    board = Board(folder / "in2_input", folder / "curr2_input", lambda: next(times_s))
    assert board.read_j() == pytest.approx(2 * 10)
    (folder / "curr2_input").write_text("4000\n")
    assert board.read_j() == pytest.approx(2 * 10 + (10 + 20) / 2)
    (folder / "curr2_input").unlink()
    assert board.read_j() is None


def test_a_jetsons_input_is_all_that_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", MadeNvml(10_000))
    made_domain(tmp_path / "sys/class/powercap", "intel-rapl:0", "package-0", 7)
    made_board(tmp_path / "sys/class/hwmon")
    energy = Energy.find(tmp_path)
    try:
        first_j, second_j = energy.read_j(), energy.read_j()
    finally:
        energy.close()
    assert energy.about == "the board's input"
    assert first_j is not None
    assert second_j is not None
    assert 0 < first_j < second_j


@pytest.mark.parametrize("made", [{"chip": "nct6775"}, {"rails": ("VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0")}])
def test_other_chips_and_rails_are_no_input(tmp_path: Path, made: dict) -> None:
    made_board(tmp_path, **made)
    assert find_board(tmp_path) is None
