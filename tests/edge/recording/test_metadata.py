"""`session.json`: round trip, and what is no recording, damaged or of another version."""

import json
import os
import stat
from pathlib import Path

import msgspec
import pytest

from edge.errors import SourceError
from edge.recording.metadata import LARGEST_METADATA, METADATA, folder_name, read_metadata, write_metadata
from tests.edge.made_run import run_spec
from tests.edge.recording.made_recordings import about


def written(folder: Path, **changes: object) -> Path:
    document = msgspec.to_builtins(about("cam1", "cam2")) | changes
    (folder / METADATA).write_text(json.dumps(document))
    return folder


def test_what_was_written_is_read(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        write_metadata(tmp_path, about("cam1", "cam2", fast=True))
    finally:
        os.umask(old)
    assert read_metadata(tmp_path) == about("cam1", "cam2", fast=True)
    assert stat.S_IMODE((tmp_path / METADATA).stat().st_mode) == 0o600


def test_folders_sort_by_time_and_name_the_session() -> None:
    assert folder_name(about()) == f"2023-11-14T22-13-20Z_{'0' * 32}"


def test_where_there_is_none_the_newest_inside_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=f"no recording at {tmp_path}: it has no session.json; foal-edge --record"):
        read_metadata(tmp_path)
    for name in ("2024-02-01", "2024-03-01", "2024-01-01"):
        (tmp_path / name).mkdir()
        written(tmp_path / name)
    (tmp_path / "2025-01-01").mkdir()
    with pytest.raises(SourceError, match=f"give one of them, the latest is {tmp_path}/2024-03-01$"):
        read_metadata(tmp_path)


def test_a_file_in_place_of_the_folder_is_no_recording(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").touch()
    with pytest.raises(SourceError, match=r"no recording at .*clip\.mp4"):
        read_metadata(tmp_path / "clip.mp4")


@pytest.mark.parametrize(
    ("schema", "remedy"), [(2, "update foal-edge"), (0, "replay it with the version that recorded it")]
)
def test_another_schema_is_named(tmp_path: Path, schema: int, remedy: str) -> None:
    with pytest.raises(SourceError, match=f"has schema {schema}, this program reads schema 1; {remedy}"):
        read_metadata(written(tmp_path, schema=schema, anything="new"))


UNFIT = msgspec.to_builtins(run_spec("cam1"))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"anything": 1}, "'anything' is none of backend"),
        ({"threads": -1}, "threads"),
        ({"backend": ""}, "backend"),
        ({"start_mono_ns": 2**63}, "start_mono_ns"),
        ({"wire_format": "pickle"}, "pickle"),
        ({"course": UNFIT | {"lanes": []}}, "0 streams with windows every"),
        ({"course": UNFIT | {"hop_ns": 0}}, "1 streams with windows every 0 ns"),
        ({"course": UNFIT | {"begin_ns": -(2**63) - 1}}, "windows every 500000000 ns from -9223372036854775809"),
        ({"course": UNFIT | {"framing": "none"}}, "none"),
        ({"course": UNFIT | {"events": UNFIT["events"] | {"leave": 0.9}}}, "leave 0.9 is above enter 0.5"),
    ],
)
def test_what_cannot_be_meant_is_damage(tmp_path: Path, changes: dict, problem: str) -> None:
    with pytest.raises(SourceError, match=rf"session\.json is damaged: .*{problem}"):
        read_metadata(written(tmp_path, **changes))


@pytest.mark.parametrize("text", [b"", b"{", b"[1]", b"\xff\xfe", b"[" * 100_000, b" " * (LARGEST_METADATA + 5)])
def test_what_is_no_json_is_damage(tmp_path: Path, text: bytes) -> None:
    (tmp_path / METADATA).write_bytes(text)
    with pytest.raises(SourceError, match=r"session\.json is damaged"):
        read_metadata(tmp_path)
