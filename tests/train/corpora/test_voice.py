"""Finding a corpus's files."""

from pathlib import Path

import pytest

from edge.errors import UsageError
from train.corpora.voice import recordings


def test_files_come_in_one_order(tmp_path: Path) -> None:
    for name in ("b.flac", "a.flac", "c.wav"):
        (tmp_path / name).touch()
    assert [path.name for path in recordings(tmp_path, "*.flac")] == ["a.flac", "b.flac"]


def test_an_empty_folder_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no recordings match .*emodb/\*\.flac; set FOAL_DATA .* emodb/"):
        recordings(tmp_path / "emodb", "*.flac")
