"""The wire, version 1: what is published, as typed structs in MessagePack or JSON.

A message is two frames: the topic, which ends with a dot, and one map. Times are integer nanoseconds; those with
`mono` in their name are CLOCK_MONOTONIC of the publishing machine, the others unix time. Of a recording that is not
played in its own time (`--fast`) all are nanoseconds from its beginning.

Subscribe with SUB sockets, to topics of at most 100 bytes. Who joins gets the last message of each topic by a way on
which an XSUB socket that is there already gets it too, whatever it asked for: with one, look at the topic.
"""

from typing import Literal

import msgspec

from ..geometry import Box

SCHEMA = 1

DROP_REASONS = {
    "frames_overload": "frames captured quicker than they could be encoded",
    "blocks_overload": "sound captured quicker than it could be taken in",
    "samples_not_finite": "samples that were no numbers, or far beyond full scale, and are taken for silence",
    "packets_damaged": "pieces of a recording that could not be decoded",
    "windows_late": "windows overtaken by a later one that was due as well",
    "windows_empty": "windows without any evidence: every modality lost",
    "windows_not_finite": "windows of which the model, or a level, gave a number that is not finite",
    "frames_failed": "frames that could not be framed",
    "frames_not_finite": "frames to which the model gave an embedding that is not finite",
    "frames_stale": "frames more than a second old when the driver gave them",
    "messages_queue": "messages produced quicker than they could be sent, of all streams",
    "messages_stale": "messages overtaken by a stop of the program or a suspension of the machine, of all streams",
}
OF_ALL_STREAMS = ("messages_queue", "messages_stale")
"""Reasons that the publisher counts, once for all streams: each of them tells the same number."""

UNCERTAIN = "uncertain"
"""The label of a steady state in which none of the bundle's stands out."""

AudioState = Literal["ok", "silent", "clipping", "lost", "off"]
VideoState = Literal["ok", "no_face", "dark", "lost", "off"]
StreamState = Literal["online", "degraded", "lost", "stopped"]
WireFormat = Literal["msgpack", "json"]


class AudioEvidence(msgspec.Struct, frozen=True):
    """What a prediction stood on, of the sound."""

    state: AudioState
    """`silent` is digital silence for a second (muted); `clipping` a thousandth of the last second at full scale or
    beyond; `lost` no block yet, or none for 0.5 s; `off` not asked for."""
    rms_dbfs: float | None
    """Level of the window's sound; null where there is none or it is digital silence."""
    speech: float | None
    """Share (0 to 1) of the window's 20 ms pieces that stand 10 dB above its quietest tenth and above -50 dBFS."""


class VideoEvidence(msgspec.Struct, frozen=True):
    """What a prediction stood on, of the picture."""

    state: VideoState
    """`no_face` frames arrive, none in the window shows a face; `dark` the newest frame is black (lens covered); `lost`
    no frame yet, none for 1 s, or none that can be used; `off` not asked for."""
    faces: int | None
    """Found when the whole picture was searched last, at most 2 s before; null with whole framing."""
    box: Box | None
    """x, y, width, height of the face used in the newest frame, pixels of the camera's picture."""
    frames: int
    """Embeddings in the window."""


class Latency(msgspec.Struct, frozen=True):
    """Milliseconds spent on this window."""

    encode_video: float
    """Framing and image encoder, for the frames new since the last window."""
    encode_audio: float
    """Audio encoder, for all streams' windows that went through it together."""
    fuse: float
    """Fusion, likewise."""
    total: float
    """`mono_publish - mono_end`."""


class Prediction(msgspec.Struct, frozen=True, tag_field="type", tag="prediction"):
    """Topic `emotion.<stream>.`: what the person seems to feel, once a hop."""

    schema: int
    """Version of the wire, 1."""
    session: str
    """Random, new at every start of the runtime."""
    stream: str
    """Its name."""
    seq: int
    """Counts this stream's predictions from 0; a gap is a message that the subscriber missed."""
    t_start: int
    """Capture time of the oldest evidence in the window."""
    t_end: int
    """Capture time of the newest evidence in the window."""
    t_publish: int
    """When the message left."""
    mono_start: int
    """As `t_start`."""
    mono_end: int
    """As `t_end`."""
    mono_publish: int
    """As `t_publish`."""
    label: str
    """The most probable one."""
    labels: list[str]
    """The bundle's."""
    probs: list[float]
    """Calibrated, in the order of `labels`."""
    confidence: float
    """The label's probability."""
    agreement: float | None
    """Cosine of the two AVEL embeddings, -1 to 1; null where a modality is missing."""
    audio: AudioEvidence
    video: VideoEvidence
    latency_ms: Latency
    dropped: dict[str, int]
    """Since the start, by reason; see `DROP_REASONS`."""
    bundle: str
    """Name and version."""
    backend: str
    """What ran it, e.g. `onnxruntime-cpu`."""


