"""Every way in which a file of records can end early or be damaged."""

import os
import stat
import zlib
from pathlib import Path

import pytest

from edge.errors import SourceError
from edge.recording.record_file import CHECKED, HEADER, LARGEST_RECORD, MAGIC, MOST_HELD, RecordFile, read_records

PAYLOADS = [b"first", b"", b"\0" * 40, bytes(range(256)), b"the last one"]


def write(path: Path, payloads: list[bytes]) -> bytes:
    file = RecordFile(path)
    for payload in payloads:
        file.append(payload)
    file.flush()
    file.close()
    return path.read_bytes()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "records.bin"


def read(path: Path, content: bytes) -> list[bytes]:
    path.write_bytes(content)
    return [payload for _, payload in read_records(path)]


def read_until_refused(path: Path) -> tuple[list[bytes], str]:
    given = []
    try:
        for _, payload in read_records(path):
            given.append(payload)
    except SourceError as error:
        return given, str(error)
    raise AssertionError("not refused")


def header(length: int, checksum: int) -> bytes:
    checked = CHECKED.pack(length, checksum)
    return checked + zlib.crc32(checked).to_bytes(4, "little")


def test_what_was_written_is_read_with_its_offsets(path: Path) -> None:
    content = write(path, PAYLOADS)
    assert [payload for _, payload in read_records(path)] == PAYLOADS
    for offset, payload in read_records(path):
        assert content[offset:].startswith(header(len(payload), zlib.crc32(payload)) + payload)


def test_only_the_owner_may_read_it_and_an_older_one_is_left_alone(path: Path) -> None:
    old = os.umask(0)
    try:
        write(path, [])
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        RecordFile(path)


def test_a_file_cut_anywhere_gives_every_record_before_the_cut(path: Path) -> None:
    content = write(path, PAYLOADS)
    ends = [offset + HEADER.size + len(payload) for offset, payload in read_records(path)]
    for cut in range(len(content)):
        whole = sum(end <= cut for end in ends)
        assert read(path, content[:cut]) == PAYLOADS[:whole], cut


def test_zeros_that_never_reached_the_disk_are_a_torn_tail(path: Path) -> None:
    content = write(path, PAYLOADS)
    last = [offset for offset, _ in read_records(path)][-1]
    for cut in range(last, len(content)):
        torn = content[:cut] + bytes(len(content) - cut)
        assert read(path, torn + bytes(100_000)) == PAYLOADS[:-1], cut


@pytest.mark.parametrize("bit", [0, 7])
def test_a_flipped_bit_anywhere_in_the_middle_is_refused_with_its_record(path: Path, bit: int) -> None:
    content = write(path, PAYLOADS)
    offsets = [offset for offset, _ in read_records(path)]
    for place in range(len(MAGIC), offsets[-1]):
        flipped = bytearray(content)
        flipped[place] ^= 1 << bit
        path.write_bytes(flipped)
        index = sum(offset <= place for offset in offsets) - 1
        given, error = read_until_refused(path)
        assert f"is damaged: of the record at byte {offsets[index]}," in error
        assert given == PAYLOADS[:index]


@pytest.mark.parametrize("length", [LARGEST_RECORD + 1, 2**32 - 1])
def test_a_length_that_nobody_writes_is_refused_whatever_its_checksum(path: Path, length: int) -> None:
    path.write_bytes(MAGIC + header(length, 0) + b"x")
    with pytest.raises(SourceError, match=f"the length is {length} bytes, at most {LARGEST_RECORD}"):
        list(read_records(path))


def test_a_length_beyond_the_file_takes_no_memory(path: Path) -> None:
    assert read(path, MAGIC + header(LARGEST_RECORD, 0) + b"x") == []


@pytest.mark.parametrize("content", [b"{}", b"foalrec\x02", b"\0" * 8])
def test_another_file_is_refused(path: Path, content: bytes) -> None:
    with pytest.raises(SourceError, match="is no recording of this version"):
        read(path, content)


def test_a_missing_file_is_said(path: Path) -> None:
    with pytest.raises(SourceError, match=r"cannot read .*records\.bin: No such file"):
        list(read_records(path))


def test_much_is_handed_to_the_system_without_waiting_for_a_flush(path: Path) -> None:
    file = RecordFile(path)
    file.append(b"x" * 10)
    assert path.stat().st_size == 0
    file.append(b"x" * MOST_HELD)
    assert path.stat().st_size > MOST_HELD
    file.close()


def test_a_record_too_long_to_be_read_is_not_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.recording.record_file.LARGEST_RECORD", 10)
    file = RecordFile(path)
    with pytest.raises(OSError, match="a record of 11 bytes is more than 10"):
        file.append(b"x" * 11)
    file.close()
