"""Tables are read with their line numbers."""

from pathlib import Path

import pytest

from edge.errors import UsageError
from edge.evaluation.csv_table import rows


def write_text(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def test_values_come_with_their_lines_and_only_those_asked_for(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", 'a,b,c\n1,2,3\n\n4,"5, and\n5",\n')
    assert list(rows(path, ("b", "a"))) == [(2, {"b": "2", "a": "1"}), (5, {"b": "5, and\n5", "a": "4"})]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_letters_are_read_in_either_encoding(tmp_path: Path, encoding: str) -> None:
    path = write_text(tmp_path / "a.csv", "a\nZo\xeb\u2019s\n", encoding)
    assert list(rows(path, ("a",))) == [(2, {"a": "Zo\xeb\u2019s"})]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-8"])
def test_a_table_with_nuls_is_refused(tmp_path: Path, encoding: str) -> None:
    path = write_text(tmp_path / "a.csv", "a\nx\0\n", encoding)
    with pytest.raises(UsageError, match=r"a\.csv holds NUL characters, as UTF-16 does; save it as CSV in UTF-8"):
        list(rows(path, ("a",)))


def test_a_folder_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"{tmp_path} is a directory"):
        list(rows(tmp_path, ("a",)))


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        ("a,b,a\n1,2,3\n", "has the column a more than once; rename or delete one of them"),
        ('a,b\n1,2\n3,"4\n5,6\n', "the row that begins in line 3: .*; is a quote left open in it"),
        ('a,"b\n1,2\n', "the row that begins in line 1: .*; is a quote left open in it"),
        ("a;b\n1;2\n", "has no column a, b; its first line is 'a;b', expected 'a,b'"),
        ("a,b\n1,2,3\n", "line 2: more than 2 values; quote what has a comma"),
        ("a,b\n1,\n", "line 2: no b; fill it in or delete the line"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "is a Git LFS pointer.*git lfs pull"),
    ],
)
def test_what_is_wrong_is_named_with_its_line_and_remedy(tmp_path: Path, content: str, wrong: str) -> None:
    path = write_text(tmp_path / "a.csv", content)
    with pytest.raises(UsageError, match=rf"a\.csv.*{wrong}"):
        list(rows(path, ("a", "b")))
