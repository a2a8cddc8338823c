"""What is missing where ONNX Runtime cannot use a GPU: the package, what hides it, the driver, libraries."""

import subprocess
import sys
from pathlib import Path

import pytest

from edge.backends.onnxruntime import VERSION, ort
from edge.backends.ort_gpu import package
from edge.backends.ort_gpu.package import (
    check_driver,
    check_gpu,
    check_package,
    load_libraries,
    loading_problem,
    missing_provider,
)
from edge.errors import EngineError

ROOT = Path(__file__).parents[4]
FOR_CPUS = ["AzureExecutionProvider", "CPUExecutionProvider"]


def test_a_missing_package_is_named_with_the_command_that_installs_it() -> None:
    error = missing_provider("CUDAExecutionProvider", FOR_CPUS, None)
    assert str(error) == (
        "onnxruntime-gpu is not installed; pip install 'foal-edge[cuda]' (docs/cuda.md), or take --backend onnxruntime"
    )


def test_a_package_that_another_one_lies_over_is_told_with_what_uncovers_it() -> None:
    error = missing_provider("CUDAExecutionProvider", FOR_CPUS, "1.31.1")
    assert str(error) == (
        "onnxruntime-gpu 1.31.1 is installed, but the package onnxruntime lies over it in the same folder: "
        f"ONNX Runtime {VERSION} has AzureExecutionProvider, CPUExecutionProvider, not CUDAExecutionProvider; "
        "pip install --force-reinstall --no-deps onnxruntime-gpu puts it back (docs/cuda.md), "
        "or take --backend onnxruntime"
    )


def test_a_package_that_lies_under_the_other_is_known_by_the_file_it_leaves(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(package, "find_version", lambda name: f"1.31.1 of {name}")
    monkeypatch.setattr(ort, "__file__", str(tmp_path / "__init__.py"))
    monkeypatch.setattr(ort, "get_available_providers", lambda: FOR_CPUS)
    with pytest.raises(EngineError, match=r"^onnxruntime-gpu is not installed;"):
        check_package("CUDAExecutionProvider")
    (tmp_path / "capi").mkdir()
    (tmp_path / "capi" / "libonnxruntime_providers_cuda.so").touch()
    with pytest.raises(
        EngineError, match=r"^onnxruntime-gpu 1.31.1 of onnxruntime-gpu is installed, but the package onn"
    ):
        check_package("CUDAExecutionProvider")


def test_the_package_here_is_judged_by_the_providers_it_has() -> None:
    if "CUDAExecutionProvider" in ort.get_available_providers():
        check_package("CUDAExecutionProvider")
    else:
        with pytest.raises(EngineError, match="onnxruntime-gpu"):
            check_package("CUDAExecutionProvider")


def test_an_onnx_runtime_that_is_too_old_is_told_with_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "VERSION", "1.23.2")
    with pytest.raises(EngineError, match=r"^onnxruntime-gpu is 1.23.2, 1.24 or later is needed; Python 3.11 or later"):
        check_package("CPUExecutionProvider")
    monkeypatch.setattr(package, "VERSION", "1.24.1")
    check_package("CPUExecutionProvider")


@pytest.mark.parametrize(("driver", "built_for"), [(13000, "13.0"), (13010, "13.0"), (12020, "12.8"), (13000, "12.8")])
def test_a_driver_runs_what_is_built_for_its_major_version_or_an_earlier_one(driver: int, built_for: str) -> None:
    check_driver(driver, built_for)


def test_a_driver_that_is_too_old_is_told_with_both_versions() -> None:
    with pytest.raises(EngineError) as refused:
        check_driver(12040, "13.0")
    assert str(refused.value) == (
        f"onnxruntime-gpu {VERSION} is built for CUDA 13.0, the driver runs CUDA 12.4; "
        "install a newer driver, or take --backend onnxruntime"
    )


def test_a_library_that_does_not_load_is_named() -> None:
    assert loading_problem("libc.so.6") is None
    problem = loading_problem("libnowhere.so.7")
    assert problem
    assert "libnowhere.so.7" in problem


def test_a_machine_without_a_driver_is_told_so() -> None:
    if loading_problem(package.DRIVER) is None:
        pytest.skip("a driver of NVIDIA is here")
    with pytest.raises(
        EngineError, match=r"^no NVIDIA driver is here \(libcuda.so.1: cannot open .*nvidia-smi must print"
    ):
        check_gpu()


def test_missing_libraries_are_named_once_each(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    def preload() -> None:
        """What ONNX Runtime for GPUs prints, where it finds no wheels of NVIDIA's."""
        for name in ("libcublas.so.13", "libcudart.so.13"):
            sys.stdout.write(f"Failed to load {name}: {name}: cannot open shared object file\n")
        sys.stdout.write("Please follow https://onnxruntime.ai/docs/install/#cuda-and-cudnn to install CUDA.\n")

    monkeypatch.setattr(ort, "preload_dlls", preload)
    monkeypatch.setattr(package, "CUDNN", "libc.so.6")
    with pytest.raises(EngineError) as refused:
        load_libraries("libnowhere.so.7", "libnowhere.so.7")
    message = str(refused.value)
    assert message.startswith(
        f"onnxruntime-gpu {VERSION} lacks libraries (libcublas.so.13: libcublas.so.13: cannot open"
    )
    assert message.count("libnowhere.so.7") == 1
    assert "libcudart.so.13" in message
    assert "Please follow" not in message
    assert message.endswith("pip install 'foal-edge[cuda]' (docs/cuda.md), or take --backend onnxruntime")
    assert capsys.readouterr().out == ""
    monkeypatch.setattr(ort, "preload_dlls", lambda: None)
    load_libraries("libc.so.6")


def test_what_is_left_where_one_of_two_packages_was_removed_is_told(tmp_path: Path) -> None:
    """pip removes the files that both packages have, and leaves a folder that can be imported."""
    (tmp_path / "onnxruntime").mkdir()
    (tmp_path / "onnxruntime" / "__init__.py").touch()
    paths = f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(ROOT)!r}]"
    code = f"{paths}; from edge.cli.main import run_command; run_command()"
    ended = subprocess.run([sys.executable, "-c", code, "doctor"], cwd=tmp_path, capture_output=True, text=True)
    assert ended.returncode == 6
    assert "ONNX Runtime does not load, its folder is incomplete" in " ".join(ended.stderr.split())
    assert "Traceback" not in ended.stderr
