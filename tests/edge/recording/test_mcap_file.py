"""What mcap's own readers make of a file: whole, cut off, and with times that are not in order."""

import io
import json
import os
import stat
from pathlib import Path

import msgspec
import pytest
from mcap.exceptions import EndOfFile, McapError
from mcap.reader import NonSeekingReader, make_reader
from mcap.records import Chunk
from mcap.stream_reader import StreamReader

from edge.recording.mcap_file import CHUNK_BYTES, LARGEST_SEQUENCE, McapFile, encoded_schema
from edge.recording.records import Mark
from tests.edge.recording.made_recordings import kept_in, recovered

Written = list[tuple[str, int, int]]
"""Topic, log time and content of messages."""


def write(path: Path, written: Written, *, flush_every: int = 0, finish: bool = True) -> bytes:
    file = McapFile(path, "about.json", b'{"of": "this"}', 7)
    for number, (topic, time_ns, lost) in enumerate(written):
        file.append(topic, "Mark", Mark("steps_lost", lost), time_ns, number)
        if flush_every and number % flush_every == flush_every - 1:
            file.flush()
    if finish:
        file.finish()
    file.close()
    return path.read_bytes()


def read(content: bytes, **options: int) -> list[int]:
    reader = make_reader(io.BytesIO(content), validate_crcs=True)
    return [json.loads(message.data)["lost"] for _, _, message in reader.iter_messages(**options)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "made.mcap"


def test_a_whole_file_has_an_index_checksums_and_what_was_attached(path: Path) -> None:
    content = write(path, [("a.", 3, 0), ("b.", 4, 1), ("a.", 5, 2)], flush_every=2)
    reader = make_reader(io.BytesIO(content), validate_crcs=True)
    found = [(channel.topic, schema.name, message.sequence) for schema, channel, message in reader.iter_messages()]
    assert found == [("a.", "Mark", 0), ("b.", "Mark", 1), ("a.", "Mark", 2)]
    summary = reader.get_summary()
    assert (summary.statistics.message_count, summary.statistics.chunk_count) == (3, 2)
    assert [index.compression for index in summary.chunk_indexes] == ["zstd", "zstd"]
    assert {schema.data for schema in summary.schemas.values()} == {encoded_schema(Mark)}
    assert {channel.message_encoding for channel in summary.channels.values()} == {"json"}
    (attachment,) = reader.iter_attachments()
    assert (attachment.name, attachment.media_type, attachment.data) == (
        "about.json",
        "application/json",
        b'{"of": "this"}',
    )
    chunks = [record for record in StreamReader(io.BytesIO(content), emit_chunks=True, validate_crcs=True).records]
    assert all(record.uncompressed_crc for record in chunks if isinstance(record, Chunk))


def test_only_the_owner_may_read_it_and_an_older_one_is_left_alone(path: Path) -> None:
    old = os.umask(0)
    try:
        write(path, [])
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        McapFile(path, "about.json", b"{}", 0)


def test_times_from_0_on_are_fine_and_none_is_before(path: Path) -> None:
    content = write(path, [("a.", -5, 0), ("a.", 0, 1), ("a.", 2, 2), ("a.", 2**63, 3)])
    times = [message.log_time for _, _, message in make_reader(io.BytesIO(content)).iter_messages()]
    assert times == [0, 0, 2, 2**63]


def test_equal_times_keep_their_order_and_times_that_go_back_are_sorted_when_read(path: Path) -> None:
    content = write(path, [("a.", 9, 0), ("b.", 5, 1), ("a.", 5, 2), ("b.", 5, 3)], flush_every=2)
    assert read(content) == [1, 2, 3, 0]
    assert [fields["lost"] for _, _, fields in recovered(content)] == [0, 1, 2, 3], "in the file they are as written"


def test_a_time_at_the_end_of_a_span_is_not_in_it(path: Path) -> None:
    content = write(path, [("a.", time, time) for time in range(5)])
    with pytest.warns(DeprecationWarning, match="(start|end)_time is deprecated"):
        assert read(content, start_time=1, end_time=3) == [1, 2]
    assert read(content, starting_at=1, ending_before=3) == [1, 2]
    assert read(content, starting_after=1, ending_at=3) == [2, 3]


def test_without_its_end_only_the_reading_in_order_finds_anything(path: Path) -> None:
    content = write(path, [("a.", number, number) for number in range(20)], flush_every=5, finish=False)
    with pytest.raises(McapError):
        read(content)
    with pytest.raises(EndOfFile):
        next(NonSeekingReader(io.BytesIO(content)).iter_messages())
    assert [fields["lost"] for _, _, fields in recovered(content)] == list(range(20))


def test_a_file_cut_anywhere_gives_every_whole_chunk_before_the_cut(path: Path) -> None:
    content = write(path, [("a.", number, number) for number in range(20)], flush_every=5, finish=False)
    counts = [len(list(recovered(content[:cut]))) for cut in range(len(content) + 1)]
    assert counts == sorted(counts)
    assert set(counts) == {0, 5, 10, 15, 20}


def test_much_is_handed_to_the_system_without_waiting_for_a_flush(path: Path) -> None:
    file = McapFile(path, "about.json", b"{}", 0)
    before = path.stat().st_size
    file.append("a.", "Mark", Mark("end", 0), 0, 0)
    assert (path.stat().st_size, file.chunks) == (before, 0)
    number = 0
    while not file.chunks:
        file.append("a.", "Mark", Mark("end", number), 0, number)
        number += 1
    assert CHUNK_BYTES / 40 < number < CHUNK_BYTES / 20
    assert len(kept_in(path)) == number + 1
    file.close()


def test_a_number_beyond_32_bits_begins_again(path: Path) -> None:
    file = McapFile(path, "about.json", b"{}", 0)
    file.append("a.", "Mark", Mark("end", 0), 0, LARGEST_SEQUENCE + 2)
    file.finish()
    file.close()
    assert [number for _, number, _ in kept_in(path)] == [1]


def test_a_message_too_long_to_be_read_is_not_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.recording.mcap_file.LARGEST_MESSAGE", 10)
    file = McapFile(path, "about.json", b"{}", 0)
    length = len(msgspec.json.encode(Mark("end", 0)))
    with pytest.raises(OSError, match=f"a message of {length} bytes is more than 10"):
        file.append("a.", "Mark", Mark("end", 0), 0, 0)
    file.close()
