"""The document of a benchmark, written and read."""

import json
from pathlib import Path

import msgspec
import pytest

from edge.bench.report import SCHEMA, read, write
from edge.errors import UsageError
from tests.edge.bench.made_document import DOCUMENT


def test_read_is_what_was_written(tmp_path: Path) -> None:
    write(DOCUMENT, tmp_path / "bench.json")
    assert read(tmp_path / "bench.json") == DOCUMENT


def test_others_can_read_it(tmp_path: Path) -> None:
    write(DOCUMENT, tmp_path / "bench.json")
    text = (tmp_path / "bench.json").read_text()
    plain = json.loads(text)
    assert plain["schema"] == SCHEMA
    assert plain["series"][0]["samples_ms"] == DOCUMENT.series[0].samples_ms
    assert text.count("\n") > len(DOCUMENT.series)


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot be written .*; give --json another place"):
        write(DOCUMENT, tmp_path / "absent" / "bench.json")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot be read .*; give a file that bench --json wrote"):
        read(tmp_path / "absent.json")


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff", b'{"schema": "one"}'])
def test_no_document(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bench.json").write_bytes(content)
    with pytest.raises(UsageError, match="is no document of foal-edge bench"):
        read(tmp_path / "bench.json")


def test_another_schema(tmp_path: Path) -> None:
    write(msgspec.structs.replace(DOCUMENT, schema=SCHEMA + 1), tmp_path / "bench.json")
    with pytest.raises(UsageError, match=f"has schema {SCHEMA + 1}, this program reads {SCHEMA}; measure again"):
        read(tmp_path / "bench.json")
