"""The wire protocol, version 1: the published messages as typed structs, encoded as MessagePack or JSON.

A message has two ZeroMQ message parts: the topic, which ends with a dot, and one map. All times are integer
nanoseconds. Fields with `mono` in their name are CLOCK_MONOTONIC of the publishing machine; the others are Unix time.
In a replay faster than real time (`--fast`), all of them are nanoseconds since the beginning of the recording.

Subscribe with SUB sockets, to topics of at most 100 bytes. A new subscriber receives the last message of each matching
topic at once. XSUB sockets that are already connected receive these repeated messages too, even on topics that they
have not subscribed to: with an XSUB socket, check the topic of each message.

A field that is called optional is left out of a map where it is null or an empty array; a run that follows one person,
as without `--people`, sends none of them. Later versions may add types of messages, each on topics of its own, so
subscribe to the topics that your program handles: `emotion.`, say, and not to all. A subscriber of version 0.1.0 with
an empty topic ends with an error at a message `person` or `picture`, which a run sends only where it is asked to
(`--people`, `--show-picture`).
"""

from typing import Literal

import msgspec

from ..geometry import Box
from .evidence import AudioEvidence, AudioState, Latency, PersonSeen, VideoEvidence, VideoState

SCHEMA = 1

UNCERTAIN = "uncertain"
"""Label of a prediction without evidence, and of a steady state in which none of the bundle's labels stands out."""

StreamState = Literal["online", "degraded", "lost", "stopped"]
WireFormat = Literal["msgpack", "json"]


class Node(msgspec.Struct, frozen=True):
    """Node of a fleet from which a message came, and its clocks as the proxy has measured them beside its own.

    The offsets are those of the machine of the proxy that the subscriber is connected to, null until they are measured.
    """

    name: str
    """Name of the node; its streams are called `<name>/<stream>`."""
    proxy: str
    """Random identifier of the proxy's session, new at every start of the proxy."""
    mono_offset_ns: int | None
    """CLOCK_MONOTONIC of the node less that of the proxy's machine, in nanoseconds."""
    unix_offset_ns: int | None
    """Unix time of the node less that of the proxy's machine, in nanoseconds."""
    uncertainty_ns: int | None
    """Largest possible error of both offsets, in nanoseconds."""


