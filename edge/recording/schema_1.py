"""Reader of recordings of schema 1, which 0.1.0 wrote: a folder of `session.json`, `messages.bin` and `steps.bin`.

    file   = MAGIC record*
    record = length u32, crc32 of the payload u32, crc32 of those eight bytes u32, payload      (little endian)

A payload is MessagePack: audio is float32 in zlib, frames are PNG. A last record that is not whole, or of which only
zeros have reached the disk, is a torn tail: it is left out. Anything else that does not check is damage, and refused.
"""

import logging
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import msgspec
from msgspec import Meta

from ..errors import SourceError
from ..live.inbox import Delivery, LoopInput
from ..preprocess.media import Block, Discontinuity, Frame, Media, Samples
from ..system.files import check_file, is_there
from ..validation import UNREADABLE, explain
from .foxglove import to_pixels
from .mcap_records import damaged, is_blank
from .metadata import METADATA, SHORTEST_HOP_NS, Ns, RunMetadata, decode_metadata
from .records import Count, End, Gap, SentMessage, to_samples

MESSAGES = "messages.bin"
INPUTS = "steps.bin"
LARGEST_METADATA = 1 << 20
"""Largest size of `session.json`, in bytes; that of a few streams has one or two thousand."""
MAGIC = b"foalrec\x01"
HEADER = struct.Struct("<III")
CHECKED = struct.Struct("<II")
"""Part of a header that its own checksum covers."""
MOST_SAMPLES = 1 << 24
"""Largest number of samples in a block."""

log = logging.getLogger(__name__)


class SentRecord(msgspec.Struct, frozen=True, tag="message"):
    """Record of a message."""

    mono_ns: Ns
    topic: bytes
    body: bytes


class GapRecord(msgspec.Struct, frozen=True, tag="gap"):
    """Record of a gap."""

    lost: Annotated[int, Meta(ge=1)]


class EndRecord(msgspec.Struct, frozen=True, tag="end"):
    """Record of the run's end."""


class BlockRecord(msgspec.Struct, frozen=True, tag="block"):
    """Record of a `Block`."""

    end_ns: Ns
    count: Annotated[int, Meta(ge=0, le=MOST_SAMPLES)]
    """Number of samples."""
    deflated: bytes
    """Samples, float32 little endian, in zlib."""


class FrameRecord(msgspec.Struct, frozen=True, tag="frame"):
    """Record of a `Frame`."""

    end_ns: Ns
    png: bytes


class DiscontinuityRecord(msgspec.Struct, frozen=True, tag="discontinuity"):
    """Record of a `Discontinuity`."""

    end_ns: Ns


MediaRecord = BlockRecord | FrameRecord | DiscontinuityRecord


class DeliveryRecord(msgspec.Struct, frozen=True):
    """Record of a `Delivery`."""

    stream: Count
    media: MediaRecord | None = msgspec.field(name="event")


class StepRecord(msgspec.Struct, frozen=True, tag="step"):
    """Record of a `LoopInput`."""

    now_ns: Ns
    unix_ahead_ns: Ns
    hop_ns: Annotated[int, Meta(ge=SHORTEST_HOP_NS, le=2**63 - 1)]
    deliveries: list[DeliveryRecord] = msgspec.field(name="arrivals")
    dropped: list[dict[str, int]]


def read_metadata(folder: Path) -> RunMetadata:
    """Read `session.json`; SourceError where it is damaged or of another version."""
    path = folder / METADATA
    check_file(path, "give a recording's folder", SourceError)
    with path.open("rb") as file:
        text = file.read(LARGEST_METADATA + 1)
    return decode_metadata(text, str(path), schema=1)


def has_inputs(folder: Path) -> bool:
    """Return whether audio and video were recorded."""
    return is_there(folder / INPUTS, SourceError)


