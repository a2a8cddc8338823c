"""Environments of their own for what is measured: virtual ones for Python, a folder of modules for Node."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from edge.errors import FoalError, UsageError

TAIL = 2000
"""Number of characters of a failed program's output that an error quotes."""


def call(command: Sequence[str | Path], cwd: Path | None = None) -> str:
    """Run a program and return its stdout; FoalError quotes what it said where it fails."""
    found = subprocess.run([*map(str, command)], cwd=cwd, capture_output=True, text=True, errors="replace")
    if found.returncode:
        said = (found.stderr + found.stdout).strip()[-TAIL:]
        raise FoalError(f"{' '.join(map(str, command))} ended with status {found.returncode}: {said}")
    return found.stdout


def make_python(folder: Path) -> Path:
    """Make a virtual environment of this Python's version, and return its interpreter."""
    uv("venv", "--python", sys.executable, folder)
    return folder / "bin" / "python"


def install(python: Path, *packages: str | Path, dependencies: bool = True) -> None:
    """Install packages into an environment, compiled; without what they need unless `dependencies`."""
    options = () if dependencies else ("--no-deps",)
    uv("pip", "install", "--python", python, "--compile-bytecode", *options, *packages)


def uv(*arguments: str | Path) -> None:
    """Run uv, which `pip install -e '.[dev]'` brings."""
    call([sys.executable, "-m", "uv", *arguments])


def install_node_modules(folder: Path, *packages: str) -> str:
    """Install packages of npm into a folder, without their scripts; return the path of Node, UsageError without it."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise UsageError("node and npm are needed, 18 or later; e.g. apt-get install nodejs npm")
    call([npm, "install", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund", *packages])
    return node
