"""Lossless records of messages as they were sent, and of the loop's inputs that led to them.

Audio is float32 in zlib; frames are PNG, whose run-length strategy is somewhat quicker than its default, and its
files smaller, on what cameras deliver.
"""

import struct
import zlib
from typing import Annotated

import cv2
import msgspec
import numpy as np
from msgspec import Meta

from ..live.inbox import Delivery, LoopInput
from ..preprocess.images import Image
from ..preprocess.media import Block, Discontinuity, Frame, Media, Samples
from ..wire.messages import Message, WireFormat, encode, topic
from .metadata import SHORTEST_HOP_NS, Ns

PNG = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
PNG_SIZE = struct.Struct(">8x8xII")
"""Layout of the width and height in a PNG's first bytes."""
LARGEST_SIDE = 1 << 13
"""Largest height and width of a frame, in pixels."""
MOST_SAMPLES = 1 << 24
"""Largest number of samples in a block."""

Count = Annotated[int, Meta(ge=0)]


class SentMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="message"):
    """Record of a message, as it was sent."""

    mono_ns: Ns
    """Time of publishing: the message's `mono_publish`."""
    topic: bytes
    body: bytes


class BlockRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="block"):
    """Record of a `Block`."""

    end_ns: Ns
    count: Annotated[int, Meta(ge=0, le=MOST_SAMPLES)]
    """Number of samples."""
    deflated: bytes
    """Samples, float32 little endian, in zlib."""


class FrameRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="frame"):
    """Record of a `Frame`."""

    end_ns: Ns
    height: Annotated[int, Meta(ge=1, le=LARGEST_SIDE)]
    width: Annotated[int, Meta(ge=1, le=LARGEST_SIDE)]
    png: bytes


class DiscontinuityRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="discontinuity"):
    """Record of a `Discontinuity`."""

    end_ns: Ns


MediaRecord = BlockRecord | FrameRecord | DiscontinuityRecord


class DeliveryRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Record of a `Delivery`."""

    stream: Count
    media: MediaRecord | None = msgspec.field(name="event")


class LoopInputRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="step"):
    """Record of a `LoopInput`."""

    now_ns: Ns
    unix_ahead_ns: Ns
    hop_ns: Annotated[int, Meta(ge=SHORTEST_HOP_NS, le=2**63 - 1)]
    deliveries: list[DeliveryRecord] = msgspec.field(name="arrivals")
    dropped: list[dict[str, int]]


class Gap(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="gap"):
    """Record of a gap: here the disk was too slow."""

    lost: Annotated[int, Meta(ge=1)]
    """Number of missing records."""


class End(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="end"):
    """Record of the run's end: nothing after it is missing."""


def pack(thing: Message | LoopInput | Gap | End, wire_format: WireFormat) -> bytes:
    """Return the payload of a record."""
    if isinstance(thing, LoopInput):
        return msgspec.msgpack.encode(pack_input(thing))
    if isinstance(thing, Gap | End):
        return msgspec.msgpack.encode(thing)
    return msgspec.msgpack.encode(SentMessage(thing.mono_publish, topic(thing), encode(thing, wire_format)))


def pack_input(loop_input: LoopInput) -> LoopInputRecord:
    """Return an input of the loop with its media in bytes."""
    deliveries = [DeliveryRecord(delivery.stream, pack_media(delivery.media)) for delivery in loop_input.deliveries]
    return LoopInputRecord(
        loop_input.now_ns, loop_input.unix_ahead_ns, loop_input.hop_ns, deliveries, loop_input.dropped
    )


def pack_media(item: Media | None) -> MediaRecord | None:
    """Return an item of media in bytes."""
    if item is None:
        return None
    if isinstance(item, Discontinuity):
        return DiscontinuityRecord(item.end_ns)
    if isinstance(item, Block):
        samples = item.samples.astype("<f4")
        return BlockRecord(item.end_ns, len(samples), zlib.compress(samples.tobytes(), 1))
    image = item.image
    height, width = image.shape[:2]
    _, png = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), PNG)
    return FrameRecord(item.end_ns, height, width, png.tobytes())


def unpack_input(record: LoopInputRecord) -> LoopInput:
    """Return the recorded input; ValueError where the bytes are not what the record says."""
    deliveries = [Delivery(delivery.stream, unpack_media(delivery.media)) for delivery in record.deliveries]
    return LoopInput(record.now_ns, record.unix_ahead_ns, record.hop_ns, deliveries, record.dropped)


def unpack_media(item: MediaRecord | None) -> Media | None:
    """Return the recorded item of media."""
    if item is None:
        return None
    if isinstance(item, DiscontinuityRecord):
        return Discontinuity(item.end_ns)
    if isinstance(item, BlockRecord):
        return Block(unpack_samples(item), item.end_ns)
    return Frame(unpack_image(item), item.end_ns)


def unpack_samples(block: BlockRecord) -> Samples:
    """Return float32 `[n]`; no more is inflated than the record says."""
    inflater = zlib.decompressobj()
    try:
        inflated = inflater.decompress(block.deflated, 4 * block.count + 1)
    except zlib.error as error:
        raise ValueError(f"its audio cannot be inflated ({error})") from error
    if len(inflated) != 4 * block.count or not inflater.eof:
        raise ValueError(f"its audio is not {block.count} samples")
    return np.frombuffer(inflated, "<f4").astype(np.float32)


def unpack_image(frame: FrameRecord) -> Image:
    """Return uint8 `[H, W, 3]` RGB; the size is checked before memory is taken for it."""
    expected = frame.width, frame.height
    if len(frame.png) < PNG_SIZE.size or PNG_SIZE.unpack_from(frame.png) != expected:
        raise ValueError(f"its frame is no PNG of {frame.width} x {frame.height} pixels")
    image = cv2.imdecode(np.frombuffer(frame.png, np.uint8), cv2.IMREAD_COLOR)
    if image is None or image.shape != (frame.height, frame.width, 3):
        raise ValueError(f"its frame is no PNG of {frame.width} x {frame.height} pixels")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
