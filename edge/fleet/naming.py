"""Names of nodes in messages: the topic, the stream and the node of each message that goes through a proxy.

`emotion.cam1.` of the node `lobby` becomes `emotion.lobby/cam1.`, its stream `lobby/cam1`; `stats.`, which has no
stream, becomes `stats.lobby.`. Only these two places and the field `node` are touched: messages of later versions, with
fields and topics that are unknown here, go through as well.
"""

from collections.abc import Sequence
from types import ModuleType
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

from ..validation import UNREADABLE
from ..wire.messages import Node
from ..wire.sockets import MAX_TOPIC_BYTES
from .addresses import NAME

NOT_FOAL_EDGE, HAS_NODE, NO_NODE, WRONG_TOPIC = "not_foal_edge", "has_node", "no_node", "wrong_topic"
NAME_TAKEN, TOO_MANY_NODES = "name_taken", "too_many_nodes"
REASONS = {
    NOT_FOAL_EDGE: "they are none of foal-edge's",
    HAS_NODE: "they come through a proxy already; take each of its nodes, or --nodes here and --to there",
    NO_NODE: "they have no node; run foal-edge proxy --to on the node's machine",
    WRONG_TOPIC: "a topic is not that of its stream, or too long",
    NAME_TAKEN: "another node has that name",
    TOO_MANY_NODES: "there are too many nodes already",
}
"""Reasons for which a message is not forwarded."""


class Refused(Exception):
    """Message that is not forwarded; `reason` is one of `REASONS`."""

    def __init__(self, reason: str) -> None:
        super().__init__(REASONS[reason])
        self.reason = reason


Count = Annotated[int, Meta(ge=0, le=(1 << 63) - 1)]
Nanoseconds = Annotated[int, Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
"""Times as clocks have them: JSON has integers of any length, of which no float could be made."""


class MeasuredNode(Node, frozen=True):
    """Node of a message, with offsets that clocks can have."""

    mono_offset_ns: Nanoseconds | None
    unix_offset_ns: Nanoseconds | None
    uncertainty_ns: Nanoseconds | None


class Head(msgspec.Struct, frozen=True):
    """Fields that a proxy reads."""

    session: str
    seq: Count
    mono_publish: Nanoseconds
    stream: str | None = None
    node: MeasuredNode | None = None


class People(msgspec.Struct, frozen=True):
    """Field of a status that tells who is there."""

    people: list[int] = []


class Received(NamedTuple):
    """Message as it came, with its head."""

    topic: bytes
    body: bytes
    head: Head


def read(frames: Sequence[bytes]) -> Received:
    """Return the message in the frames. Raises Refused if they hold none, or if topic and stream do not match."""
    if len(frames) != 2:
        raise Refused(NOT_FOAL_EDGE)
    topic, body = frames
    try:
        head = module_of(body).decode(body, type=Head)
    except UNREADABLE as error:
        raise Refused(NOT_FOAL_EDGE) from error
    kind, dot, rest = topic.partition(b".")
    owner = head.stream if head.stream is not None else head.node.name if head.node else None
    is_of_owner = rest.startswith(f"{owner}.".encode()) if owner is not None else True
    if not kind or not dot or not topic.endswith(b".") or not is_of_owner:
        raise Refused(WRONG_TOPIC)
    return Received(topic, body, head)


def read_people(body: bytes) -> list[int]:
    """Return the numbers of the people who are there by a status; none if it does not tell that as version 1 does."""
    try:
        people: People = module_of(body).decode(body, type=People)
    except UNREADABLE:
        return []
    return people.people


def add_node(message: Received, node: Node) -> tuple[bytes, bytes]:
    """Return topic and body of a node's own message under the node's name. Raises Refused if it has a node already."""
    topic, _, head = message
    if head.node is not None or b"/" in topic:
        raise Refused(HAS_NODE)
    kind, _, rest = topic.partition(b".")
    place = f"{node.name}/" if head.stream is not None else f"{node.name}."
    named = b".".join([kind, place.encode() + rest])
    if len(named) > MAX_TOPIC_BYTES:
        raise Refused(WRONG_TOPIC)
    stream = {} if head.stream is None else {"stream": f"{node.name}/{head.stream}"}
    return named, replace(message.body, {**stream, "node": node})


def change_node(message: Received, proxy: str) -> tuple[bytes, bytes]:
    """Return topic and body of a message that a node has sent under its name. Raises Refused if it has no node."""
    topic, _, head = message
    if head.node is None:
        raise Refused(NO_NODE)
    name = head.node.name
    if not NAME.match(name) or (head.stream is not None and not head.stream.startswith(f"{name}/")):
        raise Refused(WRONG_TOPIC)
    return topic, replace(message.body, {"node": msgspec.structs.replace(head.node, proxy=proxy)})


def replace(body: bytes, fields: dict[str, object]) -> bytes:
    """Return an encoded map with some fields replaced or added; the others keep their bytes and their order."""
    module = module_of(body)
    pairs: dict[str, msgspec.Raw] = module.decode(body, type=dict[str, msgspec.Raw])
    new = {name: msgspec.Raw(module.encode(value)) for name, value in fields.items()}
    encoded: bytes = module.encode({**pairs, **new})
    return encoded


def module_of(body: bytes) -> ModuleType:
    """Return the module that reads a body's format, which its first byte tells."""
    return msgspec.json if body[:1] == b"{" else msgspec.msgpack