class SteadyState(msgspec.Struct, frozen=True, tag_field="type", tag="event"):
    """Topic `event.<stream>.`: the label after smoothing, hysteresis and a minimum dwell; sent on every change."""

    schema: int
    """Version of the wire, 1."""
    session: str
    """As in predictions."""
    stream: str
    """Its name."""
    seq: int
    """Counts this stream's events from 0."""
    t_since: int
    """End of the window that brought the change."""
    t_publish: int
    """When the message left."""
    mono_since: int
    """As `t_since`."""
    mono_publish: int
    """As `t_publish`."""
    label: str
    """One of `labels`, or `uncertain`."""
    previous: str | None
    """The label before; null at the first."""
    labels: list[str]
    """The bundle's."""
    probs: list[float]
    """Smoothed, in the order of `labels`."""
    confidence: float
    """The label's smoothed probability; where it is `uncertain` the highest of all."""


class Status(msgspec.Struct, frozen=True, tag_field="type", tag="status"):
    """Topic `status.<stream>.`: on every change, and every second as a heartbeat.

    The first comes once each modality asked for has given something, or has not within the time after which it is lost.
    """

    schema: int
    """Version of the wire, 1."""
    session: str
    """As in predictions."""
    stream: str
    """Its name."""
    seq: int
    """Counts this stream's statuses from 0."""
    t_publish: int
    """When the message left."""
    mono_publish: int
    """As `t_publish`."""
    state: StreamState
    """`degraded`: one modality asked for is lost; `lost`: all are."""
    audio: AudioState
    """As in a prediction's `audio.state`, now."""
    video: VideoState
    """As in a prediction's `video.state`, now."""
    hop_s: float
    """Seconds between predictions: what was asked for, or what `--hop auto` has made of it."""
    dropped: dict[str, int]
    """Since the start, by reason; see `DROP_REASONS`."""


class Stats(msgspec.Struct, frozen=True, tag_field="type", tag="stats"):
    """Topic `stats.`: the whole runtime, every second."""

    schema: int
    """Version of the wire, 1."""
    session: str
    """As in predictions."""
    seq: int
    """Counts these from 0."""
    t_publish: int
    """When the message left."""
    mono_publish: int
    """As `t_publish`."""
    uptime_s: float
    """Seconds since the start."""
    hop_s: float
    """Seconds between predictions."""
    busy: float
    """Share (0 to 1) of the time since the last one in which the inferring thread worked."""
    predictions: int
    """Since the start, of all streams."""
    queues: dict[str, int]
    """Now waiting: `frames`, `blocks`, `messages`."""
    dropped: dict[str, int]
    """Since the start, by reason, of all streams."""


Message = Prediction | SteadyState | Status | Stats

TOPICS: dict[type[Message], str] = {Prediction: "emotion", SteadyState: "event", Status: "status", Stats: "stats"}


def topic(message: Message) -> bytes:
    """The first frame; it ends with a dot so that `cam1` cannot match `cam10`."""
    name = TOPICS[type(message)]
    return f"{name}.".encode() if isinstance(message, Stats) else f"{name}.{message.stream}.".encode()


def encode(message: Message, wire_format: WireFormat) -> bytes:
    """The second frame."""
    return msgspec.msgpack.encode(message) if wire_format == "msgpack" else msgspec.json.encode(message)


def decode(body: bytes) -> Message:
    """Either format, told apart by its first byte; msgspec.MsgspecError where it is neither."""
    module = msgspec.json if body[:1] == b"{" else msgspec.msgpack
    message: Message = module.decode(body, type=Message)
    return message
