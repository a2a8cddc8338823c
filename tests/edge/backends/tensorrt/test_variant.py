"""Which TensorRT is found: the order of preference, the oldest that will do, and what is said where there is none."""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from edge.backends.tensorrt.variant import PACKAGES, REMEDY, TensorRTVariant, find, version_numbers
from edge.errors import EngineError

Packages = Callable[..., None]


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
    found = find("tensorrt-rtx")
    assert found == TensorRTVariant("tensorrt-rtx", real.__version__, real)
    assert found.is_rtx
    assert version_numbers(found.version) >= (1, 4)


def test_tensorrt_comes_before_tensorrt_rtx(packages) -> None:
    packages(tensorrt_rtx="1.7.1", tensorrt="10.3.0")
    assert (find().name, find().is_rtx) == ("tensorrt", False)
    assert find("tensorrt-rtx").name == "tensorrt-rtx"
    assert find("tensorrt-rtx", "tensorrt").name == "tensorrt-rtx"


@pytest.mark.parametrize("version", ["8.6.2", "9.0.0", "10.0.1", "10.2.0.post1"])
def test_a_tensorrt_that_is_too_old_is_named_with_what_is_needed(packages, version: str) -> None:
    packages(tensorrt=version)
    with pytest.raises(EngineError) as refused:
        find("tensorrt")
    assert str(refused.value) == f"no TensorRT to use (tensorrt is {version}, 10.3 or later is needed); {REMEDY}"


@pytest.mark.parametrize("version", ["10.3.0", "10.3.0.30", "10.13.3.9", "11.4.0"])
def test_a_tensorrt_that_is_new_enough_is_taken(packages, version: str) -> None:
    packages(tensorrt=version)
    assert (find().name, find().version) == ("tensorrt", version)


def test_a_tensorrt_that_is_too_old_gives_way_to_tensorrt_rtx(packages) -> None:
    packages(tensorrt="8.6.2", tensorrt_rtx="1.4.0")
    assert find().name == "tensorrt-rtx"


@pytest.mark.parametrize(("wanted", "named"), [((), ["tensorrt", "tensorrt_rtx"]), (("tensorrt",), ["tensorrt"])])
def test_without_any_each_is_named_with_the_remedy(packages, wanted: tuple, named: list[str]) -> None:
    packages()
    with pytest.raises(EngineError) as refused:
        find(*wanted)
    message = str(refused.value)
    assert message.startswith("no TensorRT to use (")
    assert [package for package in PACKAGES.values() if f"{package}: " in message] == named
    assert message.endswith("or take --backend onnxruntime")
    assert "pip install tensorrt-rtx cuda-python" in message


def test_a_library_that_does_not_load_is_quoted(packages, broken) -> None:
    packages()
    broken("tensorrt", "raise OSError('libcudart.so.12: cannot open shared object file')")
    with pytest.raises(EngineError, match=r"tensorrt: libcudart\.so\.12: cannot open shared object file; tensorrt_rtx"):
        find()


def test_a_library_that_does_not_load_gives_way_to_the_next(packages, broken) -> None:
    packages(tensorrt_rtx="1.7.1")
    broken("tensorrt", "raise OSError('libnvinfer.so.10: cannot open shared object file')")
    assert find().name == "tensorrt-rtx"


def test_a_folder_of_that_name_is_no_tensorrt(packages, monkeypatch, tmp_path) -> None:
    """Such as `~/tensorrt` where the program is started from `~`."""
    packages(tensorrt_rtx="1.7.1")
    (tmp_path / "tensorrt").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "tensorrt")
    assert find().name == "tensorrt-rtx"


@pytest.mark.parametrize(("version", "numbers"), [("10.3.0", (10, 3)), ("1.7.1.116", (1, 7)), ("11", (11,)), ("", ())])
def test_versions_are_compared_by_their_first_two_numbers(version: str, numbers: tuple) -> None:
    assert version_numbers(version) == numbers
