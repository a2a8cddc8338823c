"""What a recording gives back, and what it is refused for."""

import zlib
from pathlib import Path

import msgspec
import pytest

from edge.errors import SourceError
from edge.recording.metadata import INPUTS, MESSAGES
from edge.recording.reader import has_inputs, read_inputs, read_messages
from edge.recording.record_file import RecordFile, read_records
from edge.recording.records import BlockRecord, End, Gap, SentMessage, pack, pack_input
from edge.wire.messages import encode
from tests.edge.recording.made_recordings import about, assert_same, loop_input, loop_inputs, record, status

TWO = about("cam1", "cam2")


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return record(tmp_path, loop_inputs(6), [status(number) for number in range(5)], TWO)


def write(path: Path, payloads: list[bytes]) -> None:
    path.unlink()
    file = RecordFile(path)
    for payload in payloads:
        file.append(payload)
    file.flush()
    file.close()


def test_all_comes_back_in_order(recording: Path) -> None:
    *taken, end = read_inputs(recording)
    assert end == End()
    for one, other in zip(taken, loop_inputs(6), strict=True):
        assert_same(one, other)
    sent = [SentMessage(number, b"status.cam1.", encode(status(number), "msgpack")) for number in range(5)]
    assert list(read_messages(recording)) == [*sent, End()]


@pytest.mark.parametrize("name", [MESSAGES, INPUTS])
def test_a_file_cut_anywhere_in_its_last_records_is_said_to_break_off(recording: Path, name: str, caplog) -> None:
    path, read = recording / name, read_messages if name == MESSAGES else read_inputs
    content, count = path.read_bytes(), len(list(read(recording)))
    (*_, last, end) = [offset for offset, _ in read_records(path)]
    for cut in range(last, len(content)):
        path.write_bytes(content[:cut])
        caplog.clear()
        given = list(read(recording))
        assert len(given) == count - (1 if cut >= end else 2)
        assert [type(item) for item in given if isinstance(item, End)] == []
        assert [said.getMessage() for said in caplog.records] == [
            f"{path} breaks off after {len(given)} records: the program was killed, is still running, "
            "or the disk was full; what is there is read"
        ]


def test_a_flipped_byte_in_the_middle_is_refused_after_all_before_it(recording: Path) -> None:
    path = recording / INPUTS
    content = bytearray(path.read_bytes())
    offsets = [offset for offset, _ in read_records(path)]
    content[offsets[3] + 40] ^= 0x10
    path.write_bytes(content)
    given = read_inputs(recording)
    for one in loop_inputs(6)[:3]:
        assert_same(next(given), one)
    with pytest.raises(SourceError, match=f"of the record at byte {offsets[3]}, the content does not match"):
        next(given)


def test_gaps_are_given_where_they_are(recording: Path) -> None:
    write(recording / INPUTS, [pack(part, "msgpack") for part in (Gap(4), loop_inputs(1)[0], Gap(1))])
    first, taken, last = read_inputs(recording)
    assert (first, last) == (Gap(4), Gap(1))
    assert_same(taken, loop_inputs(1)[0])


def test_without_media_there_are_no_steps(tmp_path: Path) -> None:
    folder = record(tmp_path, loop_inputs(6), [status(0)], TWO, media=False)
    assert not has_inputs(folder)
    with pytest.raises(SourceError, match="recorded without --record-media"):
        list(read_inputs(folder))


def test_steps_of_another_count_of_streams_are_refused(recording: Path) -> None:
    for wrong in (loop_input(0, None, streams=3), loop_input(0, None, streams=1)):
        write(recording / INPUTS, [pack(wrong, "msgpack")])
        with pytest.raises(SourceError, match="it is not a step of 2 streams"):
            list(read_inputs(recording))


def test_records_that_check_but_lie_are_refused(recording: Path) -> None:
    bomb = pack_input(loop_input(0, streams=2))
    bomb.deliveries.append(
        msgspec.convert({"stream": 0, "event": None}, type(pack_input(loop_inputs(1)[0]).deliveries[0]))
    )
    lying = msgspec.structs.replace(bomb.deliveries[0], media=BlockRecord(0, 9, zlib.compress(bytes(4))))
    cases = {
        "its audio is not 9 samples": msgspec.msgpack.encode(msgspec.structs.replace(bomb, deliveries=[lying])),
        "cannot be decoded": b"\xc1",
        r"'x' is none of ": msgspec.msgpack.encode({"type": "end", "x": 1}),
        "hop_ns: found 0, expected a whole number from ": msgspec.msgpack.encode(
            msgspec.structs.replace(bomb, hop_ns=0)
        ),
        "type: found 'message', expected 'step' or": pack(status(0), "msgpack"),
        f"now_ns: found {2**63}, expected a whole number from": msgspec.msgpack.encode(
            msgspec.structs.replace(bomb, now_ns=2**63)
        ),
    }
    for problem, payload in cases.items():
        write(recording / INPUTS, [payload])
        with pytest.raises(SourceError, match=rf"steps\.bin is damaged: of the record at byte 8.*{problem}"):
            list(read_inputs(recording))


def test_nothing_follows_the_end(recording: Path) -> None:
    write(recording / MESSAGES, [pack(End(), "msgpack"), pack(status(0), "msgpack")])
    with pytest.raises(SourceError, match="there should be none after the run's end"):
        list(read_messages(recording))
