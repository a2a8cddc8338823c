"""A package that is missing is named with what installs it; a module of the project that is missing is a defect."""

import subprocess
import sys
from pathlib import Path

import pytest

from edge.errors import UsageError
from train.packages import explain_missing, file_of

ROOT = Path(__file__).parents[2]
WITHOUT = """
import runpy, sys

sys.modules[sys.argv[1]] = None
del sys.argv[1]
runpy.run_module(sys.argv[1], run_name="__main__")
"""
"""A program of the project where a package cannot be imported."""


@pytest.mark.parametrize(
    ("program", "package", "extra"),
    [
        ("train", "torch", "train"),
        ("export", "torch", "train"),
        ("export", "onnx_ir", "train"),
        ("benchmarks", "torch", "dev"),
    ],
)
def test_a_program_without_a_package_that_it_needs_says_so_in_one_line(program: str, package: str, extra: str) -> None:
    command = [sys.executable, "-c", WITHOUT, package, program, "--help"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert ended.stderr.startswith(f"{program}: the Python package {package} is not installed")
    assert ended.stderr.endswith(f"pip install -e '.[{extra}]'\n")
    assert ended.stderr.count("\n") == 1
    assert ended.returncode == UsageError.exit_status


def test_a_module_of_the_project_that_is_missing_is_a_defect() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"train\.no_such_module"), explain_missing():
        import train.no_such_module  # type: ignore[import-not-found]  # noqa: F401


def test_a_file_of_a_package_that_is_not_installed_is_an_error_with_the_remedy() -> None:
    with pytest.raises(UsageError, match=r"bread is baked by no-such-oven, which is not installed: pip install ovens"):
        file_of("no-such-oven", "heat.pt", use="bread is baked", remedy="pip install ovens")
