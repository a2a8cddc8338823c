"""A recording of 0.1.0 gives what it gave then; every way in which one can end early or be damaged."""

import json
import shutil
import tracemalloc
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest

from edge.bundle.load import MANIFEST, SHIPPED, sha256
from edge.errors import SourceError
from edge.live.recognizer import Recognizer
from edge.preprocess.media import Block, Discontinuity, Frame
from edge.recording.compare import FLOATS_ALIKE
from edge.recording.reader import has_inputs, read_inputs, read_messages, read_metadata
from edge.recording.records import End, Gap, SentMessage
from edge.recording.replay import Replay
from edge.recording.schema_1 import (
    CHECKED,
    HEADER,
    INPUTS,
    LARGEST_METADATA,
    MAGIC,
    BlockRecord,
    inflate_samples,
    read_records,
)
from edge.wire.messages import decode
from tests.edge.recording.made_golden import GOLDEN

OLD = GOLDEN.parent / "schema_1"
"""The golden recording, as the program recorded it when it had no MCAP yet."""
DEFLATED = zlib.compress(bytes(16))
PAYLOADS = [b"first", b"", b"\0" * 40, bytes(range(256)), b"the last one"]


def header(length: int, checksum: int) -> bytes:
    checked = CHECKED.pack(length, checksum)
    return checked + zlib.crc32(checked).to_bytes(4, "little")


