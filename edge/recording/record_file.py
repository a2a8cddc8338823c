"""Append-only file of records, readable after a crash, a power cut or a full disk.

    file   = MAGIC record*
    record = length u32, crc32 of the payload u32, crc32 of those eight bytes u32, payload      (little endian)

A last record that is not whole, or of which only zeros have reached the disk, is a torn tail: it is left out. Anything
else that does not check is damage, and refused.
"""

import errno
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ..errors import SourceError
from ..system.files import check_file, is_there

MAGIC = b"foalrec\x01"
HEADER = struct.Struct("<III")
CHECKED = struct.Struct("<II")
"""Part of a header that its own checksum covers."""
LARGEST_RECORD = 1 << 30
"""Largest record, in bytes; an input of the loop has a few million, of many streams at most a few hundred million."""
MOST_HELD = 1 << 20
"""Largest number of bytes that wait for `flush`."""
PIECE = 1 << 16
"""Number of bytes read at once in a search for anything but zeros."""


class RecordFile:
    """Writer of a new record file that only its owner may read; OSError where the disk does not take the records."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._held = bytearray(MAGIC)

    def append(self, payload: bytes) -> None:
        """Add a record; it reaches the system with the next `flush`, or when many bytes wait."""
        if len(payload) > LARGEST_RECORD:
            raise OSError(errno.EFBIG, f"a record of {len(payload)} bytes is more than {LARGEST_RECORD}")
        checked = CHECKED.pack(len(payload), zlib.crc32(payload))
        self._held += checked
        self._held += zlib.crc32(checked).to_bytes(4, "little")
        self._held += payload
        if len(self._held) >= MOST_HELD:
            self.flush()

    def flush(self) -> None:
        """Hand everything to the system: from then on it outlives this program."""
        held, self._held = bytes(self._held), bytearray()
        done = 0
        while done < len(held):
            done += os.write(self._descriptor, memoryview(held)[done:])

    def sync(self) -> None:
        """Hand everything to the disk: from then on it outlives a power cut."""
        self.flush()
        os.fdatasync(self._descriptor)

    def close(self) -> None:
        """Close the file; records that have not been flushed are lost."""
        os.close(self._descriptor)


def read_records(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield each record's offset and payload; SourceError at the first damage in the file."""
    if is_there(path, SourceError):
        check_file(path, "give a recording's folder", SourceError)
    try:
        file = path.open("rb")
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror}; give a recording's folder") from error
    with file:
        size = os.fstat(file.fileno()).st_size
        begin = file.read(len(MAGIC))
        if begin != MAGIC[: len(begin)]:
            raise SourceError(f"{path} is no recording of this version: it begins with {begin!r}, not {MAGIC!r}")
        offset = len(MAGIC)
        while offset < size:
            payload = read_record(file, path, offset, size)
            if payload is None:
                break
            yield offset, payload
            offset += HEADER.size + len(payload)


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
    if length > LARGEST_RECORD:
        raise damaged(path, offset, f"the length is {length} bytes, at most {LARGEST_RECORD} are expected")
    if offset + HEADER.size + length > size:
        return None
    payload = file.read(length)
    if zlib.crc32(payload) != checksum:
        if is_blank(file):
            return None
        raise damaged(path, offset, "the content does not match its checksum")
    return payload


def is_blank(file: BinaryIO) -> bool:
    """Return whether only zeros follow: a power cut leaves them where data had not reached the disk yet."""
    while piece := file.read(PIECE):
        if any(piece):
            return False
    return True


def damaged(path: Path, offset: int, problem: str) -> SourceError:
    """Return an error that names the damaged record."""
    return SourceError(f"{path} is damaged: of the record at byte {offset}, {problem}; take the recording again")
