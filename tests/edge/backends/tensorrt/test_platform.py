"""The TensorRT and the GPU that are found.

The order of preference of the packages, the oldest that will do, and the errors where there is none; the GPU's name,
its capability, and its driver's release in the files that systems have.
"""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from edge.backends.tensorrt import cuda, platform
from edge.backends.tensorrt.platform import (
    PACKAGES,
    TENSORRT_REMEDY,
    Device,
    TensorRTVariant,
    find_gpu,
    find_tensorrt,
    read_driver,
    version_numbers,
)
from edge.errors import EngineError

Packages = Callable[..., None]
L4T_36 = "# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic, EABI: aarch64\n# KERNEL_VARIANT: oot\n"
CLOSED = (
    "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun May 12 19:39:15 UTC 2024\n"
    "GCC version:  gcc version 12.3.0 (Ubuntu 12.3.0-1ubuntu1~22.04)\n"
)
OPEN = (
    "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build  (dvs-builder@U22-I3-AM02-24-3)"
    "  Sun Jul 27 07:14:33 UTC 2025\nGCC version:  gcc version 13.3.0 (Ubuntu 13.3.0-6ubuntu2~24.04)\n"
)
OPEN_ARM = OPEN.replace("x86_64", "aarch64").replace("580.65.06", "575.57.08")


@pytest.fixture
def packages(monkeypatch: pytest.MonkeyPatch) -> Packages:
    """Package -> version: these are installed, no others."""

    def install(**versions: str) -> None:
        for package in PACKAGES.values():
            module = ModuleType(package)
            module.__version__ = versions.get(package, "")
            monkeypatch.setitem(sys.modules, package, module if package in versions else None)

    return install


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str, str], None]:
    """A package whose import ends so."""

    def install(package: str, ending: str) -> None:
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, package, raising=False)
        (tmp_path / f"{package}.py").write_text(ending)
        importlib.invalidate_caches()

    return install


def test_the_real_tensorrt_rtx_is_found() -> None:
    real = pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed")
    found = find_tensorrt("tensorrt-rtx")
    assert found == TensorRTVariant("tensorrt-rtx", real.__version__, real)
    assert found.is_rtx
    assert version_numbers(found.version) >= (1, 4)


def test_tensorrt_comes_before_tensorrt_rtx(packages) -> None:
    packages(tensorrt_rtx="1.7.1", tensorrt="10.3.0")
    assert (find_tensorrt().name, find_tensorrt().is_rtx) == ("tensorrt", False)
    assert find_tensorrt("tensorrt-rtx").name == "tensorrt-rtx"
    assert find_tensorrt("tensorrt-rtx", "tensorrt").name == "tensorrt-rtx"


@pytest.mark.parametrize("version", ["8.6.2", "9.0.0", "10.0.1", "10.2.0.post1"])
def test_a_tensorrt_that_is_too_old_is_named_with_what_is_needed(packages, version: str) -> None:
    packages(tensorrt=version)
    with pytest.raises(EngineError) as refused:
        find_tensorrt("tensorrt")
    assert (
        str(refused.value) == f"no TensorRT to use (tensorrt is {version}, 10.3 or later is needed); {TENSORRT_REMEDY}"
    )


@pytest.mark.parametrize("version", ["10.3.0", "10.3.0.30", "10.13.3.9", "11.4.0"])
def test_a_tensorrt_that_is_new_enough_is_taken(packages, version: str) -> None:
    packages(tensorrt=version)
    assert (find_tensorrt().name, find_tensorrt().version) == ("tensorrt", version)


def test_a_tensorrt_that_is_too_old_gives_way_to_tensorrt_rtx(packages) -> None:
    packages(tensorrt="8.6.2", tensorrt_rtx="1.4.0")
    assert find_tensorrt().name == "tensorrt-rtx"


@pytest.mark.parametrize(("wanted", "named"), [((), ["tensorrt", "tensorrt_rtx"]), (("tensorrt",), ["tensorrt"])])
def test_without_any_each_is_named_with_the_remedy(packages, wanted: tuple, named: list[str]) -> None:
    packages()
    with pytest.raises(EngineError) as refused:
        find_tensorrt(*wanted)
    message = str(refused.value)
    assert message.startswith("no TensorRT to use (")
    assert [package for package in PACKAGES.values() if f"{package}: not installed" in message] == named
    assert message.endswith("or take --backend onnxruntime")
    assert "pip install tensorrt-rtx cuda-python" in message
    assert "take --backend cuda (docs/cuda.md)" in message


def test_a_library_that_does_not_load_is_quoted(packages, broken) -> None:
    packages()
    broken("tensorrt", "raise OSError('libcudart.so.12: cannot open shared object file')")
    with pytest.raises(EngineError, match=r"tensorrt: libcudart\.so\.12: cannot open shared object file; tensorrt_rtx"):
        find_tensorrt()


