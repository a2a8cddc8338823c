"""Fixtures for engines: the TensorRT-RTX that is installed, the shipped bundle in a folder of its own."""

import shutil
from pathlib import Path

import pytest

from edge.backends.tensorrt.cache import Key
from edge.backends.tensorrt.platform import TensorRTVariant, find_tensorrt
from edge.bundle.load import SHIPPED, Bundle, load
from edge.bundle.manifest import Batch


@pytest.fixture(scope="session")
def rtx() -> TensorRTVariant:
    """The real one: it compiles without a GPU."""
    pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed")
    return find_tensorrt("tensorrt-rtx")


@pytest.fixture
def copied(tmp_path: Path) -> Bundle:
    """The shipped bundle, without engines."""
    without = shutil.ignore_patterns("engines")
    return load(Path(shutil.copytree(SHIPPED, tmp_path / "copied", ignore=without)))


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def key() -> Key:
    return Key("tensorrt", "10.3.0", "8.7", "Orin", "L4T 36.4", ["ab" * 32], Batch(1, 8))
