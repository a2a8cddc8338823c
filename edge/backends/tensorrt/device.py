"""The NVIDIA GPU that engines are built for and run on: the first that CUDA shows."""

import re
from dataclasses import dataclass
from pathlib import Path

from ...errors import EngineError
from . import cuda

JETSON_RELEASE = Path("/etc/nv_tegra_release")
"""`# R36 (release), REVISION: 4.3, ...`: the L4T line of a Jetson."""
JETSON_MODEL = Path("/proc/device-tree/model")
"""`NVIDIA Jetson Orin Nano Developer Kit`."""
NO_DRIVER = "nvidia-smi must print a table; or take --backend onnxruntime"
DRIVER_VERSION = Path("/proc/driver/nvidia/version")
"""`NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  ...`: elsewhere."""


@dataclass(frozen=True)
class Device:
    """A GPU, as far as engines depend on it."""

    name: str
    """With its number of multiprocessors and its board: every Jetson Orin has the name `Orin`."""
    capability: str
    """Compute capability, e.g. `8.7`."""
    driver: str
    """The driver's line: `580`, `L4T 36.4` on a Jetson, or the newest CUDA it runs where it tells no more."""

    @property
    def architecture(self) -> str:
        """`sm87` for compute capability 8.7."""
        return architecture(self.capability)


def architecture(capability: str) -> str:
    """`sm87` for compute capability 8.7."""
    return f"sm{capability.replace('.', '')}"


def find() -> Device:
    """EngineError where there is no GPU, or it cannot be used."""
    runtime = cuda.runtime()
    try:
        count = cuda.call(runtime.cudaGetDeviceCount)
    except EngineError as error:
        raise EngineError(f"no NVIDIA GPU can be used ({error})", NO_DRIVER) from error
    if not count:
        raise EngineError("CUDA shows no GPU", "look at CUDA_VISIBLE_DEVICES, or take --backend onnxruntime")
    found = cuda.call(runtime.cudaGetDeviceProperties, 0)
    name = f"{text(found.name)} {found.multiProcessorCount} SM {board(JETSON_MODEL)}".strip()
    line = driver_line(JETSON_RELEASE, DRIVER_VERSION) or f"CUDA {cuda.call(runtime.cudaDriverGetVersion)}"
    return Device(name, f"{found.major}.{found.minor}", line)


def board(model: Path) -> str:
    """A Jetson's own name; empty elsewhere."""
    return text(model.read_bytes()) if model.is_file() else ""


def text(words: bytes | str) -> str:
    """As CUDA and the device tree have it, without the zeros at its end."""
    return (words.decode(errors="replace") if isinstance(words, bytes) else words).rstrip("\0").strip()


def driver_line(jetson_release: Path, driver_version: Path) -> str | None:
    """`L4T 36.4` or `580`, by whichever of the two files tells; None where neither does, as in some containers."""
    if jetson_release.is_file():
        if found := re.search(r"R(\d+).*REVISION:\s*(\d+)", jetson_release.read_text()):
            return f"L4T {found[1]}.{found[2]}"
        return None
    if driver_version.is_file() and (found := re.search(r"Kernel Module.*?\s(\d+)\.\d+", driver_version.read_text())):
        return found[1]
    return None
