"""Every way in which data may not be what it should be, in words that no library wrote."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge.bundle.manifest import Manifest
from edge.recording.metadata import RunMetadata
from edge.session.config import Config, StreamConfig
from edge.validation import UNREADABLE, explain
from edge.wire.control_messages import Request
from edge.wire.messages import Message
from train.config import Config as Training

LIBRARY = re.compile(r"Expected|Object |`|\$|regex|Invalid enum|malformed|truncated")


def wrong(settings: object, kind: Any) -> str:
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.convert(settings, kind, strict=False)
    return explain(refused.value, settings, kind)


CASES: list[tuple[Any, Any, str]] = [
    ({"streams": [{"name": "a.b"}]}, Config,
     "streams[0].name: found 'a.b', expected at most 64 letters, digits, - and _, with a letter or a digit among them"),
    ({"streams": [{"name": None}]}, Config, "streams[0].name: found null, expected at most 64 letters, digits"),
    ({"streams": [{"camra": 0}]}, Config, "streams[0]: 'camra' is none of audio_track, av_offset_ms, camera, demo"),
    ({"streams": []}, Config, "streams: found [], expected a list that is not empty"),
    ({"streams": "lobby"}, Config, "streams: found 'lobby', expected a list"),
    ({"streams": [3]}, Config, "streams[0]: found 3, expected a map"),
    ({"streams": [{"av_offset_ms": 9000}]}, Config,
     "streams[0].av_offset_ms: found 9000, expected a number from -5000 to 5000"),
    ({"streams": [{"demo": "perhaps"}]}, Config, "streams[0].demo: found 'perhaps', expected true or false"),
    ({"hop": 1}, Config, "'hop' is none of allow_stop, backend"),
    ({"hop_s": "soon"}, Config, "hop_s: found 'soon', expected a number from 0.05 to 60 or 'auto'"),
    ({"hop_s": 0}, Config, "hop_s: found 0, expected a number from 0.05 to 60 or 'auto'"),
    ({"format": "xml"}, Config, "format: found 'xml', expected one of json, msgpack"),
    ({"threads": -1}, Config, "threads: found -1, expected a whole number of at least 0"),
    ({"metrics_port": 1.5}, Config, "metrics_port: found 1.5, expected a whole number from 0 to 65535 or null"),
    ({"keys": 5}, Config, "keys: found 5, expected text or null"),
    ({"events": {"enter": []}}, Config, "events.enter: found [], expected a number"),
    ([], Config, "found [], expected a map"),
    ({}, Request, "it lacks 'ask'"),
    ({"ask": "lunch"}, Request, "ask: found 'lunch', expected 'status' or 'last' or 'clock'"),
    ({"ask": "last", "stream": 3}, Request, "stream: found 3, expected text or null"),
    ({"a": {"b": "c"}}, dict[str, dict[str, float]], "[][]: expected a number"),
    ({1: {}}, dict[str, dict[str, float]], "a key is not text"),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "kind", "said"), CASES)
def test_it_says_which_key_what_was_found_and_what_was_expected(settings: object, kind: Any, said: str) -> None:
    assert wrong(settings, kind).startswith(said)


@pytest.mark.parametrize("kind", [Config, StreamConfig, Manifest, RunMetadata, Request, Message, Training])
@pytest.mark.parametrize("value", [None, True, -7, 1e300, "", "\0`$.x`", [], [[]], {}, {"": 1}, b"x", float("nan")])
def test_no_words_of_the_library_come_through(kind: Any, value: object) -> None:
    names = [field for part in getattr(kind, "__args__", (kind,)) for field in part.__struct_fields__]
    tags = [{"ask": "last"}, {"type": "prediction"}, {}]
    told = 0
    for document in [value, *({**tag, name: value} for name in names for tag in tags)]:
        try:
            msgspec.convert(document, kind, strict=False)
        except UNREADABLE as error:
            said = explain(error, document, kind)
            told += 1
            assert not LIBRARY.search(said.replace(repr(value), "")), said
            assert "something else" not in said
    assert told


BYTES: list[tuple[Any, bytes, str]] = [
    (msgspec.json, b"", "it breaks off"),
    (msgspec.json, b'{"a":', "it breaks off"),
    (msgspec.json, b'{"a":}', "it is no JSON: invalid character at byte 5"),
    (msgspec.json, b"{} x", "it is no JSON: trailing characters at byte 4"),
    (msgspec.json, b'{"schema": "\xff"}', "it is no text in UTF-8"),
    (msgspec.json, b'{"schema": ' + b"[" * 5000, "it is nested too deeply"),
    (msgspec.json, b'{"schema": "x"}', "schema: found 'x', expected a whole number"),
    (msgspec.msgpack, b"\x81", "it breaks off"),
    (msgspec.msgpack, b"\x80\x80", "it is no MessagePack: trailing characters at byte 1"),
    (msgspec.msgpack, b"\xc1", "it is no MessagePack: invalid opcode"),
    (msgspec.msgpack, b"\x81\xa6schema\xa1x", "schema: found 'x', expected a whole number"),
    (msgspec.yaml, b"a: b: c", "mapping values are not allowed in this context in line 1, column 5"),
    (msgspec.yaml, b"a: [", "did not find expected node content in line 2, column 1"),
    (msgspec.yaml, b"\xff", "unacceptable character"),
]


@pytest.mark.parametrize(("module", "body", "said"), BYTES)
def test_bytes_that_cannot_be_decoded(module: Any, body: bytes, said: str) -> None:
    class Versioned(msgspec.Struct):
        schema: int

    kind = Versioned if said.startswith("schema") else Any
    with pytest.raises(UNREADABLE) as refused:
        module.decode(body, type=kind)
    explained = explain(refused.value, body, kind)
    assert explained.startswith(said)
    assert not LIBRARY.search(explained)


def test_every_pattern_is_described() -> None:
    root = Path(__file__).parents[2]
    for path in [*(root / "edge").rglob("*.py"), *(root / "train").rglob("*.py")]:
        for pattern in re.findall(r"Meta\([^\n]*pattern=[^\n]*", path.read_text()):
            assert "description=" in pattern, path


def test_errors_of_decoding_are_told_in_one_place_alone() -> None:
    root = Path(__file__).parents[2]
    for room in ("edge", "train", "export"):
        for path in (root / room).rglob("*.py"):
            assert not re.search(r"except .*\bmsgspec\.", path.read_text()), path
