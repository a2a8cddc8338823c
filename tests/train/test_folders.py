"""Folders to write to: made where there are none, refused where nothing can be written."""

from pathlib import Path

import pytest

from edge.errors import UsageError
from train.folders import make_writable


def test_a_folder_is_made_and_left_empty(tmp_path: Path) -> None:
    for _ in range(2):
        make_writable(tmp_path / "deep" / "run", "--run")
        assert list((tmp_path / "deep" / "run").iterdir()) == []


@pytest.mark.parametrize("name", ["file", "file/run", "x" * 300])
def test_where_nothing_can_be_written_the_option_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=f"--run {tmp_path / name}: nothing can be written there .* give a folder"):
        make_writable(tmp_path / name, "--run")
