"""A fixture that the tests of hostile bundles share: a copy of the shipped bundle, gone after the test."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.edge.made_bundles import Folder, copy_shipped


@pytest.fixture
def shipped_copy(tmp_path: Path) -> Iterator[Folder]:
    folder = copy_shipped(tmp_path / "hostile")
    yield folder
    shutil.rmtree(folder.path)
