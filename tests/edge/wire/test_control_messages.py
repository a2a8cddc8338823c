"""Requests and replies, byte by byte, and the schema against what is really sent."""

import json
from typing import Any

import msgspec
import pytest

from edge.validation import UNREADABLE
from edge.wire.control_messages import (
    AskClock,
    AskLast,
    AskSchema,
    AskStatus,
    AskStop,
    ClockReply,
    LastReply,
    Refusal,
    Request,
    StatusReply,
    StopReply,
    format_of,
    read_request,
    schema,
    write,
    written_schema,
)
from edge.wire.messages import encode
from tests.edge.made_messages import EVENT, OF_PEOPLE, ONE_OF_EACH, PERSON, PREDICTION, STATS, STATUS

ALL = [AskStatus(), AskLast(), AskClock(), AskSchema(), AskStop()]
JSON_TYPES = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}


@pytest.mark.parametrize("request_", ALL, ids=lambda request: type(request).__name__)
def test_a_request_is_a_word_or_a_map(request_: Request) -> None:
    word = json.loads(write(request_, "json"))["ask"]
    assert read_request(word.encode()) == request_
    assert read_request(f" {word}\n".encode()) == request_, "as echo sends it"
    for wire_format in ("json", "msgpack"):
        assert read_request(write(request_, wire_format)) == request_
        assert format_of(write(request_, wire_format)) == wire_format
    assert format_of(word.encode()) == "json"


def test_a_request_byte_by_byte() -> None:
    assert write(AskLast("a"), "json") == b'{"ask":"last","stream":"a"}'
    assert write(AskLast("a"), "msgpack") == b"\x82\xa3ask\xa4last\xa6stream\xa1a"
    assert read_request(b"\xde\x00\x01\xa3ask\xa4last") == AskLast(None), "a map may have a long header"
    assert read_request(b"\xdf\x00\x00\x00\x01\xa3ask\xa4last") == AskLast(None)


@pytest.mark.parametrize("body", [b"", b"LAST", b"last status", b'"last"', b"[]", b"\x92\x01\x02", b"\xffast", b"\x80"])
def test_anything_else_is_none(body: bytes) -> None:
    with pytest.raises(UNREADABLE):
        read_request(body)


def fits(value: Any, rule: dict[str, Any], parts: dict[str, Any]) -> bool:
    """Whether a document is as JSON Schema says, of those of its rules that are used here."""
    if "$ref" in rule:
        return fits(value, parts[rule["$ref"].removeprefix("#/$defs/")], parts)
    if "anyOf" in rule:
        return any(fits(value, part, parts) for part in rule["anyOf"])
    if "enum" in rule and value not in rule["enum"]:
        return False
    if "type" in rule and not isinstance(value, JSON_TYPES[rule["type"]]):
        return False
    if isinstance(value, list):
        inner = rule.get("prefixItems") or [rule["items"]] * len(value)
        return len(inner) == len(value) and all(map(fits, value, inner, [parts] * len(value)))
    if isinstance(value, dict):
        named, others = rule.get("properties", {}), rule.get("additionalProperties", True)
        rules = {name: named.get(name, others) for name in value}
        return set(rule.get("required", [])) <= set(value) and all(
            part if isinstance(part, bool) else fits(value[name], part, parts) for name, part in rules.items()
        )
    return True


def test_what_is_published_is_as_the_schema_says() -> None:
    rule = schema()
    for message in ONE_OF_EACH:
        document = json.loads(encode(message, "json"))
        assert fits(document, rule, rule["$defs"])
        for field in document:
            assert not fits({name: value for name, value in document.items() if name != field}, rule, rule["$defs"])
            assert not fits({**document, field: object()}, rule, rule["$defs"]), field
    for message in OF_PEOPLE.values():
        document = json.loads(encode(message, "json"))
        assert fits(document, rule, rule["$defs"])
        for field in ("people", "came", "left", "person"):
            assert field not in document or not fits({**document, field: object()}, rule, rule["$defs"]), field


def test_what_is_asked_and_answered_is_as_the_schema_says() -> None:
    parts = schema()["$defs"]
    replies = [
        StatusReply({"a": "b"}, [STATUS], STATS),
        LastReply([PREDICTION], [EVENT]),
        LastReply([PREDICTION], [EVENT], [PERSON]),
        ClockReply(1, 2, 3),
        StopReply(True),
        Refusal("no"),
    ]
    for value in [*ALL, *replies]:
        document = json.loads(write(value, "json"))
        assert msgspec.msgpack.decode(write(value, "msgpack")) == document
        names = [name for name in parts if fits(document, parts[name], parts)]
        assert type(value).__name__ in names


def test_the_schema_is_plain_json_and_names_every_type() -> None:
    assert json.loads(json.dumps(schema())) == schema()
    assert schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert {"Prediction", "PersonPrediction", "SteadyState", "Status", "Stats", "AskLast", "ClockReply"} <= set(
        schema()["$defs"]
    )
    assert all(part.get("description") for part in schema()["$defs"].values() if "properties" in part)


def test_the_schema_is_written_once_a_format() -> None:
    for wire_format, decode in (("json", msgspec.json.decode), ("msgpack", msgspec.msgpack.decode)):
        written = written_schema(wire_format)
        assert decode(written) == schema()
        assert written_schema(wire_format) is written
