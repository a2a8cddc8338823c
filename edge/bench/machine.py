"""Description of the machine that a benchmark runs on; facts that the platform does not report are left empty.

The kernel describes its files in Documentation/admin-guide/pm/cpufreq.rst, ABI/testing/sysfs-class-thermal
and ABI/testing/sysfs-platform_profile.
"""

import os
import re
import subprocess
from pathlib import Path

from ..backends.onnxruntime import processor
from ..backends.tensorrt.platform import find_gpu
from ..errors import EngineError
from ..system.versions import system, versions
from .report import Machine
from .roofline import usable_cores

PACKAGE = Path(__file__).parents[1]
TIMEOUT_S = 10.0
"""Longest time that another program may run."""


def describe(root: Path = Path("/"), package: Path = PACKAGE) -> Machine:
    """Describe this machine now.

    `root`: the folder of `proc`, `sys` and `etc`; `package`: the folder whose commit is read.
    """
    processors = root / "sys/devices/system/cpu"
    return Machine(
        cpu=processor(),
        cores=usable_cores(),
        memory_mb=round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e6),
        gpu=gpu(),
        system=", ".join(filter(None, [distribution(root / "etc/os-release"), system()])),
        versions=versions(),
        commit=commit(package),
        clocks_mhz=clocks_mhz(processors, root / "proc/cpuinfo"),
        governor=governor(processors),
        power_mode=power_mode(root / "sys/firmware/acpi/platform_profile"),
        temperature_c=temperature_c(root / "sys/class/thermal"),
    )


def gpu() -> str | None:
    """Return the GPU that engines would run on and its driver, None where there is none or it cannot be used."""
    try:
        found = find_gpu()
    except EngineError:
        return None
    return f"{found.name}, compute capability {found.capability}, driver {found.driver}"


def distribution(release: Path) -> str | None:
    """Return the distribution's name for people, by os-release(5)."""
    found = re.search(r'^PRETTY_NAME="?(.*?)"?$', text_of(release) or "", re.MULTILINE)
    return found[1] if found else None


def commit(folder: Path) -> str | None:
    """Return the abbreviated commit of the checkout that tracks a folder, `+` behind it where the folder has changes.

    None where the folder lies in no checkout, is not tracked by the one around it, or git is missing.
    """
    git = ("git", "-C", str(folder))
    if output_of(*git, "ls-files", "--error-unmatch", "__init__.py") is None:
        return None
    name, changes = output_of(*git, "rev-parse", "--short", "HEAD"), output_of(*git, "status", "--porcelain", "--", ".")
    return name and name + ("+" if changes else "")


def clocks_mhz(processors: Path, cpuinfo: Path) -> list[float]:
    """Return the clock of each core now, in the order of their numbers, from cpufreq or else from /proc/cpuinfo."""
    folders = sorted(processors.glob("cpu[0-9]*"), key=lambda folder: int(folder.name[3:]))
    readings_khz = [text_of(folder / "cpufreq/scaling_cur_freq") for folder in folders]
    if clocks := [int(khz) / 1e3 for khz in readings_khz if khz and khz.isdecimal()]:
        return clocks
    return [float(mhz) for mhz in re.findall(r"^cpu MHz\s*: ([0-9.]+)$", text_of(cpuinfo) or "", re.MULTILINE)]


def governor(processors: Path) -> str | None:
    """Return the CPU frequency governor, e.g. `schedutil`; several between commas where cores differ."""
    names = {text_of(path) for path in processors.glob("cpu[0-9]*/cpufreq/scaling_governor")}
    return ", ".join(sorted(filter(None, names))) or None


def power_mode(profile: Path) -> str | None:
    """Return a Jetson's mode by `nvpmodel -q`, e.g. `15W`, else the profile that the platform's firmware is set to."""
    if found := re.search(r"NV Power Mode: *(.+)", output_of("nvpmodel", "-q") or ""):
        return found[1].strip()
    return text_of(profile) or None


def temperature_c(zones: Path) -> float | None:
    """Return the temperature of the warmest sensor; the kernel gives thousandths of a degree."""
    readings = [text_of(path) for path in zones.glob("thermal_zone*/temp")]
    return max((int(milli) / 1e3 for milli in readings if milli and re.fullmatch(r"-?\d+", milli)), default=None)


def text_of(path: Path) -> str | None:
    """Return a file's text, stripped; None where it cannot be read, such as that of a sensor that is switched off."""
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return None


def output_of(*command: str) -> str | None:
    """Return the output of a program, None where it is missing, fails or does not end in time."""
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return ended.stdout.strip()
