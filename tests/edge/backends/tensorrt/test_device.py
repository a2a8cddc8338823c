"""The GPU: its name, its capability, and its driver's line in the files that systems have."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from edge.backends.tensorrt import cuda, device
from edge.backends.tensorrt.device import Device, driver_line
from edge.errors import EngineError

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
    assert driver_line(written(tmp_path / "release", release), written(tmp_path / "version", version)) == line


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
        monkeypatch.setattr(device, "JETSON_RELEASE", tmp_path / "none")
        monkeypatch.setattr(device, "JETSON_MODEL", tmp_path / "model")
        monkeypatch.setattr(device, "DRIVER_VERSION", written(tmp_path / "version", version))

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
    assert device.find() == found
    assert found.architecture == f"sm{major}{minor}"


def test_boards_whose_gpus_have_one_name_are_told_apart(described, tmp_path) -> None:
    described(b"Orin")
    (tmp_path / "model").write_bytes(b"NVIDIA Jetson Orin Nano Developer Kit\0")
    assert device.find().name == "Orin 16 SM NVIDIA Jetson Orin Nano Developer Kit"


@pytest.mark.parametrize("version", [None, "", "GCC version:  gcc version 13.3.0\n"])
def test_a_driver_that_no_file_names_is_named_by_the_cuda_it_runs(described, version: str | None) -> None:
    described(version=version)
    assert device.find().driver == "CUDA 13000"


def test_a_cuda_that_shows_no_gpu_is_named(described) -> None:
    described(count=0)
    with pytest.raises(EngineError, match=r"^CUDA shows no GPU; look at CUDA_VISIBLE_DEVICES"):
        device.find()
