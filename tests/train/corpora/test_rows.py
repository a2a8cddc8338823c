"""Tables are read with their line numbers."""

from pathlib import Path

import pytest

from edge.errors import UsageError
from tests.train.made_clips import write_text
from train.corpora.rows import rows


def test_values_come_with_their_lines_and_only_those_asked_for(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", 'a,b,c\n1,2,3\n\n4,"5, and\n5",\n')
    assert list(rows(path, ("b", "a"))) == [(2, {"b": "2", "a": "1"}), (5, {"b": "5, and\n5", "a": "4"})]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_letters_are_read_in_either_encoding(tmp_path: Path, encoding: str) -> None:
    path = write_text(tmp_path / "a.csv", "a\nZo\xeb\u2019s\n", encoding)
    assert list(rows(path, ("a",))) == [(2, {"a": "Zo\xeb\u2019s"})]


def test_a_folder_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"no table at {tmp_path}"):
        list(rows(tmp_path, ("a",)))
