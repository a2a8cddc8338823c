"""The wire, version 1: what is published, as typed structs in MessagePack or JSON.

A message is two frames: the topic, which ends with a dot, and one map. Times are integer nanoseconds; those with
`mono` in their name are CLOCK_MONOTONIC of the publishing machine, the others unix time. Of a recording that is not
played in its own time (`--fast`) all are nanoseconds from its beginning.
"""

from typing import Literal

import msgspec

from .framing import Box

SCHEMA = 1

DROP_REASONS = {
    "frames_overload": "frames captured quicker than they could be encoded",
    "blocks_overload": "sound captured quicker than it could be taken in",
    "windows_late": "windows overtaken by a later one that was due as well",
    "windows_empty": "windows without any evidence: every modality lost",
    "messages_queue": "messages produced quicker than they could be sent",
}

AudioState = Literal["ok", "silent", "lost", "off"]
VideoState = Literal["ok", "no_face", "lost", "off"]
StreamState = Literal["online", "degraded", "lost", "stopped"]
WireFormat = Literal["msgpack", "json"]


class AudioEvidence(msgspec.Struct, frozen=True):
    """What a prediction stood on, of the sound."""

    state: AudioState
    """`silent` is digital silence; `lost` no block for 0.5 s; `off` not asked for."""
    rms_dbfs: float | None
    """Level of the window's sound; null where there is none or it is digital silence."""
    speech: float | None
    """Share (0 to 1) of the window's 20 ms pieces that stand 10 dB above its quietest tenth and above -50 dBFS."""


class VideoEvidence(msgspec.Struct, frozen=True):
    """What a prediction stood on, of the picture."""

    state: VideoState
    """`no_face` frames arrive, none in the window shows a face; `lost` no frame for 1 s; `off` not asked for."""
    faces: int | None
    """Found in the newest frame; null with whole framing."""
    box: Box | None
    """x, y, width, height of the face used in the newest frame, pixels of the camera's picture."""
    frames: int
    """Embeddings in the window."""


class Latency(msgspec.Struct, frozen=True):
    """Milliseconds spent on this window."""

    encode_video: float
    """Framing and image encoder, for the frames new since the last window."""
    encode_audio: float
    fuse: float
    total: float
    """`mono_publish - mono_end`."""


class Prediction(msgspec.Struct, frozen=True, tag_field="type", tag="prediction"):
    """Topic `emotion.<stream>.`: what the person seems to feel, once a hop."""

    schema: int
    session: str
    """Random, new at every start of the runtime."""
    stream: str
    seq: int
    """Counts this stream's predictions from 0; a gap is a message that the subscriber missed."""
    t_start: int
    """Capture time of the oldest evidence in the window."""
    t_end: int
    """Capture time of the newest evidence in the window."""
    t_publish: int
    mono_start: int
    mono_end: int
    mono_publish: int
    label: str
    labels: list[str]
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


class Status(msgspec.Struct, frozen=True, tag_field="type", tag="status"):
    """Topic `status.<stream>.`: on every change, and every second as a heartbeat."""

    schema: int
    session: str
    stream: str
    t_publish: int
    mono_publish: int
    state: StreamState
    """`degraded`: one modality asked for is lost; `lost`: all are."""
    audio: AudioState
    video: VideoState
    dropped: dict[str, int]


Message = Prediction | Status

TOPICS: dict[type[Message], str] = {Prediction: "emotion", Status: "status"}


def topic(message: Message) -> bytes:
    """The first frame; it ends with a dot so that `cam1` cannot match `cam10`."""
    return f"{TOPICS[type(message)]}.{message.stream}.".encode()


def encode(message: Message, wire_format: WireFormat) -> bytes:
    """The second frame."""
    return msgspec.msgpack.encode(message) if wire_format == "msgpack" else msgspec.json.encode(message)


def decode(body: bytes) -> Message:
    """Either format, told apart by its first byte; msgspec.MsgspecError where it is neither."""
    module = msgspec.json if body[:1] == b"{" else msgspec.msgpack
    message: Message = module.decode(body, type=Message)
    return message
