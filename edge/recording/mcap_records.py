"""Reader of one MCAP file, in the order in which it was written, also where its end is missing.

A record that is cut off, or of which only zeros have reached the disk, is a torn tail: it is left out. Anything else
that does not check is damage, and refused. No more memory is taken than the file is long, and `LARGEST_CHUNK` for a
chunk, whatever the file says: the reader that comes with mcap believes what is written in it.
"""

import os
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import lz4.frame
import zstandard
from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Attachment, Channel, Chunk, DataEnd, McapRecord, Message, Schema
from mcap.stream_reader import breakup_chunk
from mcap.writer import MCAP0_MAGIC

from ..errors import SourceError
from ..system.files import check_file, is_there

HEADER = struct.Struct("<BQ")
"""Layout of a record's first bytes: its kind and its length."""
LARGEST_CHUNK = 1 << 28
"""Largest chunk, in bytes: twice the largest message."""
CHECKSUM = struct.Struct("<I")
READERS: dict[int, Callable[[ReadDataStream], McapRecord]] = {
    Opcode.SCHEMA: Schema.read,
    Opcode.CHANNEL: Channel.read,
    Opcode.ATTACHMENT: Attachment.read,
    Opcode.DATA_END: DataEnd.read,
}
"""Functions that read a record, by its kind; chunks and messages are read too."""
KNOWN = frozenset(Opcode)
PRIVATE = 0x80
"""Kind from which on others may define their own: they are passed over."""
PIECE = 1 << 16
"""Number of bytes read at once in a search for anything but zeros."""
MALFORMED = (McapError, ValueError, OverflowError, struct.error, zstandard.ZstdError, RuntimeError)
"""Errors of content that is not what it is said to be; lz4 raises RuntimeError."""


def read_file(path: Path) -> Iterator[tuple[int, McapRecord]]:
    """Yield the records of a file, and of its chunks, with their offsets; SourceError at the first damage."""
    if is_there(path, SourceError):
        check_file(path, "give a recording", SourceError)
    try:
        file = path.open("rb")
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror}; give a recording") from error
    with file:
        size = os.fstat(file.fileno()).st_size
        begin = file.read(len(MCAP0_MAGIC))
        if begin != MCAP0_MAGIC[: len(begin)]:
            raise SourceError(f"{path} is no recording: it begins with {begin!r}, as no MCAP file does")
        checksum = zlib.crc32(begin)
        while (offset := file.tell()) < size:
            header = file.read(HEADER.size)
            if len(header) < HEADER.size:
                return
            code, length = HEADER.unpack(header)
            if code == 0 and not any(header) and is_blank(file):
                return
            if code not in KNOWN and code < PRIVATE:
                raise damaged(path, offset, f"kind {code} is unknown")
            if length > size - file.tell():
                if ends_whole(file, size):
                    raise damaged(path, offset, f"it says that it has {length} bytes, more than the file")
                return
            content = file.read(length)
            try:
                records = parse(code, content)
            except MALFORMED as error:
                if is_blank(file):
                    return
                raise damaged(path, offset, f"its content cannot be read ({error})") from error
            for record in records:
                if isinstance(record, DataEnd) and record.data_section_crc not in (0, checksum):
                    if is_blank(file):
                        return
                    raise damaged(path, offset, "what stands before it does not match its checksum")
                yield offset, record
            if code == Opcode.DATA_END:
                return
            checksum = zlib.crc32(content, zlib.crc32(header, checksum))


def parse(code: int, content: bytes) -> list[McapRecord]:
    """Return what a record holds, those of a chunk one by one; nothing for what only serves as an index."""
    stream = ReadDataStream(BytesIO(content))
    if code == Opcode.CHUNK:
        return parse_chunk(Chunk.read(stream))
    if code == Opcode.MESSAGE:
        return [Message.read(stream, len(content))]
    if code == Opcode.ATTACHMENT and zlib.crc32(content[:-4]) != CHECKSUM.unpack(content[-4:])[0]:
        raise ValueError("an attachment does not match its checksum")
    return [READERS[code](stream)] if code in READERS else []


def parse_chunk(chunk: Chunk) -> list[McapRecord]:
    """Return the records of a chunk, inflated no further than its size is said to be, and checked."""
    if chunk.uncompressed_size > LARGEST_CHUNK:
        raise ValueError(f"a chunk of {chunk.uncompressed_size} bytes, at most {LARGEST_CHUNK} are expected")
    inflated = inflate(chunk.compression, chunk.data, chunk.uncompressed_size + 1)
    if len(inflated) != chunk.uncompressed_size:
        raise ValueError(f"a chunk is not {chunk.uncompressed_size} bytes, as it says")
    return breakup_chunk(replace(chunk, compression="", data=inflated), validate_crc=True)


def inflate(compression: str, data: bytes, most_bytes: int) -> bytes:
    """Return up to a number of bytes of what was compressed."""
    if compression == "zstd":
        with zstandard.ZstdDecompressor().stream_reader(data) as reader:
            return reader.read(most_bytes)
    if compression == "lz4":
        inflated: bytes = lz4.frame.LZ4FrameDecompressor().decompress(data, most_bytes)
        return inflated
    if compression == "":
        return data
    raise ValueError(f"compression {compression!r} is unknown")


def is_blank(file: BinaryIO) -> bool:
    """Return whether only zeros follow: a power cut leaves them where data had not reached the disk yet."""
    while piece := file.read(PIECE):
        if any(piece):
            return False
    return True


def ends_whole(file: BinaryIO, size: int) -> bool:
    """Return whether a file ends as one that was finished."""
    file.seek(size - len(MCAP0_MAGIC))
    return file.read() == MCAP0_MAGIC


def damaged(path: Path, offset: int, problem: str) -> SourceError:
    """Return an error that names the damaged record."""
    return SourceError(f"{path} is damaged: of the record at byte {offset}, {problem}; take the recording again")
