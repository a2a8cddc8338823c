"""The metadata: round trip, and what is damaged or of another version."""

import json

import msgspec
import pytest

from edge.errors import SourceError
from edge.recording.metadata import decode_metadata, file_name, folder_name
from tests.edge.made_run import run_spec
from tests.edge.recording.made_recordings import about


def written(**changes: object) -> bytes:
    return json.dumps(msgspec.to_builtins(about("cam1", "cam2")) | changes).encode()


def test_what_was_written_is_read() -> None:
    of = about("cam1", "cam2", fast=True, media=True)
    assert decode_metadata(msgspec.json.encode(of), "session.json") == of


def test_folders_sort_by_time_and_name_the_session() -> None:
    assert folder_name(about()) == f"2023-11-14T22-13-20Z_{'0' * 32}"


def test_files_sort_by_number() -> None:
    names = [file_name(number) for number in range(2000)]
    assert names == sorted(names)


@pytest.mark.parametrize(
    ("schema", "remedy"), [(3, "update foal-edge"), (1, "replay it with the version that recorded it")]
)
def test_another_schema_is_named(schema: int, remedy: str) -> None:
    with pytest.raises(SourceError, match=f"^that has schema {schema}, this program reads schema 2; {remedy}"):
        decode_metadata(written(schema=schema, anything="new"), "that")


UNFIT = msgspec.to_builtins(run_spec("cam1"))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"anything": 1}, "'anything' is none of audio_rate_hz, backend"),
        ({"threads": -1}, "threads"),
        ({"backend": ""}, "backend"),
        ({"audio_rate_hz": 0}, "audio_rate_hz"),
        ({"start_mono_ns": 2**63}, "start_mono_ns"),
        ({"wire_format": "pickle"}, "pickle"),
        ({"course": UNFIT | {"lanes": []}}, "0 streams with windows every"),
        ({"course": UNFIT | {"hop_ns": 0}}, "1 streams with windows every 0 ns"),
        ({"course": UNFIT | {"begin_ns": -(2**63) - 1}}, "windows every 500000000 ns from -9223372036854775809"),
        ({"course": UNFIT | {"framing": "none"}}, "none"),
        ({"course": UNFIT | {"events": UNFIT["events"] | {"leave": 0.9}}}, "leave 0.9 is above enter 0.5"),
    ],
)
def test_what_cannot_be_meant_is_damage(changes: dict, problem: str) -> None:
    with pytest.raises(SourceError, match=f"^that is damaged: .*{problem}"):
        decode_metadata(written(**changes), "that")


@pytest.mark.parametrize("text", [b"", b"{", b"[1]", b"\xff\xfe", b"[" * 100_000, b" " * 100_000])
def test_what_is_no_json_is_damage(text: bytes) -> None:
    with pytest.raises(SourceError, match=r"^that is damaged"):
        decode_metadata(text, "that")
