"""Whether this machine shows an NVIDIA GPU, by files of made systems."""

from pathlib import Path

import pytest

from edge.backends.nvidia import absence

NONE = "this machine shows no NVIDIA GPU"


def add_pci(root: Path, vendor: str, kind: str) -> None:
    device = root / "sys/bus/pci/devices/0000:01:00.0"
    device.mkdir(parents=True)
    (device / "vendor").write_text(f"{vendor}\n")
    (device / "class").write_text(f"{kind}\n")


@pytest.mark.parametrize("name", ["nvidiactl", "nvhost-gpu", "dxg"])
def test_a_driver_shows_a_device(tmp_path, name: str) -> None:
    (tmp_path / "dev").mkdir()
    assert absence(tmp_path, "linux") == NONE
    (tmp_path / "dev" / name).touch()
    assert absence(tmp_path, "linux") is None


def test_a_card_without_a_driver_is_told(tmp_path) -> None:
    add_pci(tmp_path, "0x10de", "0x030000")
    assert absence(tmp_path, "linux") == "the NVIDIA GPU of this machine has no driver: nvidia-smi must print a table"


@pytest.mark.parametrize(("vendor", "kind"), [("0x8086", "0x030000"), ("0x10de", "0x020000")])
def test_another_card_is_none(tmp_path, vendor: str, kind: str) -> None:
    add_pci(tmp_path, vendor, kind)
    assert absence(tmp_path, "linux") == NONE
    (tmp_path / "sys/bus/pci/devices/0000:01:00.0/class").unlink()
    assert absence(tmp_path, "darwin") == NONE


def test_on_windows_its_libraries_are_asked(tmp_path) -> None:
    assert absence(tmp_path, "win32") is None
