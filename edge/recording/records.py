"""What the records hold: messages as they were sent, and the steps by which they came about, nothing lost.

Sound is float32 in zlib; pictures are PNG, whose run-length strategy is somewhat quicker than its default, and its
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
from ..preprocess.framing import Image
from ..preprocess.media import Block, Discontinuity, Frame, Media, Samples
from ..wire.messages import Message, WireFormat, encode, topic
from .metadata import SHORTEST_HOP_NS, Ns

PNG = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
PNG_SIZE = struct.Struct(">8x8xII")
"""Where a PNG's first bytes have its width and height."""
LARGEST_SIDE = 1 << 13
"""Of a picture, in pixels."""
MOST_SAMPLES = 1 << 24
"""Of a block."""

Count = Annotated[int, Meta(ge=0)]


class SentMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="message"):
    """One message, as it was sent."""

    mono_ns: Ns
    """When: its `mono_publish`."""
    topic: bytes
    body: bytes


class BlockRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="block"):
    """A `Block`."""

    end_ns: Ns
    count: Annotated[int, Meta(ge=0, le=MOST_SAMPLES)]
    """Samples."""
    deflated: bytes
    """They, float32 little endian, in zlib."""


class FrameRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="frame"):
    """A `Frame`."""

    end_ns: Ns
    height: Annotated[int, Meta(ge=1, le=LARGEST_SIDE)]
    width: Annotated[int, Meta(ge=1, le=LARGEST_SIDE)]
    png: bytes


class BegunAnew(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="discontinuity"):
    """A `Discontinuity`."""

    end_ns: Ns


Arriving = BlockRecord | FrameRecord | BegunAnew


class Arrived(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An `Arrival`."""

    stream: Count
    media: Arriving | None = msgspec.field(name="event")


class TakenStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="step"):
    """A `Step`."""

    now_ns: Ns
    unix_ahead_ns: Ns
    hop_ns: Annotated[int, Meta(ge=SHORTEST_HOP_NS, le=2**63 - 1)]
    deliveries: list[Arrived] = msgspec.field(name="arrivals")
    dropped: list[dict[str, int]]


class Gap(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="gap"):
    """Here the disk was too slow."""

    lost: Annotated[int, Meta(ge=1)]
    """Records that are missing."""


class End(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="end"):
    """The run has ended, and nothing after this is missing."""


def pack(thing: Message | LoopInput | Gap | End, wire_format: WireFormat) -> bytes:
    """A record's payload."""
    if isinstance(thing, LoopInput):
        return msgspec.msgpack.encode(pack_step(thing))
    if isinstance(thing, Gap | End):
        return msgspec.msgpack.encode(thing)
    return msgspec.msgpack.encode(SentMessage(thing.mono_publish, topic(thing), encode(thing, wire_format)))


def pack_step(step: LoopInput) -> TakenStep:
    """A step with its sound and pictures in bytes."""
    deliveries = [Arrived(delivery.stream, pack_media(delivery.media)) for delivery in step.deliveries]
    return TakenStep(step.now_ns, step.unix_ahead_ns, step.hop_ns, deliveries, step.dropped)


def pack_media(item: Media | None) -> Arriving | None:
    """An event in bytes."""
    if item is None:
        return None
    if isinstance(item, Discontinuity):
        return BegunAnew(item.end_ns)
    if isinstance(item, Block):
        samples = item.samples.astype("<f4")
        return BlockRecord(item.end_ns, len(samples), zlib.compress(samples.tobytes(), 1))
    height, width = item.image.shape[:2]
    _, png = cv2.imencode(".png", cv2.cvtColor(item.image, cv2.COLOR_RGB2BGR), PNG)
    return FrameRecord(item.end_ns, height, width, png.tobytes())


def unpack_step(taken: TakenStep) -> LoopInput:
    """The step again; ValueError where its bytes are none of what they are said to be."""
    deliveries = [Delivery(arrived.stream, unpack_media(arrived.media)) for arrived in taken.deliveries]
    return LoopInput(taken.now_ns, taken.unix_ahead_ns, taken.hop_ns, deliveries, taken.dropped)


def unpack_media(item: Arriving | None) -> Media | None:
    """The event again."""
    if item is None:
        return None
    if isinstance(item, BegunAnew):
        return Discontinuity(item.end_ns)
    if isinstance(item, BlockRecord):
        return Block(unpack_samples(item), item.end_ns)
    return Frame(unpack_image(item), item.end_ns)


def unpack_samples(block: BlockRecord) -> Samples:
    """float32 `[n]`; no more is inflated than the block is said to have."""
    inflater = zlib.decompressobj()
    try:
        inflated = inflater.decompress(block.deflated, 4 * block.count + 1)
    except zlib.error as error:
        raise ValueError(f"its sound cannot be inflated ({error})") from error
    if len(inflated) != 4 * block.count or not inflater.eof:
        raise ValueError(f"its sound is not {block.count} samples")
    return np.frombuffer(inflated, "<f4").astype(np.float32)


def unpack_image(frame: FrameRecord) -> Image:
    """uint8 `[H, W, 3]` RGB; its size is looked at before room is made for it."""
    expected = frame.width, frame.height
    if len(frame.png) < PNG_SIZE.size or PNG_SIZE.unpack_from(frame.png) != expected:
        raise ValueError(f"its picture is no PNG of {frame.width} x {frame.height} pixels")
    image = cv2.imdecode(np.frombuffer(frame.png, np.uint8), cv2.IMREAD_COLOR)
    if image is None or image.shape != (frame.height, frame.width, 3):
        raise ValueError(f"its picture is no PNG of {frame.width} x {frame.height} pixels")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
