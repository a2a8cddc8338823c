"""Package `onnxruntime-gpu` and NVIDIA's libraries: which of them are here, and what hides or lacks them.

The packages `onnxruntime` and `onnxruntime-gpu` install into one folder, so that the last one installed is the one that
is imported, and pip sees nothing wrong with both.
"""

import ctypes
import io
import re
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path

from ...errors import EngineError
from ...system.versions import find_version
from ..onnxruntime import VERSION, ort  # type: ignore[attr-defined]  # which keeps ort to itself
from ..tensorrt import cuda
from ..tensorrt.platform import Device, find_gpu

PACKAGE = "onnxruntime-gpu"
LIBRARY = "capi/libonnxruntime_providers_cuda.so"
"""File of that package alone, which stays where the other one is installed over it."""
OLDEST_VERSION = (1, 24)
"""Oldest ONNX Runtime that says where it would run the nodes of a graph."""
DRIVER = "libcuda.so.1"
"""Library of the driver."""
CUDNN = "libcudnn.so.9"
"""Library that ONNX Runtime loads only once it is used, and whose lack it does not tell before."""
INSTALL_REMEDY = "pip install 'foal-edge[cuda]' (docs/cuda.md), or take --backend onnxruntime"
UNHIDE_REMEDY = (
    "pip install --force-reinstall --no-deps onnxruntime-gpu puts it back (docs/cuda.md), or take --backend onnxruntime"
)
DRIVER_REMEDY = "install NVIDIA's driver, nvidia-smi must print a table; or take --backend onnxruntime"


def check_package(provider: str) -> None:
    """Raise EngineError unless the ONNX Runtime that is imported has an execution provider and is new enough."""
    available = ort.get_available_providers()
    if provider not in available:
        left = Path(ort.__file__).parent / LIBRARY  # looked for first: to ask for versions costs every start 20 ms
        raise missing_provider(provider, available, find_version(PACKAGE) if left.is_file() else None)
    if tuple(int(number) for number in VERSION.split(".")[:2]) < OLDEST_VERSION:
        raise EngineError(
            f"{PACKAGE} is {VERSION}, 1.24 or later is needed", f"Python 3.11 or later has it: {INSTALL_REMEDY}"
        )


def missing_provider(provider: str, available: Sequence[str], installed: str | None) -> EngineError:
    """Return the error for an ONNX Runtime without a provider; `installed` is the version of `PACKAGE`, if it is."""
    if installed is None:
        return EngineError(f"{PACKAGE} is not installed", INSTALL_REMEDY)
    found = f"ONNX Runtime {VERSION} has {', '.join(available)}, not {provider}"
    return EngineError(
        f"{PACKAGE} {installed} is installed, but the package onnxruntime lies over it in the same folder: {found}",
        UNHIDE_REMEDY,
    )


def check_gpu() -> Device:
    """Return the first GPU; EngineError says whether the driver, cuda-python or the GPU is missing, or is too old."""
    problem = loading_problem(DRIVER)
    if problem:
        raise EngineError(f"no NVIDIA driver is here ({problem})", DRIVER_REMEDY)
    found = find_gpu()
    driver_version = cuda.call(cuda.runtime().cudaDriverGetVersion)
    check_driver(driver_version, str(ort.cuda_version))
    return found


def check_driver(driver_version: int, built_for: str) -> None:
    """Raise EngineError where the driver is too old for a build; 12040 is a driver's number for CUDA 12.4."""
    if driver_version // 1000 < int(built_for.partition(".")[0]):
        raise EngineError(
            f"{PACKAGE} {VERSION} is built for CUDA {built_for}, "
            f"the driver runs CUDA {driver_version // 1000}.{driver_version % 1000 // 10}",
            "install a newer driver, or take --backend onnxruntime",
        )


def load_libraries(*further: str) -> None:
    """Load CUDA's libraries from NVIDIA's wheels, or else from the system; EngineError names those that are missing.

    `further` are names of libraries beside those that ONNX Runtime knows of, as the dynamic linker knows them.
    """
    told = io.StringIO()
    with redirect_stdout(told):
        ort.preload_dlls()
    missing = re.findall(r"^Failed to load (.+)$", told.getvalue(), re.MULTILINE)
    missing += [problem for name in (CUDNN, *further) if (problem := loading_problem(name))]
    if missing:
        raise EngineError(f"{PACKAGE} {VERSION} lacks libraries ({'; '.join(dict.fromkeys(missing))})", INSTALL_REMEDY)


def loading_problem(library: str) -> str | None:
    """Return why a library does not load, with its name; None where it does."""
    try:
        ctypes.CDLL(library)
    except OSError as error:
        return str(error)
    return None
