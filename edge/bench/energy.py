"""Energy consumption of the whole device, from whatever meters it has.

- A Jetson measures the board's input in a chip, INA3221 (kernel: Documentation/hwmon/ina3221.rst), whose power is
  sampled and summed here; jetson-stats shows the same power once per second and no sum. The power includes CPU and GPU.
- x86 counts the energy of each CPU package, RAPL (kernel: Documentation/power/powercap/powercap.rst); since Linux 5.10
  only root may read the counter. Memory, disks and the power supply's loss are left out.
- NVIDIA's driver counts the energy of each GPU's board, NVML's nvmlDeviceGetTotalEnergyConsumption, from Volta on.
"""

import importlib
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

INPUT_RAILS = ("VDD_IN", "POM_5V_IN")
"""Names of the rail that feeds all of a Jetson; AGX modules measure no such rail."""
SAMPLING_PERIOD_S = 0.1


class Meter(Protocol):
    """Meter of the energy of one part of the device."""

    about: str
    """Description of the measured part, for people."""

    def read_j(self) -> float | None:
        """Return the energy since the meter was opened, None where it cannot be read any more."""
        ...

    def close(self) -> None:
        """Stop measuring."""
        ...


class Energy:
    """Sum of a device's meters."""

    def __init__(self, meters: Sequence[Meter]) -> None:
        self._meters = meters
        self.about = " + ".join(meter.about for meter in meters)
        """Description of the measured parts, for people; empty where there are none."""

    @classmethod
    def find(cls, root: Path = Path("/")) -> "Energy":
        """Open this device's meters. `root`: the folder of `sys`."""
        if board := find_board(root / "sys/class/hwmon"):
            return cls([board])
        gpus = find_gpus()
        return cls([*find_packages(root / "sys/class/powercap"), *([gpus] if gpus else [])])

    def read_j(self) -> float | None:
        """Return the energy since the meters were found, None where there is none or one cannot be read any more."""
        readings = [meter.read_j() for meter in self._meters]
        known = [energy_j for energy_j in readings if energy_j is not None]
        return sum(known) if known and len(known) == len(readings) else None

    def close(self) -> None:
        """Close the meters."""
        for meter in self._meters:
            meter.close()


class Package:
    """RAPL counter of a CPU package; it wraps around after some minutes and has to be read before."""

    def __init__(self, folder: Path) -> None:
        self.about = f"CPU {(folder / 'name').read_text().strip()}"
        self._counter = folder / "energy_uj"
        self._range_uj = int((folder / "max_energy_range_uj").read_text())
        self._last_uj = int(self._counter.read_text())
        self._total_uj = 0

    def read_j(self) -> float | None:
        """Return the energy since the counter was opened, if it was read at least once between two wraparounds."""
        try:
            now_uj = int(self._counter.read_text())
        except OSError:
            return None
        self._total_uj += now_uj - self._last_uj + (self._range_uj if now_uj < self._last_uj else 0)
        self._last_uj = now_uj
        return self._total_uj / 1e6

    def close(self) -> None:
        """Do nothing: no file is open between reads."""


def find_packages(folder: Path) -> list[Package]:
    """Open the CPU packages in a folder like /sys/class/powercap; their counters include the domains inside them."""
    packages = []
    for domain in sorted(folder.glob("intel-rapl:*")):
        try:
            if (domain / "name").read_text().startswith("package"):
                packages.append(Package(domain))
        except OSError:  # read by root alone, as most systems have it
            continue
    return packages


class Gpus:
    """GPUs that NVML lists and whose energy it counts; `nvml`: the module pynvml, initialised."""

    def __init__(self, nvml: Any, handles: Sequence[Any]) -> None:
        self.about = f"{len(handles)} NVIDIA GPU{'s' if len(handles) > 1 else ''}"
        self._nvml, self._handles = nvml, handles
        self._first_mj = self._counted_mj()

    def _counted_mj(self) -> int:
        return sum(self._nvml.nvmlDeviceGetTotalEnergyConsumption(handle) for handle in self._handles)

    def read_j(self) -> float | None:
        """Return the energy since the GPUs were opened, None where NVML fails."""
        try:
            return (self._counted_mj() - self._first_mj) / 1e3
        except self._nvml.NVMLError:
            return None

    def close(self) -> None:
        """Shut NVML down."""
        self._nvml.nvmlShutdown()


def find_gpus() -> Gpus | None:
    """Open the GPUs that count their energy; None where nvidia-ml-py, the driver or such a GPU is missing."""
    try:
        nvml = importlib.import_module("pynvml")
        nvml.nvmlInit()
    except ImportError:
        return None
    except nvml.NVMLError:
        return None
    every = [nvml.nvmlDeviceGetHandleByIndex(index) for index in range(nvml.nvmlDeviceGetCount())]
    if handles := [handle for handle in every if counts_energy(nvml, handle)]:
        return Gpus(nvml, handles)
    nvml.nvmlShutdown()
    return None


def counts_energy(nvml: Any, handle: Any) -> bool:
    """Return whether a GPU counts its energy; those before Volta and those of a Jetson do not."""
    try:
        nvml.nvmlDeviceGetTotalEnergyConsumption(handle)
    except nvml.NVMLError:
        return False
    return True


class Board:
    """Input of a Jetson's board: its power over time, by the trapezoidal rule between samples."""

    def __init__(self, voltage_mv: Path, current_ma: Path, now: Callable[[], float] = time.monotonic) -> None:
        self.about = "the board's input"
        self._voltage_mv, self._current_ma, self._now = voltage_mv, current_ma, now
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._total_j = 0.0
        self._last_s, self._last_w = now(), self._power_w()
        self._sampler = threading.Thread(target=self._sample, name="energy", daemon=True)

    def start(self) -> None:
        """Start to sample."""
        self._sampler.start()

    def _power_w(self) -> float:
        return int(self._voltage_mv.read_text()) * int(self._current_ma.read_text()) / 1e6

    def _sample(self) -> None:
        while not self._stop.wait(SAMPLING_PERIOD_S):
            self.read_j()

    def read_j(self) -> float | None:
        """Return the energy since the board was opened; the next sample bridges one that fails."""
        with self._lock:
            try:
                power_w = self._power_w()
            except OSError:
                return None
            now_s = self._now()
            self._total_j += (self._last_w + power_w) / 2 * (now_s - self._last_s)
            self._last_s, self._last_w = now_s, power_w
            return self._total_j

    def close(self) -> None:
        """Stop sampling."""
        self._stop.set()
        if self._sampler.is_alive():
            self._sampler.join()


def find_board(folder: Path) -> Board | None:
    """Open the rail that feeds all, in a folder like /sys/class/hwmon, and sample it; None where there is none."""
    for label in sorted(folder.glob("hwmon*/in*_label")):
        try:
            chip, rail = ((label.parent / "name").read_text().strip(), label.read_text().strip())
            if chip != "ina3221" or rail not in INPUT_RAILS:
                continue
            channel = label.name.removeprefix("in").removesuffix("_label")
            board = Board(label.parent / f"in{channel}_input", label.parent / f"curr{channel}_input")
        except OSError:
            continue
        board.start()
        return board
    return None
