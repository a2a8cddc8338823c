"""`foal-edge schema`: a JSON Schema that holds what is on the wire and nothing else."""

import json

import pytest

from edge.wire.control_messages import schema
from edge.wire.messages import Message, encode
from tests.edge.made_messages import ONE_OF_EACH


@pytest.fixture
def printed(edge_command) -> dict[str, object]:
    ended = edge_command("schema")
    assert (ended.status, ended.err) == (0, "")
    return json.loads(ended.out)


def test_it_is_the_one_of_the_control_port(printed) -> None:
    assert printed == schema()


@pytest.mark.parametrize("message", ONE_OF_EACH, ids=lambda message: type(message).__name__)
def test_a_validator_takes_each_message_and_no_other(printed, message: Message) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema validates")
    document = json.loads(encode(message, "json"))
    jsonschema.validate(document, printed)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**document, "seq": "first"}, printed)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**document, "type": "weather"}, printed)


def test_requests_and_replies_are_defined(printed) -> None:
    assert {"AskStatus", "AskLast", "StatusReply", "LastReply", "ClockReply", "Refusal"} <= set(printed["$defs"])
