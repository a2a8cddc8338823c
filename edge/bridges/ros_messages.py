"""ROS 2 messages of a prediction: ROS4HRI's Expression and IdsList, and the whole message as JSON."""

import math
import re
from typing import Any

from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from ..wire.messages import TOPICS, UNCERTAIN, Message, PersonPrediction, Prediction, Stats, encode

EXPRESSION, IDS, TEXT = "hri_msgs/msg/Expression", "hri_msgs/msg/IdsList", "std_msgs/msg/String"
DEFINITIONS = {
    EXPRESSION: "std_msgs/Header header\nstring expression\nfloat32 valence\nfloat32 arousal\nfloat32 confidence\n",
    IDS: "std_msgs/Header header\nstring[] ids\n",
}
"""Fields of the two messages of hri_msgs, in their order: what is on the wire and in the hash of their types."""
EXPRESSIONS = {"disgust": "disgusted", "fear": "scared", "surprise": "surprised", UNCERTAIN: ""}
"""Labels that ROS4HRI calls otherwise; `angry`, `happy`, `neutral` and `sad` are its own words."""
TRACKED = "/humans/faces/tracked"
"""Topic of the faces that there are, on which ROS4HRI's listeners learn of them."""


def typestore() -> Typestore:
    """Return ROS 2's message types with those of hri_msgs."""
    store = get_typestore(Stores.ROS2_HUMBLE)
    for name, definition in DEFINITIONS.items():
        store.register(get_types_from_msg(definition, name))
    return store


def expression_topic(face: str) -> str:
    """Return the topic of a face's expressions, given its identifier."""
    return f"/humans/faces/{face}/expression"


def face_id(stream: str, person: int | None = None) -> str:
    """Return the identifier of a face: of one of several people, or of the stream, which stands for its main face."""
    return ros_name(stream if person is None else f"{stream}_person_{person}")


def json_topic(message: Message) -> str:
    """Return the topic of a whole message as JSON."""
    kind = TOPICS[type(message)]
    owner = message.stream if not isinstance(message, Stats) else message.node.name if message.node else None
    return f"/foal_edge/{kind}" if owner is None else f"/foal_edge/{ros_name(owner)}/{kind}"


def ros_name(text: str) -> str:
    """Return a text as a part of a topic of ROS 2: letters, digits and _, no digit first, no two _ together."""
    name = re.sub(r"_{2,}", "_", re.sub(r"[^A-Za-z0-9]", "_", text))
    return f"s{name}" if not name or name[0].isdigit() else name


def expression(store: Typestore, message: Prediction | PersonPrediction) -> Any:
    """Return a prediction as an Expression, stamped with the end of its window.

    Valence and arousal are NaN, as the model does not say them. A prediction that is uncertain has no expression, with
    a confidence of 0.
    """
    label = EXPRESSIONS.get(message.label, message.label)
    confidence = message.confidence if label else 0.0
    return store.types[EXPRESSION](header(store, message.t_end, message.stream), label, math.nan, math.nan, confidence)


def ids(store: Typestore, t_ns: int, faces: list[str]) -> Any:
    """Return the list of faces that are followed, given their identifiers."""
    return store.types[IDS](header(store, t_ns, ""), faces)


def text(store: Typestore, message: Message) -> Any:
    """Return a whole message as a String of JSON."""
    return store.types[TEXT](encode(message, "json").decode())


def header(store: Typestore, t_ns: int, frame: str) -> Any:
    """Return a header with a time in nanoseconds and the name of a frame."""
    seconds, nanoseconds = divmod(t_ns, 10**9)
    stamp = store.types["builtin_interfaces/msg/Time"](seconds, nanoseconds)
    return store.types["std_msgs/msg/Header"](stamp, frame)
