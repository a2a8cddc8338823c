"""NVIDIA GPU of this machine, as the system shows it before any of NVIDIA's libraries is loaded."""

import sys
from pathlib import Path

DEVICES = ("dev/nvidiactl", "dev/nvhost-gpu", "dev/nvgpu", "dev/dxg")
"""Device files of the driver: on a PC, on a Jetson with JetPack 5 and 6, and in Windows' subsystem for Linux."""
VENDOR = "0x10de"
"""NVIDIA's identifier on the PCI bus."""
DISPLAY = "0x03"
"""Beginning of the class of graphics cards on the PCI bus."""


def absence(root: Path = Path("/"), platform: str = sys.platform) -> str | None:
    """Return why no NVIDIA GPU can be used, for people; None where there may be one, as on any Windows."""
    if platform == "win32" or any((root / device).exists() for device in DEVICES):
        return None
    if any(is_card(device) for device in (root / "sys/bus/pci/devices").glob("*")):
        return "the NVIDIA GPU of this machine has no driver: nvidia-smi must print a table"
    return "this machine shows no NVIDIA GPU"


def is_card(device: Path) -> bool:
    """Return whether a PCI device is a graphics card of NVIDIA's."""
    try:
        return (device / "vendor").read_text().strip() == VENDOR and (device / "class").read_text().startswith(DISPLAY)
    except OSError:
        return False
