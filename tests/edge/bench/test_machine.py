"""Description of a machine, from made trees of /proc and /sys, and of this machine."""

import os
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

from edge.backends.tensorrt.platform import Device
from edge.bench import machine
from edge.bench.report import Machine
from edge.errors import EngineError
from edge.system.versions import versions


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH."""
    folder = tmp_path / "tools"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def test_what_is_not_told_is_left_empty(tmp_path: Path, tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_gpu() -> Device:
        raise EngineError("CUDA shows no GPU")

    monkeypatch.setattr(machine, "find_gpu", no_gpu)
    found = machine.describe(tmp_path / "nothing", tmp_path)
    told = (found.gpu, found.commit, found.governor, found.power_mode, found.temperature_c, found.clocks_mhz)
    assert told == (None, None, None, None, None, [])
    assert found.cores == len(os.sched_getaffinity(0))
    assert found.memory_mb > 100
    assert found.versions == versions()
    assert found.versions["numpy"]
    assert msgspec.json.decode(msgspec.json.encode(found), type=Machine) == found


def test_a_whole_tree_is_told(tmp_path: Path, tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "find_gpu", lambda: Device("Orin 8 SM", "8.7", "L4T 36.4"))
    cpu = tmp_path / "sys/devices/system/cpu"
    for core, khz in ((0, 1510400), (2, 729600), (10, 1900000)):
        write(cpu / f"cpu{core}/cpufreq/scaling_cur_freq", f"{khz}\n")
        write(cpu / f"cpu{core}/cpufreq/scaling_governor", "schedutil\n")
    write(cpu / "cpuidle/current_driver", "none\n")
    write(tmp_path / "sys/firmware/acpi/platform_profile", "balanced\n")
    for zone, milli in enumerate(("48500", "61250", "")):
        write(tmp_path / f"sys/class/thermal/thermal_zone{zone}/temp", f"{milli}\n")
    write(tmp_path / "etc/os-release", 'NAME="Ubuntu"\nPRETTY_NAME="Ubuntu 22.04.5 LTS"\n')
    found = machine.describe(tmp_path, tmp_path)
    assert found.clocks_mhz == [1510.4, 729.6, 1900.0]
    assert (found.governor, found.power_mode, found.temperature_c) == ("schedutil", "balanced", 61.25)
    assert found.gpu == "Orin 8 SM, compute capability 8.7, driver L4T 36.4"
    assert found.system.startswith("Ubuntu 22.04.5 LTS, Linux ")


def test_clocks_are_those_of_cpuinfo_where_there_is_no_cpufreq(tmp_path: Path) -> None:
    write(tmp_path / "cpuinfo", "processor\t: 0\ncpu MHz\t\t: 2300.000\n\nprocessor\t: 1\ncpu MHz\t\t: 2295.5\n")
    assert machine.clocks_mhz(tmp_path, tmp_path / "cpuinfo") == [2300.0, 2295.5]


def test_governors_that_differ_are_all_told(tmp_path: Path) -> None:
    for core, governor in enumerate(("schedutil", "performance", "schedutil")):
        write(tmp_path / f"cpu{core}/cpufreq/scaling_governor", f"{governor}\n")
    assert machine.governor(tmp_path) == "performance, schedutil"


def test_a_jetson_tells_its_mode(tmp_path: Path, tools: Path) -> None:
    write(tools / "nvpmodel", "#!/bin/sh\necho 'NV Power Mode: 15W'\necho 0\n")
    (tools / "nvpmodel").chmod(0o755)
    assert machine.power_mode(tmp_path / "none") == "15W"


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_the_commit_of_a_checkout_that_tracks_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(variable)
    package, foreign = tmp_path / "checkout/edge", tmp_path / "checkout/site-packages"
    write(package / "__init__.py", "")
    write(foreign / "__init__.py", "")

    def git(*words: str) -> str:
        author = ["-c", "user.name=A", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
        command = ["git", *author, "-C", str(tmp_path / "checkout"), *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init")
    git("add", "edge")
    git("commit", "-m", "first")
    name = git("rev-parse", "--short", "HEAD")
    assert machine.commit(package) == name
    assert machine.commit(foreign) is None
    write(package / "new.py", "")
    assert machine.commit(package) == f"{name}+"


def test_there_is_no_commit_without_git(tools: Path) -> None:
    assert machine.commit(machine.PACKAGE) is None