def content_of(payloads: list[bytes]) -> bytes:
    return MAGIC + b"".join(header(len(payload), zlib.crc32(payload)) + payload for payload in payloads)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A copy that may be harmed."""
    return Path(shutil.copytree(OLD, tmp_path / "old"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "records.bin"


def read(path: Path, content: bytes) -> list[bytes]:
    path.write_bytes(content)
    return [payload for _, payload in read_records(path)]


def plain(name: str) -> list[Any]:
    """The records of a file, as MessagePack has them: read here as the format says, without any checks."""
    content, offset, found = (OLD / name).read_bytes(), 8, []
    while offset < len(content):
        length = int.from_bytes(content[offset : offset + 4], "little")
        found.append(msgspec.msgpack.decode(content[offset + 12 : offset + 12 + length]))
        offset += 12 + length
    return found


def test_all_of_its_inputs_come_back() -> None:
    assert has_inputs(OLD)
    *inputs, end = read_inputs(OLD)
    *steps, last = plain("steps.bin")
    assert (end, last) == (End(), {"type": "end"})
    assert len(inputs) == 69
    kinds = Counter()
    for one, step in zip(inputs, steps, strict=True):
        assert (one.now_ns, one.unix_ahead_ns, one.hop_ns) == (step["now_ns"], step["unix_ahead_ns"], step["hop_ns"])
        assert one.dropped == step["dropped"]
        for delivery, arrival in zip(one.deliveries, step["arrivals"], strict=True):
            media, event = delivery.media, arrival["event"]
            kinds[type(media).__name__] += 1
            assert delivery.stream == arrival["stream"]
            assert (media and media.end_ns) == (event and event["end_ns"])
            if isinstance(media, Block):
                assert media.samples.tobytes() == zlib.decompress(event["deflated"])
            elif isinstance(media, Frame):
                bgr = cv2.imdecode(np.frombuffer(event["png"], np.uint8), cv2.IMREAD_COLOR)
                assert np.array_equal(media.image, bgr[..., ::-1])
    assert kinds == {"Block": 150, "Frame": 20, "NoneType": 1}


def test_all_of_its_messages_come_back() -> None:
    *messages, end = read_messages(OLD)
    *records, last = plain("messages.bin")
    assert (end, last) == (End(), {"type": "end"})
    assert messages == [SentMessage(record["mono_ns"], record["topic"], record["body"]) for record in records]
    assert [decode(message.body).mono_publish for message in messages] == [message.mono_ns for message in messages]


def test_it_is_replayed_and_compared(shipped: Recognizer) -> None:
    about = read_metadata(OLD)
    assert about.schema == 1
    if about.bundle.manifest_sha256 != sha256(SHIPPED / MANIFEST):
        pytest.skip("the shipped bundle is another than the one that was recorded then")
    compared = Replay(OLD, about, lambda _: False).compare(shipped, tolerance=FLOATS_ALIKE)
    assert (compared.equal, compared.unrecorded) == (16, 0)


def test_a_file_cut_anywhere_gives_every_record_before_the_cut(path: Path) -> None:
    content = content_of(PAYLOADS)
    ends = np.cumsum([HEADER.size + len(payload) for payload in PAYLOADS]) + len(MAGIC)
    for cut in range(len(content)):
        assert read(path, content[:cut]) == PAYLOADS[: sum(ends <= cut)], cut


def test_zeros_that_never_reached_the_disk_are_a_torn_tail(path: Path) -> None:
    content = content_of(PAYLOADS)
    for cut in range(len(content_of(PAYLOADS[:-1])), len(content)):
        assert read(path, content[:cut] + bytes(len(content) - cut + 100_000)) == PAYLOADS[:-1], cut


def test_a_flipped_bit_anywhere_in_the_middle_is_refused_with_its_record(path: Path) -> None:
    content = content_of(PAYLOADS)
    offsets = [len(content_of(PAYLOADS[:count])) for count in range(len(PAYLOADS))]
    for place in range(len(MAGIC), offsets[-1]):
        flipped = bytearray(content)
        flipped[place] ^= 4
        index = sum(offset <= place for offset in offsets) - 1
        with pytest.raises(SourceError, match=f"is damaged: of the record at byte {offsets[index]},"):
            read(path, bytes(flipped))


def test_a_length_beyond_the_file_takes_no_memory(path: Path) -> None:
    assert read(path, MAGIC + header(2**32 - 1, 0) + b"x") == []


def test_another_file_is_refused(path: Path) -> None:
    with pytest.raises(SourceError, match="is no recording of this version"):
        read(path, b"foalrec\x02")


def test_without_media_there_are_no_steps(recording: Path) -> None:
    (recording / INPUTS).unlink()
    assert not has_inputs(recording)
    with pytest.raises(SourceError, match="recorded without --record-media"):
        list(read_inputs(recording))


def packed(**fields: Any) -> bytes:
    return msgspec.msgpack.encode(fields)


STEP = {"type": "step", "now_ns": 1, "unix_ahead_ns": 2, "hop_ns": 10**6, "dropped": [{}]}


def step(*media: dict[str, Any] | None) -> bytes:
    return packed(**STEP, arrivals=[{"stream": 0, "event": one} for one in media])


def test_a_recording_that_breaks_off_is_read_as_far_as_it_goes_and_gaps_are_given(recording: Path, caplog) -> None:
    (recording / INPUTS).write_bytes(
        content_of([packed(type="gap", lost=4), step({"type": "discontinuity", "end_ns": 7})])
    )
    gap, taken = read_inputs(recording)
    assert gap == Gap(4)
    assert taken.deliveries[0].media == Discontinuity(7)
    assert [said.getMessage() for said in caplog.records] == [
        f"{recording / INPUTS} breaks off after 2 records; what is there is read"
    ]


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        (b"\xc1", "cannot be decoded"),
        (packed(type="message", mono_ns=1, topic=b"", body=b""), "type: found 'message', expected 'step' or"),
        (packed(**STEP | {"dropped": []}, arrivals=[]), "it is not a step of 1 streams"),
        (packed(**STEP | {"hop_ns": 0}, arrivals=[]), "hop_ns: found 0, expected a whole number from "),
        (
            step({"type": "block", "end_ns": 0, "count": 9, "deflated": zlib.compress(b"4444")}),
            "its audio is not 9 sam",
        ),
        (step({"type": "frame", "end_ns": 0, "height": 1, "width": 1, "png": b"x"}), "its frame is no PNG"),
    ],
)
def test_records_that_check_but_lie_are_refused(recording: Path, payload: bytes, problem: str) -> None:
    (recording / INPUTS).write_bytes(content_of([payload]))
    with pytest.raises(SourceError, match=rf"steps\.bin is damaged: of the record at byte 8.*{problem}"):
        list(read_inputs(recording))


@pytest.mark.parametrize(
    ("count", "deflated"),
    [
        (3, zlib.compress(bytes(16))),
        (5, zlib.compress(bytes(16))),
        (4, zlib.compress(bytes(16))[:-1]),
        (4, b"not zlib"),
    ],
)
def test_sound_that_is_not_what_it_is_said_to_be_is_refused(count: int, deflated: bytes) -> None:
    with pytest.raises(ValueError, match=r"its audio (is not|cannot be inflated)"):
        inflate_samples(BlockRecord(0, count, deflated))


def test_a_bomb_of_sound_is_not_inflated() -> None:
    bomb = BlockRecord(0, 4, zlib.compress(bytes(1 << 27)))
    tracemalloc.start()
    with pytest.raises(ValueError, match="not 4 samples"):
        inflate_samples(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


@pytest.mark.parametrize("text", [b"", b"[1]", b" " * (LARGEST_METADATA + 5)])
def test_damaged_metadata_are_refused(recording: Path, text: bytes) -> None:
    (recording / "session.json").write_bytes(text)
    with pytest.raises(SourceError, match=r"session\.json is damaged"):
        read_metadata(recording)


def test_metadata_of_another_version_are_refused(recording: Path) -> None:
    found = json.loads((recording / "session.json").read_text())
    (recording / "session.json").write_text(json.dumps(found | {"schema": 2}))
    with pytest.raises(SourceError, match="has schema 2, this program reads schema 1"):
        read_metadata(recording)
