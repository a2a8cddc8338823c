"""Every way in which an MCAP file can end early or be damaged, and chunks that lie."""

import itertools
import struct
import tracemalloc
import zlib
from pathlib import Path

import lz4.frame
import pytest
import zstandard
from mcap.data_stream import RecordBuilder
from mcap.opcode import Opcode
from mcap.records import Channel, Chunk, Message
from mcap.writer import MCAP0_MAGIC, CompressionType, Writer

from edge.errors import SourceError
from edge.recording.mcap_records import LARGEST_CHUNK, read_file

ABOUT = b'{"schema": 2}'


def write(
    path: Path, count: int, *, flush_every: int = 4, compression: CompressionType = CompressionType.ZSTD
) -> bytes:
    """A file of mcap itself, of messages that hold their number, four in a chunk."""
    writer = Writer(str(path), compression=compression, enable_data_crcs=True)
    writer.start()
    writer.add_attachment(0, 0, "session.json", "application/json", ABOUT)
    channel = writer.register_channel("a.", "json", writer.register_schema("A", "jsonschema", b"{}"))
    for number in range(count):
        writer.add_message(channel, number, str(number).encode() * 9, number)
        if number % 4 == 3:
            writer.flush()
    writer.finish()
    return path.read_bytes()


def offsets(content: bytes) -> list[int]:
    """Where the records of a file begin, and the end of the last."""
    found, offset = [], len(MCAP0_MAGIC)
    while offset < len(content) - len(MCAP0_MAGIC):
        found.append(offset)
        offset += 9 + struct.unpack_from("<Q", content, offset + 1)[0]
    return [*found, offset]


