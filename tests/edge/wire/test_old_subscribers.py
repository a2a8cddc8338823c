"""Subscribers of version 0.1.0, by its structs as they were, read what a run that follows several people publishes."""

from typing import Any, Literal

import msgspec
import pytest

from edge.wire.messages import encode
from tests.edge.made_messages import OF_PEOPLE, ONE_OF_EACH, PERSON, PICTURE

AUDIO = Literal["ok", "no_speech", "silent", "clipping", "lost", "off"]
VIDEO = Literal["ok", "no_face", "dark", "lost", "off"]
STREAM = Literal["online", "degraded", "lost", "stopped"]
WHO = {"schema": int, "session": str, "stream": str, "seq": int}
SENT = {"t_publish": int, "mono_publish": int}
LABELS = {"labels": list[str], "probs": list[float], "confidence": float}
NUMBER = float | None


def struct(name: str, fields: dict[str, Any], tag: str | None = None) -> type[msgspec.Struct]:
    return msgspec.defstruct(name, list(fields.items()), frozen=True, tag=tag, tag_field="type" if tag else None)


HEARD = struct("AudioEvidence", {"state": AUDIO, "rms_dbfs": NUMBER, "speech": NUMBER})
SEEN = struct("VideoEvidence", {"state": VIDEO, "faces": int | None, "box": list[int] | None, "frames": int})
TOOK = struct("Latency", dict.fromkeys(("encode_video", "encode_audio", "fuse", "total"), float))
TIMES = dict.fromkeys(("t_start", "t_end", "mono_start", "mono_end"), int)
EVIDENCE = {"agreement": NUMBER, "audio": HEARD, "video": SEEN, "latency_ms": TOOK}
DROPPED = {"dropped": dict[str, int]}
PREDICTION = struct(
    "Prediction",
    {**WHO, **TIMES, **SENT, "label": str, **LABELS, **EVIDENCE, **DROPPED, "bundle": str, "backend": str},
    "prediction",
)
SINCE = {"t_since": int, "mono_since": int}
EVENT = struct("SteadyState", {**WHO, **SINCE, **SENT, "label": str, "previous": str | None, **LABELS}, "event")
STATUS = struct(
    "Status", {**WHO, **SENT, "state": STREAM, "audio": AUDIO, "video": VIDEO, "hop_s": float, **DROPPED}, "status"
)
LOAD = {"uptime_s": float, "hop_s": float, "busy": float, "predictions": int, "queues": dict[str, int]}
STATS = struct("Stats", {"schema": int, "session": str, "seq": int, **SENT, **LOAD, **DROPPED}, "stats")
MESSAGE = PREDICTION | EVENT | STATUS | STATS
DECODERS = {"msgpack": msgspec.msgpack.Decoder(MESSAGE), "json": msgspec.json.Decoder(MESSAGE)}


@pytest.mark.parametrize("wire_format", DECODERS)
@pytest.mark.parametrize("message", [*ONE_OF_EACH[:4], OF_PEOPLE["prediction"], OF_PEOPLE["status"]])
def test_an_old_subscriber_reads_what_it_knows_and_passes_over_the_rest(message: Any, wire_format: Any) -> None:
    read = msgspec.to_builtins(DECODERS[wire_format].decode(encode(message, wire_format)))
    assert_within(read, msgspec.to_builtins(message))


def assert_within(read: Any, sent: Any) -> None:
    if isinstance(read, dict):
        assert read.keys() <= sent.keys()
        for name, value in read.items():
            assert_within(value, sent[name])
    else:
        assert read == (list(sent) if isinstance(read, list) else sent)


@pytest.mark.parametrize("message", [PERSON, PICTURE])
def test_it_refuses_types_that_it_does_not_know_so_it_is_told_to_subscribe_to_its_topics(message: Any) -> None:
    with pytest.raises(msgspec.ValidationError, match="Invalid value"):
        DECODERS["json"].decode(encode(message, "json"))