def read_messages(folder: Path) -> Iterator[SentMessage | Gap | End]:
    """Yield each message as sent; see `reader.read_messages`."""
    for _, record in decode_records(folder / MESSAGES, SentRecord | GapRecord | EndRecord):
        if isinstance(record, SentRecord):
            yield SentMessage(record.mono_ns, record.topic, record.body)
        else:
            yield to_mark(record)


def read_inputs(folder: Path, streams: int) -> Iterator[LoopInput | Gap | End]:
    """Yield each input of the loop; see `reader.read_inputs`."""
    path = folder / INPUTS
    for offset, record in decode_records(path, StepRecord | GapRecord | EndRecord):
        if not isinstance(record, StepRecord):
            yield to_mark(record)
            continue
        if len(record.dropped) != streams or any(delivery.stream >= streams for delivery in record.deliveries):
            raise damaged(path, offset, f"it is not a step of {streams} streams, as the session has")
        try:
            deliveries = [Delivery(delivery.stream, to_media(delivery.media)) for delivery in record.deliveries]
        except ValueError as error:
            raise damaged(path, offset, str(error)) from error
        yield LoopInput(record.now_ns, record.unix_ahead_ns, record.hop_ns, deliveries, record.dropped)


def to_mark(record: GapRecord | EndRecord) -> Gap | End:
    """Return a mark."""
    return Gap(record.lost) if isinstance(record, GapRecord) else End()


def to_media(item: MediaRecord | None) -> Media | None:
    """Return the recorded item of media; ValueError where the bytes are not what the record says."""
    if item is None:
        return None
    if isinstance(item, DiscontinuityRecord):
        return Discontinuity(item.end_ns)
    if isinstance(item, BlockRecord):
        return Block(inflate_samples(item), item.end_ns)
    return Frame(to_pixels(item.png), item.end_ns)


def inflate_samples(block: BlockRecord) -> Samples:
    """Return float32 `[n]`; no more is inflated than the record says."""
    inflater = zlib.decompressobj()
    try:
        inflated = inflater.decompress(block.deflated, 4 * block.count + 1)
    except zlib.error as error:
        raise ValueError(f"its audio cannot be inflated ({error})") from error
    if len(inflated) != 4 * block.count or not inflater.eof:
        raise ValueError(f"its audio is not {block.count} samples")
    return to_samples(inflated)


def decode_records(path: Path, kinds: Any) -> Iterator[tuple[int, Any]]:
    """Yield offset and content of each record; a missing end is logged."""
    decoder = msgspec.msgpack.Decoder(kinds)
    count = 0
    for offset, payload in read_records(path):
        try:
            record = decoder.decode(payload)
        except UNREADABLE as error:
            problem = f"the content cannot be decoded ({explain(error, payload, kinds)})"
            raise damaged(path, offset, problem) from error
        count += 1
        yield offset, record
        if isinstance(record, EndRecord):
            return
    log.warning("%s breaks off after %d records; what is there is read", path, count)


def read_records(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield each record's offset and payload; SourceError at the first damage in the file."""
    check_file(path, "give a recording's folder", SourceError)
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        begin = file.read(len(MAGIC))
        if begin != MAGIC[: len(begin)]:
            raise SourceError(f"{path} is no recording of this version: it begins with {begin!r}, not {MAGIC!r}")
        while (offset := file.tell()) < size:
            payload = read_record(file, path, offset, size)
            if payload is None:
                return
            yield offset, payload


def read_record(file: BinaryIO, path: Path, offset: int, size: int) -> bytes | None:
    """Read the payload at `offset`, None for a torn tail; no more memory is taken than the file is long."""
    header = file.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    length, checksum, own_checksum = HEADER.unpack(header)
    if zlib.crc32(header[: CHECKED.size]) != own_checksum:
        if is_blank(file):
            return None
        raise damaged(path, offset, "the length does not match its checksum")
    if offset + HEADER.size + length > size:
        return None
    payload = file.read(length)
    if zlib.crc32(payload) != checksum:
        if is_blank(file):
            return None
        raise damaged(path, offset, "the content does not match its checksum")
    return payload
