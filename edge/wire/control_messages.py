"""Requests and replies of the control port, and the JSON Schema of these and of the published messages.

A request is a bare word (`last`) or a map in JSON or MessagePack (`{"ask": "last", "stream": "cam1"}`). A map is
answered in its own format, a bare word in JSON.
"""

from functools import cache
from typing import Any, Literal

import msgspec

from ..validation import explain
from .messages import Message, PersonPrediction, Prediction, Stats, Status, SteadyState, WireFormat

WORDS = ("status", "last", "clock", "schema", "stop")
EXPECTED = (
    f"expected one of the words {', '.join(WORDS)}, or a map in JSON or MessagePack like "
    '{"ask": "last", "stream": "main"}, in one frame'
)
LONGEST_WORD = 20
NodePresence = Literal["waiting", "online", "lost"]
FIXMAP, MAP16, MAP32 = range(0x80, 0x90), 0xDE, 0xDF
"""First bytes of a MessagePack map."""


class AskStatus(msgspec.Struct, frozen=True, tag_field="ask", tag="status", forbid_unknown_fields=True):
    """Request `status`: what runs and the state of its streams; answered with a StatusReply."""

    stream: str | None = None
    """Name of the only stream to report; null for all streams."""


class AskLast(msgspec.Struct, frozen=True, tag_field="ask", tag="last", forbid_unknown_fields=True):
    """Request `last`: the last prediction and event of each stream; answered with a LastReply."""

    stream: str | None = None
    """Name of the only stream to report; null for all streams."""


class AskClock(msgspec.Struct, frozen=True, tag_field="ask", tag="clock", forbid_unknown_fields=True):
    """Request `clock`: the clocks of the publishing machine; answered with a ClockReply."""


class AskSchema(msgspec.Struct, frozen=True, tag_field="ask", tag="schema", forbid_unknown_fields=True):
    """Request `schema`: the JSON Schema of all messages, requests and replies; answered with the schema itself."""


class AskStop(msgspec.Struct, frozen=True, tag_field="ask", tag="stop", forbid_unknown_fields=True):
    """Request `stop`: end the runtime, if `--allow-stop` permits it; answered with a StopReply."""


Request = AskStatus | AskLast | AskClock | AskSchema | AskStop


class NodeState(msgspec.Struct, frozen=True):
    """State of one node of a fleet, as a proxy sees it."""

    name: str
    """Name of the node."""
    address: str
    """Address that the proxy connects to; empty for a node that connects to the proxy."""
    state: NodePresence
    """`waiting`: nothing has come yet. `online`: messages come. `lost`: none for three seconds."""
    silence_s: float | None
    """Time since its last message, in seconds; null before the first."""
    received: int
    """Number of its messages that came and were forwarded."""
    repeated: int
    """Number of its messages that came a second time, and were not forwarded."""
    missed: int
    """Number of its messages that never came (gaps in `seq`)."""
    refused: dict[str, int]
    """Number of its messages that came and were not forwarded, by reason."""
    delay_ms: float | None
    """Time from the publishing of its newest message to its arrival, in milliseconds; null until its clocks are
    measured."""
    mono_offset_ns: int | None
    """CLOCK_MONOTONIC of the node less that of the proxy's machine, in nanoseconds; null until it is measured."""
    unix_offset_ns: int | None
    """Unix time of the node less that of the proxy's machine, in nanoseconds; null until it is measured."""
    uncertainty_ns: int | None
    """Largest possible error of both offsets, in nanoseconds."""
    problem: str | None
    """Problem of the node, in words; null if there is none."""


class StatusReply(msgspec.Struct, frozen=True, omit_defaults=True):
    """Reply to `status`: what runs and the state of its streams."""

    about: dict[str, str]
    """Description of the runtime: bundle, backend, session, process and addresses."""
    streams: list[Status]
    """Last status of each stream that has published one."""
    stats: Stats | None
    """Last stats of the runtime; null in its first second, and of a proxy."""
    nodes: list[NodeState] = []
    """Nodes of the fleet, of a proxy; empty of a runtime."""


class LastReply(msgspec.Struct, frozen=True, omit_defaults=True):
    """Reply to `last`: the last prediction and event of each stream, and those of its people."""

    predictions: list[Prediction]
    """Last prediction of each stream that has published one."""
    events: list[SteadyState]
    """Last event of each stream that has published one."""
    people: list[PersonPrediction] = []
    """Last prediction of each person who is there; empty unless `--people` is above 1."""


class ClockReply(msgspec.Struct, frozen=True):
    """Reply to `clock`: the clocks of the publishing machine."""

    received_mono_ns: int
    """CLOCK_MONOTONIC when the request was read, in nanoseconds."""
    mono_ns: int
    """CLOCK_MONOTONIC when the reply was sent, in nanoseconds."""
    unix_ns: int
    """Unix time at `mono_ns`, in nanoseconds."""


class StopReply(msgspec.Struct, frozen=True):
    """Reply to `stop`: the runtime is ending."""

    stopping: bool
    """True: the end has begun."""


class Refusal(msgspec.Struct, frozen=True):
    """Reply to a request that was not understood or is not allowed."""

    error: str
    """Explanation: the request found, the requests expected, or the remedy."""


Reply = StatusReply | LastReply | ClockReply | StopReply | Refusal


def format_of(body: bytes) -> WireFormat:
    """Return the format of a request, judged by its first byte; a bare word counts as JSON."""
    first = body[0] if body else 0
    return "msgpack" if first in FIXMAP or first in (MAP16, MAP32) else "json"


def read_request(body: bytes) -> Request:
    """Return the request in a body: a bare word, or a map in JSON or MessagePack.

    Raises one of `UNREADABLE` if the body is no request.
    """
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
    """Return why a body is no request, given the error that `read_request` raised."""
    if format_of(body) == "msgpack" or body[:1] == b"{":
        return explain(error, body, Request)
    return f"found {body[:LONGEST_WORD].decode('ascii', 'replace').strip()!r}"


def write(value: Request | Reply | dict[str, Any], wire_format: WireFormat) -> bytes:
    """Return a request, a reply or the schema, encoded."""
    return msgspec.msgpack.encode(value) if wire_format == "msgpack" else msgspec.json.encode(value)


@cache
def written_schema(wire_format: WireFormat) -> bytes:
    """Return the encoded schema; cached, so that a request for it costs no more than sending the bytes."""
    return write(schema(), wire_format)


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a published message; its `$defs` hold the requests and replies too."""
    types = [Message, Request, StatusReply, LastReply, ClockReply, StopReply, Refusal]
    (message, *_), parts = msgspec.json.schema_components(types, ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Messages published by foal-edge, version 1",
        **message,
        "$defs": parts,
    }
