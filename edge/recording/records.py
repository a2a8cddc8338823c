"""Content of a recording: messages as they were sent, the steps of the loop that led to them, and marks.

A step is an input of the loop. Its sound stands in it, exactly; its pictures stand before it, in channels of their own.
"""

from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta

from ..preprocess.media import Samples
from .metadata import SHORTEST_HOP_NS, Ns

Count = Annotated[int, Meta(ge=0)]


class SentMessage(msgspec.Struct, frozen=True):
    """A message as it was sent."""

    mono_ns: int
    """Time of publishing: the message's `mono_publish`."""
    topic: bytes
    body: bytes
    """The message as one map, in JSON or, in recordings of 0.1.0, as it went over the wire."""


class Gap(msgspec.Struct, frozen=True):
    """A gap: here the disk was too slow."""

    lost: Annotated[int, Meta(ge=1)]
    """Number of missing records."""


class End(msgspec.Struct, frozen=True):
    """The run's end: nothing after it is missing."""


class StepDelivery(msgspec.Struct, frozen=True, omit_defaults=True):
    """A `Delivery` of a step."""

    stream: Count
    """Index of the stream, in the order of the run's streams."""
    kind: Literal["block", "frame", "discontinuity", "end"]
    """Kind of what was delivered; `end` where the stream has ended."""
    end_ns: Ns = 0
    """Capture time, in nanoseconds of CLOCK_MONOTONIC."""
    samples: bytes = b""
    """Samples of a block, float32 little endian."""
    sequence: Count = 0
    """Sequence number of a frame in its channel."""


class Step(msgspec.Struct, frozen=True):
    """Topic `steps.`: a `LoopInput`, all that a pass of the loop depends on."""

    now_ns: Ns
    """Time of the pass, in nanoseconds of CLOCK_MONOTONIC."""
    unix_ahead_ns: Ns
    """Unix time less CLOCK_MONOTONIC, in nanoseconds."""
    hop_ns: Annotated[int, Meta(ge=SHORTEST_HOP_NS, le=2**63 - 1)]
    """Distance between the ends of windows from now on."""
    deliveries: list[StepDelivery]
    """Deliveries of all streams, in the order of their arrival."""
    dropped: list[dict[str, int]]
    """Items dropped outside the loop since the start, by reason, for each stream."""


class Mark(msgspec.Struct, frozen=True):
    """Topic `recording.`: where the disk was too slow, and the end of the run."""

    kind: Literal["messages_lost", "steps_lost", "end"]
    lost: Count
    """Number of messages or steps that are missing here."""


def to_samples(data: bytes) -> Samples:
    """Return float32 `[n]` from its bytes; ValueError where they are none."""
    return np.frombuffer(data, "<f4").astype(np.float32)
