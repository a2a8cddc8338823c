"""Messages of each kind, as short as they may be, and sockets that hear them."""

from typing import Any

import msgspec
import zmq

from edge.geometry import Box
from edge.wire.evidence import AudioEvidence, Latency, PersonSeen, VideoEvidence
from edge.wire.messages import CameraPicture, Message, PersonPrediction, Prediction, Stats, Status, SteadyState

ANY_PORT = "tcp://127.0.0.1:*"
WAIT_S = 60

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
EVENT = SteadyState(
    schema=1,
    session="ab",
    stream="cam1",
    seq=2,
    t_since=7,
    t_publish=8,
    mono_since=5,
    mono_publish=6,
    label="uncertain",
    previous="glad",
    labels=["calm", "glad"],
    probs=[0.5, 0.5],
    confidence=0.5,
)
STATUS = Status(
    schema=1,
    session="ab",
    stream="cam1",
    seq=9,
    t_publish=5,
    mono_publish=6,
    state="online",
    audio="ok",
    video="off",
    hop_s=0.5,
    dropped={"frames_overload": 2},
)
STATS = Stats(
    schema=1,
    session="ab",
    seq=3,
    t_publish=5,
    mono_publish=6,
    uptime_s=4.0,
    hop_s=0.5,
    busy=0.25,
    predictions=8,
    queues={"frames": 1, "blocks": 2, "messages": 0},
    dropped={"windows_late": 1},
)
PICTURE = CameraPicture(
    schema=1,
    session="ab",
    stream="cam1",
    seq=4,
    t_capture=3,
    t_publish=5,
    mono_capture=3,
    mono_publish=6,
    jpeg=b"\xff\xd8\xff\xd9",
    width=640,
    height=480,
    faces=1,
    box=Box(1, 2, 300, 4),
)
TWO_PEOPLE = [PersonSeen(1, Box(1, 2, 300, 4), False), PersonSeen(2, Box(400, 5, 60, 70), True)]
PERSON = PersonPrediction(
    schema=1,
    session="ab",
    stream="cam1",
    seq=12,
    t_start=1,
    t_end=2,
    t_publish=1_700_000_000_000_000_000,
    mono_start=3,
    mono_end=4,
    mono_publish=5,
    label="calm",
    labels=["calm", "glad"],
    probs=[0.625, 0.375],
    confidence=0.625,
    agreement=0.5,
    audio=AudioEvidence("ok", -30.5, 0.75, voice_of="person"),
    video=VideoEvidence("ok", 2, Box(400, 5, 60, 70), 20, TWO_PEOPLE),
    latency_ms=Latency(1.0, 2.0, 3.0, 4.0),
    dropped={},
    bundle="tiny 0.0.1",
    backend="numpy",
    person=2,
    steady="uncertain",
)
"""Prediction of the second of two people, who speaks."""
OF_PEOPLE = {
    "prediction": msgspec.structs.replace(
        PREDICTION,
        person=2,
        audio=AudioEvidence("ok", -30.5, 0.75, voice_of="person"),
        video=msgspec.structs.replace(PREDICTION.video, faces=2, people=TWO_PEOPLE),
    ),
    "status": msgspec.structs.replace(STATUS, people=[1, 2], came=[2], left=[3]),
    "picture": msgspec.structs.replace(PICTURE, faces=2, people=TWO_PEOPLE),
}
"""Messages of other types as they are with two people, by tag: the main one is the second."""
ONE_OF_EACH: list[Message] = [PREDICTION, EVENT, STATUS, STATS, PERSON, PICTURE]
WITHOUT_PICTURE = ONE_OF_EACH[:-1]
"""Those that are recorded and bridged, too."""


def numbered(seq: int, message: Any = STATUS, **fields: Any) -> Any:
    """A message with another number, and other fields."""
    return msgspec.structs.replace(message, seq=seq, **fields)


def unchanged(message: Message) -> Message:
    return message


def nothing(_: Message) -> None:
    pass


def receive(socket: zmq.Socket) -> list[bytes]:
    """The frames of the next message."""
    assert socket.poll(WAIT_S * 1000), f"nothing came within {WAIT_S} s"
    return socket.recv_multipart()
