"""What may be asked at the control port, what it answers, and the JSON Schema of these and of all that is published.

A request is a bare word (`last`) or a map in JSON or MessagePack (`{"ask": "last", "stream": "cam1"}`). The reply to
a bare word is JSON, to a map its own format.
"""

from functools import cache
from typing import Any

import msgspec

from ..validation import explain
from .messages import Message, Prediction, Stats, Status, SteadyState, WireFormat

WORDS = ("status", "last", "clock", "schema", "stop")
EXPECTED = (
    f"expected one of the words {', '.join(WORDS)}, or a map in JSON or MessagePack like "
    '{"ask": "last", "stream": "main"}, in one frame'
)
LONGEST_WORD = 20
FIXMAP, MAP16, MAP32 = range(0x80, 0x90), 0xDE, 0xDF
"""First bytes of a map in MessagePack."""


class AskStatus(msgspec.Struct, frozen=True, tag_field="ask", tag="status", forbid_unknown_fields=True):
    """What runs, and how its streams are; answered with a StatusReply."""

    stream: str | None = None
    """Of this stream alone."""


class AskLast(msgspec.Struct, frozen=True, tag_field="ask", tag="last", forbid_unknown_fields=True):
    """The last prediction and steady state; answered with a LastReply."""

    stream: str | None = None
    """Of this stream alone."""


class AskClock(msgspec.Struct, frozen=True, tag_field="ask", tag="clock", forbid_unknown_fields=True):
    """The publishing machine's clocks; answered with a ClockReply."""


class AskSchema(msgspec.Struct, frozen=True, tag_field="ask", tag="schema", forbid_unknown_fields=True):
    """JSON Schema of the messages; the reply is the schema."""


class AskStop(msgspec.Struct, frozen=True, tag_field="ask", tag="stop", forbid_unknown_fields=True):
    """End the runtime, where that is allowed; answered with a StopReply."""


Request = AskStatus | AskLast | AskClock | AskSchema | AskStop


class StatusReply(msgspec.Struct, frozen=True):
    """What runs, and how its streams are."""

    about: dict[str, str]
    """The bundle, the backend, the session, the process and its addresses."""
    streams: list[Status]
    """The last status of each."""
    stats: Stats | None
    """Null in the first second."""


class LastReply(msgspec.Struct, frozen=True):
    """What was last said of each stream."""

    predictions: list[Prediction]
    events: list[SteadyState]


class ClockReply(msgspec.Struct, frozen=True):
    """The publishing machine's clocks."""

    received_mono_ns: int
    """CLOCK_MONOTONIC when the request was read."""
    mono_ns: int
    """CLOCK_MONOTONIC when the reply left."""
    unix_ns: int
    """Unix time at `mono_ns`."""


class StopReply(msgspec.Struct, frozen=True):
    """It ends."""

    stopping: bool


class Refusal(msgspec.Struct, frozen=True):
    """A request that was not understood or is not allowed."""

    error: str
    """What was found and what was expected."""


Reply = StatusReply | LastReply | ClockReply | StopReply | Refusal


def format_of(body: bytes) -> WireFormat:
    """The format of a request, by its first byte; a bare word counts as JSON."""
    first = body[0] if body else 0
    return "msgpack" if first in FIXMAP or first in (MAP16, MAP32) else "json"


def read_request(body: bytes) -> Request:
    """One of `UNREADABLE` where it is none."""
    request: Request
    if format_of(body) == "msgpack":
        request = msgspec.msgpack.decode(body, type=Request)
    elif body[:1] == b"{":
        request = msgspec.json.decode(body, type=Request)
    else:
        word = body[:LONGEST_WORD].decode("ascii", "replace").strip()
        request = msgspec.convert({"ask": word}, Request)
    return request


def explain_request(error: Exception, body: bytes) -> str:
    """What is wrong with bytes that are no request."""
    if format_of(body) == "msgpack" or body[:1] == b"{":
        return explain(error, body, Request)
    return f"found {body[:LONGEST_WORD].decode('ascii', 'replace').strip()!r}"


def write(value: Request | Reply | dict[str, Any], wire_format: WireFormat) -> bytes:
    """A request or a reply."""
    return msgspec.msgpack.encode(value) if wire_format == "msgpack" else msgspec.json.encode(value)


@cache
def written_schema(wire_format: WireFormat) -> bytes:
    """The schema as it is answered: whoever asks costs no more than the bytes."""
    return write(schema(), wire_format)


def schema() -> dict[str, Any]:
    """JSON Schema of a published message; its `$defs` hold what is asked and answered here too."""
    types = [Message, Request, StatusReply, LastReply, ClockReply, StopReply, Refusal]
    (message, *_), parts = msgspec.json.schema_components(types, ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What foal-edge publishes, version 1",
        **message,
        "$defs": parts,
    }