def read(path: Path, content: bytes) -> list[int]:
    path.write_bytes(content)
    return [int(record.data[: len(record.data) // 9]) for _, record in read_file(path) if isinstance(record, Message)]


def read_until_refused(path: Path, content: bytes) -> tuple[int, str]:
    """How many messages were read, and the error."""
    path.write_bytes(content)
    count = 0
    try:
        for _, record in read_file(path):
            count += isinstance(record, Message)
    except SourceError as error:
        return count, str(error)
    raise AssertionError("not refused")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "records.mcap"


@pytest.mark.parametrize("compression", CompressionType)
def test_what_mcap_has_written_is_read(path: Path, compression: CompressionType) -> None:
    assert read(path, write(path, 10, compression=compression)) == list(range(10))


def test_a_file_cut_anywhere_gives_every_whole_chunk_before_the_cut(path: Path) -> None:
    content = write(path, 10)
    places = offsets(content)
    ends = [end for begin, end in itertools.pairwise(places) if content[begin] == Opcode.CHUNK]
    assert len(ends) == 3
    for cut in range(len(content)):
        whole = sum(end <= cut for end in ends)
        assert read(path, content[:cut]) == list(range(min(10, 4 * whole))), cut


def test_zeros_that_never_reached_the_disk_are_a_torn_tail(path: Path) -> None:
    content = write(path, 8)
    chunks = [place for place in offsets(content)[:-1] if content[place] == Opcode.CHUNK]
    for cut in range(chunks[1], offsets(content)[-1]):
        given = read(path, content[:cut] + bytes(len(content) - cut + 100_000))
        assert given in ([0, 1, 2, 3], list(range(8))), cut


@pytest.mark.parametrize("bit", [0, 3, 7])
def test_a_flipped_bit_anywhere_before_the_index_is_refused(path: Path, bit: int) -> None:
    content = write(path, 10)
    end = next(place for place in offsets(content) if content[place] == Opcode.DATA_END)
    for place in range(len(MCAP0_MAGIC), end):
        flipped = bytearray(content)
        flipped[place] ^= 1 << bit
        count, error = read_until_refused(path, bytes(flipped))
        assert " is damaged: of the record at byte " in error
        assert count <= 10


def test_the_damaged_chunk_is_named_after_all_before_it(path: Path) -> None:
    content = bytearray(write(path, 10))
    chunks = [place for place in offsets(content)[:-1] if content[place] == Opcode.CHUNK]
    content[chunks[1] + 70] ^= 1
    count, error = read_until_refused(path, bytes(content))
    assert count == 4
    assert f"of the record at byte {chunks[1]}, its content cannot be read" in error


@pytest.mark.parametrize("content", [b"{}", b"foalrec\x01", b"\0" * 9, b"\x89MCAP1\r\n"])
def test_another_file_is_refused(path: Path, content: bytes) -> None:
    with pytest.raises(SourceError, match="is no recording: it begins with"):
        read(path, content)


def test_a_missing_file_is_said(path: Path) -> None:
    with pytest.raises(SourceError, match=r"cannot read .*records\.mcap: No such file"):
        list(read_file(path))


def record_of(code: int, content: bytes) -> bytes:
    return struct.pack("<BQ", code, len(content)) + content


def chunk_of(compression: str, data: bytes, size: int, checksum: int = 0) -> bytes:
    builder = RecordBuilder()
    Chunk(compression, data, 0, 0, checksum, size).write(builder)
    return MCAP0_MAGIC + builder.end() + b"more"


MESSAGE = record_of(Opcode.MESSAGE, struct.pack("<HIQQ", 1, 0, 0, 0) + b"text")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (chunk_of("zstd", zstandard.compress(MESSAGE), LARGEST_CHUNK + 1), f"a chunk of {LARGEST_CHUNK + 1} bytes, at"),
        (chunk_of("zstd", zstandard.compress(MESSAGE), 2**64 - 1), "a chunk of 18446744073709551615 bytes, at most"),
        (chunk_of("zstd", zstandard.compress(MESSAGE), len(MESSAGE) + 1), "is not 36 bytes, as it says"),
        (chunk_of("lz4", lz4.frame.compress(MESSAGE), len(MESSAGE) - 1), "is not 34 bytes, as it says"),
        (chunk_of("", MESSAGE, len(MESSAGE) - 1), "is not 34 bytes, as it says"),
        (chunk_of("zstd", b"rubbish", 7), "its content cannot be read"),
        (chunk_of("lz4", b"rubbish", 7), "its content cannot be read"),
        (chunk_of("brotli", MESSAGE, len(MESSAGE)), "compression 'brotli' is unknown"),
        (chunk_of("", MESSAGE, len(MESSAGE), 1), "crc validation failed"),
        (chunk_of("", MESSAGE[:12], 12), "its content cannot be read"),
        (MCAP0_MAGIC + record_of(Opcode.CHUNK, bytes(28) + struct.pack("<I", 2**32 - 1)) + b"more", "cannot be read"),
        (MCAP0_MAGIC + record_of(Opcode.ATTACHMENT, bytes(16) + b"\xff" * 50) + b"more", "cannot be read"),
        (MCAP0_MAGIC + record_of(0x33, b"") + b"more", "kind 51 is unknown"),
        (MCAP0_MAGIC + record_of(0, b"x") + b"more", "kind 0 is unknown"),
        (
            MCAP0_MAGIC + record_of(Opcode.DATA_END, struct.pack("<I", 7)) + b"more",
            "what stands before it does not match",
        ),
    ],
)
def test_records_that_lie_are_refused(path: Path, content: bytes, problem: str) -> None:
    assert problem in read_until_refused(path, content)[1]


def test_a_length_beyond_a_whole_file_is_damage_and_takes_no_memory(path: Path) -> None:
    content = write(path, 4)
    first = offsets(content)[0]
    huge = content[: first + 1] + struct.pack("<Q", 2**63) + content[first + 9 :]
    assert f"it says that it has {2**63} bytes, more than the file" in read_until_refused(path, huge)[1]
    assert read(path, huge[:-3]) == []


@pytest.mark.parametrize("compression", ["zstd", "lz4"])
def test_a_bomb_is_inflated_no_further_than_it_says(path: Path, compression: str) -> None:
    zeros = bytes(1 << 27)
    bomb = zstandard.compress(zeros) if compression == "zstd" else lz4.frame.compress(zeros)
    content = chunk_of(compression, bomb, 4096)
    del zeros
    tracemalloc.start()
    assert "a chunk is not 4096 bytes, as it says" in read_until_refused(path, content)[1]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 22


def test_kinds_of_others_and_attachments_are_passed_over(path: Path) -> None:
    content = write(path, 4)
    first = offsets(content)[1]
    whole = content[:first] + record_of(0x90, b"anything") + content[first:]
    places = offsets(whole)
    end = next(place for place in places if whole[place] == Opcode.DATA_END)
    checked = whole[:end] + record_of(Opcode.DATA_END, struct.pack("<I", zlib.crc32(whole[:end]))) + whole[end + 13 :]
    assert read(path, checked) == [0, 1, 2, 3]


def test_channels_come_before_their_messages(path: Path) -> None:
    write(path, 4)
    kinds = [type(record).__name__ for _, record in read_file(path)]
    assert kinds == ["Attachment", "Schema", "Channel", *["Message"] * 4, "DataEnd"]
    (channel,) = (record for _, record in read_file(path) if isinstance(record, Channel))
    assert channel.topic == "a."
