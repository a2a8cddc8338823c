"""The schemas are those of the wire, in the part of JSON Schema that viewers read."""

import json
from typing import Any

import jsonschema
import msgspec
import pytest

from edge.recording.foxglove import CompressedImage, RawAudio
from edge.recording.records import Mark, Step
from edge.recording.schemas import json_schema
from edge.wire.messages import Message, PersonPrediction, Prediction, Stats, Status, SteadyState
from tests.edge.made_messages import EVENT, OF_PEOPLE, PERSON, PREDICTION, STATS, STATUS

KINDS = [Prediction, PersonPrediction, SteadyState, Status, Stats, Step, Mark, RawAudio, CompressedImage]
WRONG = (None, "x", 7, 0.5, [], [0.5], ["x"], {}, {"x": 1})
SINGLE = {"boolean", "string", "number", "integer"}


def assert_shown(schema: dict[str, Any]) -> None:
    """As Foxglove's documentation and Lichtblick's reader of schemas have it: one type each, and none else."""
    assert schema["type"] == "object"
    for field in schema["properties"].values():
        assert not {"$ref", "anyOf", "oneOf"} & field.keys()
        if field["type"] == "object":
            assert_shown(field)
        elif field["type"] == "array" and field["items"]["type"] == "object":
            assert_shown(field["items"])
        else:
            assert (field["items"] if field["type"] == "array" else field)["type"] in SINGLE
            assert field.get("contentEncoding", "base64") == "base64"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_viewers_can_read_each_schema(kind: type[msgspec.Struct]) -> None:
    schema = json_schema(kind)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert_shown(schema)
    assert "$ref" not in json.dumps(schema)


MESSAGES = [PREDICTION, PERSON, EVENT, STATUS, STATS, OF_PEOPLE["prediction"], OF_PEOPLE["status"]]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_messages_have_the_schema_of_the_wire(message: Message) -> None:
    mine, wires = (
        jsonschema.Draft202012Validator(schema) for schema in (json_schema(type(message)), msgspec.json.schema(Message))
    )
    fields = json.loads(msgspec.json.encode(message))
    others = [
        fields | {name: wrong} for name in fields for wrong in (None, "x", 7, 0.5, [], [0.5], ["x"], {}, {"x": 1})
    ]
    others += [{key: value for key, value in fields.items() if key != name} for name in fields]
    assert mine.is_valid(fields)
    assert [mine.is_valid(one) for one in others] == [wires.is_valid(one) for one in others]


def test_a_field_that_may_be_null_is_checked_though_viewers_pass_over_it() -> None:
    schema = json_schema(Prediction)
    assert "agreement" not in schema["properties"]
    assert "agreement" in schema["required"]
    validator = jsonschema.Draft202012Validator(schema)
    fields = json.loads(msgspec.json.encode(PREDICTION))
    assert validator.is_valid(fields | {"agreement": 0.5})
    assert not validator.is_valid(fields | {"agreement": "much"})
    assert not validator.is_valid(fields | {"audio": fields["audio"] | {"speech": "much"}})
