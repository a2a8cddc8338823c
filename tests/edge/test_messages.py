"""The wire, byte by byte."""

import json
from typing import Any

import msgspec
import pytest

from edge.framing import Box
from edge.messages import (
    DROP_REASONS,
    AudioEvidence,
    Latency,
    Message,
    Prediction,
    Status,
    VideoEvidence,
    decode,
    encode,
    topic,
)

STATUS = Status(1, "ab", "cam1", 5, 6, "online", "ok", "off", {"frames_overload": 2})
PREDICTION = Prediction(
    schema=1,
    session="ab",
    stream="cam1",
    seq=300,
    t_start=1,
    t_end=2,
    t_publish=1_700_000_000_000_000_000,
    mono_start=3,
    mono_end=4,
    mono_publish=5,
    label="glad",
    labels=["calm", "glad"],
    probs=[0.25, 0.75],
    confidence=0.75,
    agreement=None,
    audio=AudioEvidence("silent", None, None),
    video=VideoEvidence("ok", 1, Box(1, 2, 300, 4), 30),
    latency_ms=Latency(1.0, 2.0, 3.0, 4.0),
    dropped={},
    bundle="tiny 0.0.1",
    backend="numpy",
)


def text(value: str) -> bytes:
    return bytes([0xA0 + len(value)]) + value.encode()


def test_a_status_in_messagepack_byte_by_byte() -> None:
    pairs = [
        (text("type"), text("status")),
        (text("schema"), b"\x01"),
        (text("session"), text("ab")),
        (text("stream"), text("cam1")),
        (text("t_publish"), b"\x05"),
        (text("mono_publish"), b"\x06"),
        (text("state"), text("online")),
        (text("audio"), text("ok")),
        (text("video"), text("off")),
        (text("dropped"), b"\x81" + text("frames_overload") + b"\x02"),
    ]
    assert encode(STATUS, "msgpack") == b"\x8a" + b"".join(key + value for key, value in pairs)


def test_a_status_in_json_byte_by_byte() -> None:
    assert encode(STATUS, "json") == (
        b'{"type":"status","schema":1,"session":"ab","stream":"cam1","t_publish":5,"mono_publish":6,'
        b'"state":"online","audio":"ok","video":"off","dropped":{"frames_overload":2}}'
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


def test_both_formats_hold_the_same() -> None:
    assert msgspec.msgpack.decode(encode(PREDICTION, "msgpack")) == json.loads(encode(PREDICTION, "json"))


@pytest.mark.parametrize(
    ("message", "expected"), [(STATUS, b"status.cam1."), (PREDICTION, b"emotion.cam1.")], ids=["status", "prediction"]
)
def test_topics_end_with_a_dot(message: Message, expected: bytes) -> None:
    assert topic(message) == expected


@pytest.mark.parametrize("wire_format", ["msgpack", "json"])
@pytest.mark.parametrize("message", [STATUS, PREDICTION], ids=["status", "prediction"])
def test_what_was_encoded_is_decoded(message: Message, wire_format: Any) -> None:
    assert decode(encode(message, wire_format)) == message


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xc1", b"\x8a", b'{"type":"song"}', b"{}", b"\x80", encode(STATUS, "json").replace(b"online", b"on")],
)
def test_anything_else_is_refused(body: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        decode(body)


def test_a_field_of_a_later_version_is_passed_over() -> None:
    assert decode(encode(STATUS, "json").replace(b'"schema":1', b'"schema":1,"novelty":[2]')) == STATUS


def test_every_reason_for_dropping_is_explained() -> None:
    assert set(DROP_REASONS) == {
        "frames_overload",
        "blocks_overload",
        "windows_late",
        "windows_empty",
        "messages_queue",
    }
    assert all(len(reason.split()) > 3 for reason in DROP_REASONS.values())
