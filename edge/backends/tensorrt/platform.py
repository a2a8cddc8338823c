"""The TensorRT that is installed, and the NVIDIA GPU that engines are built for and run on."""

import importlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ...errors import EngineError
from . import cuda

VariantName = Literal["tensorrt", "tensorrt-rtx"]
PACKAGES: dict[VariantName, str] = {"tensorrt": "tensorrt", "tensorrt-rtx": "tensorrt_rtx"}
"""Packages in the order of preference: the first one times its kernels on the device it builds for."""
OLDEST_VERSION = (10, 3)
"""Oldest version of `tensorrt` that will do, which JetPack 6.1 has."""
TENSORRT_REMEDY = (
    "on a Jetson make the virtual environment with --system-site-packages (docs/jetson.md), "
    "with a GeForce or RTX card pip install tensorrt-rtx cuda-python (docs/desktop-rtx.md), "
    "with any other NVIDIA card take --backend cuda (docs/cuda.md), "
    "or take --backend onnxruntime"
)
DRIVER_REMEDY = "nvidia-smi must print a table; or take --backend onnxruntime"
JETSON_RELEASE = Path("/etc/nv_tegra_release")
"""File with the L4T release of a Jetson: `# R36 (release), REVISION: 4.3, ...`."""
JETSON_MODEL = Path("/proc/device-tree/model")
"""File with the name of a Jetson: `NVIDIA Jetson Orin Nano Developer Kit`."""
DRIVER_VERSION = Path("/proc/driver/nvidia/version")
"""File with the driver elsewhere: `NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  ...`."""


@dataclass(frozen=True)
class TensorRTVariant:
    """One installed TensorRT: `tensorrt` (on a Jetson, JetPack's own) or `tensorrt_rtx`, which share one API."""

    name: VariantName
    version: str
    module: Any
    """The imported package; it has no types of its own."""

    @property
    def is_rtx(self) -> bool:
        """True if kernels are made on the device when an engine is loaded, so that it can be built without one."""
        return self.name == "tensorrt-rtx"


@dataclass(frozen=True)
class Device:
    """A GPU, as far as engines depend on it."""

    name: str
    """Name with the number of multiprocessors and the board: every Jetson Orin's GPU has the name `Orin`."""
    capability: str
    """Compute capability, e.g. `8.7`."""
    driver: str
    """Release of the driver: `580`, `L4T 36.4` on a Jetson, or the newest CUDA it runs where it tells no more."""

    @property
    def architecture(self) -> str:
        """Name of the architecture: `sm87` for compute capability 8.7."""
        return architecture(self.capability)


def architecture(capability: str) -> str:
    """Return the name of an architecture: `sm87` for compute capability 8.7."""
    return f"sm{capability.replace('.', '')}"


def find_tensorrt(*wanted: VariantName) -> TensorRTVariant:
    """Return the first installed of the variants wanted, of all without arguments.

    EngineError where there is none, or it is too old.
    """
    reasons = []
    for name in wanted or tuple(PACKAGES):
        try:
            module = importlib.import_module(PACKAGES[name])
        except (ImportError, OSError) as error:
            missing = isinstance(error, ModuleNotFoundError) and error.name == PACKAGES[name]
            reasons.append(f"{PACKAGES[name]}: {'not installed' if missing else error}")
            continue
        version = str(getattr(module, "__version__", ""))
        if not version:
            reasons.append(f"{PACKAGES[name]} is another package here ({module})")
            continue
        if name == "tensorrt" and version_numbers(version) < OLDEST_VERSION:
            reasons.append(f"{PACKAGES[name]} is {version}, 10.3 or later is needed")
            continue
        return TensorRTVariant(name, version, module)
    raise EngineError(f"no TensorRT to use ({'; '.join(reasons)})", TENSORRT_REMEDY)


def version_numbers(version: str) -> tuple[int, ...]:
    """Return the first two numbers of a version."""
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])


def find_gpu() -> Device:
    """Return the first GPU that CUDA shows; EngineError where there is none, or it cannot be used."""
    runtime = cuda.runtime()
    try:
        count = cuda.call(runtime.cudaGetDeviceCount)
    except EngineError as error:
        raise EngineError(f"no NVIDIA GPU can be used ({error})", DRIVER_REMEDY) from error
    if not count:
        raise EngineError("CUDA shows no GPU", "look at CUDA_VISIBLE_DEVICES, or take --backend onnxruntime")
    found = cuda.call(runtime.cudaGetDeviceProperties, 0)
    name = f"{decode_name(found.name)} {found.multiProcessorCount} SM {read_board(JETSON_MODEL)}".strip()
    driver = read_driver(JETSON_RELEASE, DRIVER_VERSION) or f"CUDA {cuda.call(runtime.cudaDriverGetVersion)}"
    return Device(name, f"{found.major}.{found.minor}", driver)


def decode_name(name: bytes | str) -> str:
    """Return a name as CUDA or the device tree has it, without the zeros at its end."""
    return (name.decode(errors="replace") if isinstance(name, bytes) else name).rstrip("\0").strip()


def read_board(model: Path) -> str:
    """Return the name of a Jetson; empty elsewhere."""
    return decode_name(model.read_bytes()) if model.is_file() else ""


def read_driver(jetson_release: Path, driver_version: Path) -> str | None:
    """Return the driver's release, `L4T 36.4` or `580`, from whichever of the two files names it.

    None where neither does, as in some containers.
    """
    if jetson_release.is_file():
        if found := re.search(r"R(\d+).*REVISION:\s*(\d+)", jetson_release.read_text()):
            return f"L4T {found[1]}.{found[2]}"
        return None
    if driver_version.is_file() and (found := re.search(r"Kernel Module.*?\s(\d+)\.\d+", driver_version.read_text())):
        return found[1]
    return None
