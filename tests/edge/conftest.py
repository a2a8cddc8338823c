"""Fixtures that several modules share: the shipped bundle and its vectors, and a copy of it, gone after the test."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.bundle import golden
from edge.bundle.load import SHIPPED, Bundle, load
from edge.bundle.manifest import GraphName
from tests.edge.made_bundles import Folder, copy_shipped


@pytest.fixture
def shipped_copy(tmp_path: Path) -> Iterator[Folder]:
    folder = copy_shipped(tmp_path / "hostile")
    yield folder
    shutil.rmtree(folder.path)


@pytest.fixture(scope="module")
def shipped_bundle() -> Bundle:
    return load(SHIPPED)


@pytest.fixture(scope="module")
def vectors(shipped_bundle: Bundle) -> dict[GraphName, dict[str, Any]]:
    """The shipped bundle's golden arrays."""
    return golden.load(shipped_bundle)