def test_a_library_that_does_not_load_gives_way_to_the_next(packages, broken) -> None:
    packages(tensorrt_rtx="1.7.1")
    broken("tensorrt", "raise OSError('libnvinfer.so.10: cannot open shared object file')")
    assert find_tensorrt().name == "tensorrt-rtx"


def test_a_folder_of_that_name_is_no_tensorrt(packages, monkeypatch, tmp_path) -> None:
    """Such as `~/tensorrt` where the program is started from `~`."""
    packages(tensorrt_rtx="1.7.1")
    (tmp_path / "tensorrt").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "tensorrt")
    assert find_tensorrt().name == "tensorrt-rtx"


@pytest.mark.parametrize(("version", "numbers"), [("10.3.0", (10, 3)), ("1.7.1.116", (1, 7)), ("11", (11,)), ("", ())])
def test_versions_are_compared_by_their_first_two_numbers(version: str, numbers: tuple) -> None:
    assert version_numbers(version) == numbers


def written(path: Path, text: str | None) -> Path:
    if text is not None:
        path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("release", "version", "line"),
    [
        (L4T_36, None, "L4T 36.4"),
        ("# R35 (release), REVISION: 4.1", None, "L4T 35.4"),
        ("# R38 (release), REVISION: 2.0, GCID: 41844464, BOARD: generic", None, "L4T 38.2"),
        (L4T_36, OPEN, "L4T 36.4"),
        (None, CLOSED, "535"),
        (None, OPEN, "580"),
        (None, OPEN_ARM, "575"),
        (None, "GCC version:  gcc version 13.3.0\n", None),
        ("garbage", None, None),
        ("", OPEN, None),
        (None, "", None),
        (None, None, None),
    ],
)
def test_the_drivers_line_is_read_from_the_systems_file(tmp_path, release, version, line: str | None) -> None:
    assert read_driver(written(tmp_path / "release", release), written(tmp_path / "version", version)) == line


@pytest.fixture
def described(monkeypatch, tmp_path):
    """A GPU of this name and capability, of so many, under the open kernel module unless that tells nothing."""

    def describe(
        name: object = b"Orin", major: int = 8, minor: int = 7, count: int = 1, version: str | None = OPEN
    ) -> None:
        properties = SimpleNamespace(name=name, major=major, minor=minor, multiProcessorCount=16)
        runtime = SimpleNamespace(
            cudaGetDeviceCount=lambda: (0, count),
            cudaGetDeviceProperties=lambda number: (number, properties),
            cudaDriverGetVersion=lambda: (0, 13000),
        )
        monkeypatch.setattr(cuda, "runtime", lambda: runtime)
        monkeypatch.setattr(platform, "JETSON_RELEASE", tmp_path / "none")
        monkeypatch.setattr(platform, "JETSON_MODEL", tmp_path / "model")
        monkeypatch.setattr(platform, "DRIVER_VERSION", written(tmp_path / "version", version))

    return describe


@pytest.mark.parametrize(
    ("name", "major", "minor", "found"),
    [
        (b"Orin", 8, 7, Device("Orin 16 SM", "8.7", "580")),
        (b"NVIDIA RTX A6000\0\0\0", 8, 6, Device("NVIDIA RTX A6000 16 SM", "8.6", "580")),
        ("NVIDIA GeForce RTX 5090", 12, 0, Device("NVIDIA GeForce RTX 5090 16 SM", "12.0", "580")),
    ],
)
def test_a_gpu_is_described(described, name: object, major: int, minor: int, found: Device) -> None:
    described(name, major, minor)
    assert find_gpu() == found
    assert found.architecture == f"sm{major}{minor}"


def test_boards_whose_gpus_have_one_name_are_told_apart(described, tmp_path) -> None:
    described(b"Orin")
    (tmp_path / "model").write_bytes(b"NVIDIA Jetson Orin Nano Developer Kit\0")
    assert find_gpu().name == "Orin 16 SM NVIDIA Jetson Orin Nano Developer Kit"


@pytest.mark.parametrize("version", [None, "", "GCC version:  gcc version 13.3.0\n"])
def test_a_driver_that_no_file_names_is_named_by_the_cuda_it_runs(described, version: str | None) -> None:
    described(version=version)
    assert find_gpu().driver == "CUDA 13000"


def test_a_cuda_that_shows_no_gpu_is_named(described) -> None:
    described(count=0)
    with pytest.raises(EngineError, match=r"^CUDA shows no GPU; look at CUDA_VISIBLE_DEVICES"):
        find_gpu()