class Published(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Field that every message has which came through a proxy."""

    node: Node | None = None
    """Node from which the message came through `foal-edge proxy`; null where there is no proxy."""


class BasePrediction(Published, frozen=True, tag_field="type"):
    """Fields that the predictions of a stream and those of its people share."""

    schema: int
    """Version of the wire protocol: 1."""
    session: str
    """Random identifier of the session, new at every start of the runtime."""
    stream: str
    """Name of the stream."""
    seq: int
    """Sequence number of the topic's predictions, from 0; a gap is a message that the subscriber missed."""
    t_start: int
    """Capture time of the oldest audio sample or frame in the window, in nanoseconds of Unix time."""
    t_end: int
    """Capture time of the newest audio sample or frame in the window, in nanoseconds of Unix time."""
    t_publish: int
    """Time at which the message was sent, in nanoseconds of Unix time."""
    mono_start: int
    """Time `t_start`, in nanoseconds of CLOCK_MONOTONIC."""
    mono_end: int
    """Time `t_end`, in nanoseconds of CLOCK_MONOTONIC."""
    mono_publish: int
    """Time `t_publish`, in nanoseconds of CLOCK_MONOTONIC."""
    label: str
    """Most probable of `labels`, or `uncertain` if the window has no evidence."""
    labels: list[str]
    """All labels of the bundle."""
    probs: list[float]
    """Calibrated probabilities, 0 to 1, in the order of `labels`."""
    confidence: float
    """Probability of `label`, 0 to 1; for `uncertain`, the highest of `probs`."""
    agreement: float | None
    """Cosine similarity of the audio and video embeddings (AVEL), -1 to 1; null if audio or video is missing, with
    audio that is `no_speech` too."""
    audio: AudioEvidence
    """Audio that the prediction is based on."""
    video: VideoEvidence
    """Video that the prediction is based on."""
    latency_ms: Latency
    """Time spent on the prediction by stage, in milliseconds."""
    dropped: dict[str, int]
    """Number of items of the stream dropped since the start, by drop reason."""
    bundle: str
    """Name and version of the bundle."""
    backend: str
    """Inference backend, such as `onnxruntime-cpu`."""


class Prediction(BasePrediction, frozen=True, tag="prediction"):
    """Topic `emotion.<stream>.`: the emotion that voice and face appear to show, one prediction per hop.

    A window without evidence, in which the audio is missing or `no_speech` and no face was seen, says no emotion: its
    label is `uncertain`, its probabilities are equal. Only a bundle with `voice` in its manifest knows such windows.

    With `--people` above 1 it is about the main person: the one who speaks, else the largest, and it changes slowly.
    """

    person: int | None = None
    """Number of the main person, as in PersonSeen; null if there is none, and unless `--people` is above 1."""


class PersonPrediction(BasePrediction, frozen=True, tag="person"):
    """Topic `person.<stream>.<person>.`: a prediction of one of several people, only with `--people` above 1.

    One a hop for each person who is there, the main person too; all of a hop have the `t_end` of the stream's own.
    Video is that person's face; audio is the stream's where the voice is that person's. The last message of a person is
    no longer repeated to new subscribers once the person has left.
    """

    person: int
    """Number of the person, as in PersonSeen."""
    steady: str
    """The person's label after smoothing, hysteresis and a minimum dwell, as in SteadyState; or `uncertain`."""


class SteadyState(Published, frozen=True, tag_field="type", tag="event"):
    """Topic `event.<stream>.`: the label after smoothing, hysteresis and a minimum dwell, published on every change."""

    schema: int
    """Version of the wire protocol: 1."""
    session: str
    """Random identifier of the session, new at every start of the runtime."""
    stream: str
    """Name of the stream."""
    seq: int
    """Sequence number of the stream's events, from 0; a gap is a message that the subscriber missed."""
    t_since: int
    """End of the window that caused the change, in nanoseconds of Unix time."""
    t_publish: int
    """Time at which the message was sent, in nanoseconds of Unix time."""
    mono_since: int
    """Time `t_since`, in nanoseconds of CLOCK_MONOTONIC."""
    mono_publish: int
    """Time `t_publish`, in nanoseconds of CLOCK_MONOTONIC."""
    label: str
    """New label: one of `labels`, or `uncertain` if none stands out or the window has no evidence."""
    previous: str | None
    """Label before the change; null in the stream's first event."""
    labels: list[str]
    """All labels of the bundle."""
    probs: list[float]
    """Smoothed probabilities, 0 to 1, in the order of `labels`."""
    confidence: float
    """Smoothed probability of `label`, 0 to 1; for `uncertain`, the highest of `probs`."""


class Status(Published, frozen=True, tag_field="type", tag="status"):
    """Topic `status.<stream>.`: the state of a stream, published on every change and every second as a heartbeat.

    The first status is published once each modality asked for has delivered, or has become `lost`.
    """

    schema: int
    """Version of the wire protocol: 1."""
    session: str
    """Random identifier of the session, new at every start of the runtime."""
    stream: str
    """Name of the stream."""
    seq: int
    """Sequence number of the stream's statuses, from 0; a gap is a message that the subscriber missed."""
    t_publish: int
    """Time at which the message was sent, in nanoseconds of Unix time."""
    mono_publish: int
    """Time `t_publish`, in nanoseconds of CLOCK_MONOTONIC."""
    state: StreamState
    """State of the stream. `online`: every modality asked for delivers. `degraded`: one of them is lost. `lost`: all
    of them are lost. `stopped`: the stream has ended."""
    audio: AudioState
    """Current state of the audio, as in AudioEvidence."""
    video: VideoState
    """Current state of the video, as in VideoEvidence."""
    hop_s: float
    """Time between two predictions of the stream, in seconds: the configured hop, or the one that `--hop auto` has
    chosen."""
    dropped: dict[str, int]
    """Number of items of the stream dropped since the start, by drop reason."""
    people: list[int] = []
    """Numbers of the people who are there, as in PersonSeen; empty unless `--people` is above 1."""
    came: list[int] = []
    """Numbers of the people who came since the status before."""
    left: list[int] = []
    """Numbers of the people who left since the status before: they have not been seen for 2 s."""


class Stats(Published, frozen=True, tag_field="type", tag="stats"):
    """Topic `stats.`: figures of the whole runtime, published every second."""

    schema: int
    """Version of the wire protocol: 1."""
    session: str
    """Random identifier of the session, new at every start of the runtime."""
    seq: int
    """Sequence number of the stats, from 0; a gap is a message that the subscriber missed."""
    t_publish: int
    """Time at which the message was sent, in nanoseconds of Unix time."""
    mono_publish: int
    """Time `t_publish`, in nanoseconds of CLOCK_MONOTONIC."""
    uptime_s: float
    """Time since the start, in seconds."""
    hop_s: float
    """Time between two predictions of a stream, in seconds."""
    busy: float
    """Share of the time since the previous stats, 0 to 1, in which the inference thread worked."""
    predictions: int
    """Number of predictions published since the start, of all streams."""
    queues: dict[str, int]
    """Number of items waiting now, by queue: `frames`, `blocks` and `messages`."""
    dropped: dict[str, int]
    """Number of items dropped since the start, of all streams, by drop reason."""


class CameraPicture(Published, frozen=True, tag_field="type", tag="picture"):
    """Topic `picture.<stream>.`: a small picture of what the camera sees, published only with `--show-picture`.

    At most two a second. They go to subscribers alone, and are neither printed, counted, recorded nor bridged.
    """

    schema: int
    """Version of the wire protocol: 1."""
    session: str
    """Random identifier of the session, new at every start of the runtime."""
    stream: str
    """Name of the stream."""
    seq: int
    """Sequence number of the stream's pictures, from 0; a gap is a message that the subscriber missed."""
    t_capture: int
    """Capture time of the frame, in nanoseconds of Unix time."""
    t_publish: int
    """Time at which the message was sent, in nanoseconds of Unix time."""
    mono_capture: int
    """Time `t_capture`, in nanoseconds of CLOCK_MONOTONIC."""
    mono_publish: int
    """Time `t_publish`, in nanoseconds of CLOCK_MONOTONIC."""
    jpeg: bytes
    """The frame as a JPEG, its sides at most 320 pixels; in JSON as base64."""
    width: int
    """Width of the camera's frame, in pixels."""
    height: int
    """Height of the camera's frame, in pixels."""
    faces: int | None
    """Number of faces, as in VideoEvidence."""
    box: Box | None
    """Box of the face used: x, y, width and height, in pixels of the camera's frame; null without a face."""
    people: list[PersonSeen] = []
    """People who are followed in the frame, as in VideoEvidence."""


Message = Prediction | PersonPrediction | SteadyState | Status | Stats | CameraPicture

TOPICS: dict[type[Message], str] = {
    Prediction: "emotion",
    PersonPrediction: "person",
    SteadyState: "event",
    Status: "status",
    Stats: "stats",
    CameraPicture: "picture",
}


def topic(message: Message) -> bytes:
    """Return the topic, the first part of a message; the final dot keeps `cam1` from matching `cam10`."""
    if isinstance(message, PersonPrediction):
        return person_topic(message.stream, message.person)
    name = TOPICS[type(message)]
    if isinstance(message, Stats):
        return f"{name}.{message.node.name}.".encode() if message.node else f"{name}.".encode()
    return f"{name}.{message.stream}.".encode()


def people_topic(stream: str) -> bytes:
    """Return what the topics of all people of a stream begin with."""
    return f"{TOPICS[PersonPrediction]}.{stream}.".encode()


def person_topic(stream: str, person: int) -> bytes:
    """Return the topic of the predictions of one person of a stream."""
    return people_topic(stream) + f"{person}.".encode()


def encode(message: Message, wire_format: WireFormat) -> bytes:
    """Return the second part of a message: the message as one map."""
    return msgspec.msgpack.encode(message) if wire_format == "msgpack" else msgspec.json.encode(message)


def decode(body: bytes) -> Message:
    """Return the message in a second part of either format, which its first byte tells.

    Raises msgspec.MsgspecError if the part holds no message of this version.
    """
    module = msgspec.json if body[:1] == b"{" else msgspec.msgpack
    message: Message = module.decode(body, type=Message)
    return message
