"""The machine that a benchmark runs on, as far as it tells of itself; what it does not tell is left empty.

The kernel's own descriptions of its files: Documentation/admin-guide/pm/cpufreq.rst, ABI/testing/sysfs-class-thermal
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
from .roof import usable_cores

PACKAGE = Path(__file__).parents[1]
LONGEST_ANSWER_S = 10.0
"""Of a program that is asked."""


def describe(root: Path = Path("/"), package: Path = PACKAGE) -> Machine:
    """This machine now. `root`: where `proc`, `sys` and `etc` lie; `package`: the folder whose commit is told."""
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
    """The GPU that engines would run on and its driver; None where there is none or it cannot be used."""
    try:
        found = find_gpu()
    except EngineError:
        return None
    return f"{found.name}, compute capability {found.capability}, driver {found.driver}"


def distribution(release: Path) -> str | None:
    """Its name for people, by os-release(5)."""
    found = re.search(r'^PRETTY_NAME="?(.*?)"?$', text(release) or "", re.MULTILINE)
    return found[1] if found else None


def commit(folder: Path) -> str | None:
    """The abbreviated commit of the git checkout that tracks this folder, `+` behind it where the folder has changes.

    None where the folder lies in no checkout, is not tracked by the one around it, or git is missing.
    """
    git = ("git", "-C", str(folder))
    if answer(*git, "ls-files", "--error-unmatch", "__init__.py") is None:
        return None
    name, changes = answer(*git, "rev-parse", "--short", "HEAD"), answer(*git, "status", "--porcelain", "--", ".")
    return name and name + ("+" if changes else "")


def clocks_mhz(processors: Path, cpuinfo: Path) -> list[float]:
    """Of each core now, in the order of their numbers: what cpufreq tells in kHz, else /proc/cpuinfo in MHz."""
    folders = sorted(processors.glob("cpu[0-9]*"), key=lambda folder: int(folder.name[3:]))
    told_khz = [text(folder / "cpufreq/scaling_cur_freq") for folder in folders]
    if clocks := [int(khz) / 1e3 for khz in told_khz if khz and khz.isdecimal()]:
        return clocks
    return [float(mhz) for mhz in re.findall(r"^cpu MHz\s*: ([0-9.]+)$", text(cpuinfo) or "", re.MULTILINE)]


def governor(processors: Path) -> str | None:
    """What sets the cores' clocks, e.g. `schedutil`; several with commas between them where cores differ."""
    told = {text(path) for path in processors.glob("cpu[0-9]*/cpufreq/scaling_governor")}
    return ", ".join(sorted(filter(None, told))) or None


def power_mode(profile: Path) -> str | None:
    """A Jetson's mode by `nvpmodel -q`, e.g. `15W`; else the profile that the platform's firmware is set to."""
    if found := re.search(r"NV Power Mode: *(.+)", answer("nvpmodel", "-q") or ""):
        return found[1].strip()
    return text(profile) or None


def temperature_c(zones: Path) -> float | None:
    """Of the warmest sensor; they tell thousandths of a degree."""
    told = [text(path) for path in zones.glob("thermal_zone*/temp")]
    return max((int(milli) / 1e3 for milli in told if milli and re.fullmatch(r"-?\d+", milli)), default=None)


def text(path: Path) -> str | None:
    """A file's text without the space around it; None where it cannot be read, as a sensor that is switched off."""
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return None


def answer(*command: str) -> str | None:
    """What a program prints; None where it is missing, fails or does not end."""
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_ANSWER_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return ended.stdout.strip()
