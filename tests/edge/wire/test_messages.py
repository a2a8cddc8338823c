"""The wire, byte by byte."""

import json
from base64 import b64encode
from typing import Any

import msgspec
import pytest

from edge.wire.drop_reasons import DROP_REASONS
from edge.wire.messages import Message, Node, PersonPrediction, Prediction, decode, encode, people_topic, topic
from tests.edge.made_messages import EVENT, OF_PEOPLE, ONE_OF_EACH, PERSON, PREDICTION, STATS, STATUS

each_message = pytest.mark.parametrize(
    "message", ONE_OF_EACH, ids=["prediction", "event", "status", "stats", "person", "picture"]
)


def text(value: str) -> bytes:
    return bytes([0xA0 + len(value)]) + value.encode()


def test_a_status_in_messagepack_byte_by_byte() -> None:
    pairs = [
        (text("type"), text("status")),
        (text("schema"), b"\x01"),
        (text("session"), text("ab")),
        (text("stream"), text("cam1")),
        (text("seq"), b"\x09"),
        (text("t_publish"), b"\x05"),
        (text("mono_publish"), b"\x06"),
        (text("state"), text("online")),
        (text("audio"), text("ok")),
        (text("video"), text("off")),
        (text("hop_s"), b"\xcb\x3f\xe0" + bytes(6)),
        (text("dropped"), b"\x81" + text("frames_overload") + b"\x02"),
    ]
    # The header has 16 bits, as it has room for all optional fields
    assert encode(STATUS, "msgpack") == b"\xde\x00\x0c" + b"".join(key + value for key, value in pairs)


def test_a_status_in_json_byte_by_byte() -> None:
    assert encode(STATUS, "json") == (
        b'{"type":"status","schema":1,"session":"ab","stream":"cam1","seq":9,"t_publish":5,"mono_publish":6,'
        b'"state":"online","audio":"ok","video":"off","hop_s":0.5,"dropped":{"frames_overload":2}}'
    )


def test_a_prediction_has_the_fields_of_version_1() -> None:
    assert json.loads(encode(PREDICTION, "json")) == {
        "type": "prediction",
        "schema": 1,
        "session": "ab",
        "stream": "cam1",
        "seq": 300,
        "t_start": 1,
        "t_end": 2,
        "t_publish": 1_700_000_000_000_000_000,
        "mono_start": 3,
        "mono_end": 4,
        "mono_publish": 5,
        "label": "glad",
        "labels": ["calm", "glad"],
        "probs": [0.25, 0.75],
        "confidence": 0.75,
        "agreement": None,
        "audio": {"state": "silent", "rms_dbfs": None, "speech": None},
        "video": {"state": "ok", "faces": 1, "box": [1, 2, 300, 4], "frames": 30},
        "latency_ms": {"encode_video": 1.0, "encode_audio": 2.0, "fuse": 3.0, "total": 4.0},
        "dropped": {},
        "bundle": "tiny 0.0.1",
        "backend": "numpy",
    }


def test_an_event_has_the_fields_of_version_1() -> None:
    assert json.loads(encode(EVENT, "json")) == {
        "type": "event",
        "schema": 1,
        "session": "ab",
        "stream": "cam1",
        "seq": 2,
        "t_since": 7,
        "t_publish": 8,
        "mono_since": 5,
        "mono_publish": 6,
        "label": "uncertain",
        "previous": "glad",
        "labels": ["calm", "glad"],
        "probs": [0.5, 0.5],
        "confidence": 0.5,
    }


def test_stats_have_the_fields_of_version_1() -> None:
    assert json.loads(encode(STATS, "json")) == {
        "type": "stats",
        "schema": 1,
        "session": "ab",
        "seq": 3,
        "t_publish": 5,
        "mono_publish": 6,
        "uptime_s": 4.0,
        "hop_s": 0.5,
        "busy": 0.25,
        "predictions": 8,
        "queues": {"frames": 1, "blocks": 2, "messages": 0},
        "dropped": {"windows_late": 1},
    }


def test_a_prediction_of_a_person_has_the_fields_of_one_and_whose_it_is() -> None:
    fields = json.loads(encode(PERSON, "json"))
    assert list(fields) == [*json.loads(encode(PREDICTION, "json")), "person", "steady"]
    assert (fields["type"], fields["person"], fields["steady"]) == ("person", 2, "uncertain")
    assert fields["audio"] == {"state": "ok", "rms_dbfs": -30.5, "speech": 0.75, "voice_of": "person"}
    assert fields["video"]["people"] == [
        {"person": 1, "box": [1, 2, 300, 4], "speaking": False},
        {"person": 2, "box": [400, 5, 60, 70], "speaking": True},
    ]
    assert isinstance(PREDICTION, Prediction)
    assert not isinstance(PERSON, Prediction)
    assert isinstance(PERSON, PersonPrediction)
    assert not isinstance(PREDICTION, PersonPrediction)


@pytest.mark.parametrize("kind", OF_PEOPLE)
def test_what_says_nothing_of_people_is_left_out(kind: str) -> None:
    message = OF_PEOPLE[kind]
    alone = next(one for one in ONE_OF_EACH if type(one) is type(message))
    names = {"prediction": {"person"}, "status": {"people", "came", "left"}, "picture": {"people"}}[kind]
    assert set(json.loads(encode(message, "json"))) - set(json.loads(encode(alone, "json"))) == names
    for wire_format in ("json", "msgpack"):
        assert decode(encode(message, wire_format)) == message  # type: ignore[arg-type]


def test_a_subscription_to_predictions_gets_none_of_people() -> None:
    assert not topic(PERSON).startswith(topic(PREDICTION))
    assert topic(PERSON).startswith(people_topic("cam1"))
    assert not topic(PERSON).startswith(people_topic("cam"))


@each_message
def test_both_formats_hold_the_same(message: Message) -> None:
    fields = msgspec.msgpack.decode(encode(message, "msgpack"))
    as_text = {name: b64encode(value).decode() if isinstance(value, bytes) else value for name, value in fields.items()}
    assert as_text == json.loads(encode(message, "json"))


def test_topics_end_with_a_dot() -> None:
    assert list(map(topic, ONE_OF_EACH)) == [
        b"emotion.cam1.",
        b"event.cam1.",
        b"status.cam1.",
        b"stats.",
        b"person.cam1.2.",
        b"picture.cam1.",
    ]


@pytest.mark.parametrize("wire_format", ["msgpack", "json"])
@each_message
def test_what_was_encoded_is_decoded(message: Message, wire_format: Any) -> None:
    assert decode(encode(message, wire_format)) == message


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xc1", b"\x8a", b'{"type":"song"}', b"{}", b"\x80", encode(STATUS, "json").replace(b"online", b"on")],
)
def test_anything_else_is_refused(body: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        decode(body)


@each_message
def test_a_field_of_a_later_version_is_passed_over(message: Message) -> None:
    assert decode(encode(message, "json").replace(b'"schema":1', b'"schema":1,"novelty":[2]')) == message


def test_every_reason_for_dropping_is_explained() -> None:
    first = {"frames_overload", "blocks_overload", "windows_late", "windows_empty", "messages_queue"}
    assert first | {"windows_not_finite", "frames_failed", "frames_not_finite"} <= set(DROP_REASONS)
    assert all(len(reason.split()) > 3 for reason in DROP_REASONS.values())


def test_the_stats_of_a_node_have_a_topic_of_their_own() -> None:
    assert topic(msgspec.structs.replace(STATS, node=Node("lobby", "p", None, None, None))) == b"stats.lobby."
