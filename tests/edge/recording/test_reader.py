"""What a recording gives back, and what it is refused for."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mcap.writer import Writer

from edge.errors import SourceError
from edge.recording.metadata import METADATA, file_name
from edge.recording.reader import has_inputs, read_inputs, read_messages, read_metadata
from edge.recording.records import End, Gap, SentMessage
from edge.wire.messages import encode
from tests.edge.recording.made_golden import GOLDEN
from tests.edge.recording.made_recordings import (
    Kept,
    about,
    assert_same,
    attached,
    file_of,
    kept_in,
    loop_inputs,
    record,
    rewrite,
    status,
)

TWO = about("cam1", "cam2")


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return record(tmp_path, loop_inputs(6), [status(number) for number in range(5)], TWO)


def change(recording: Path, changed: Callable[[list[Kept]], list[Kept]]) -> None:
    """Replace what is kept in a recording."""
    path = file_of(recording)
    rewrite(path, changed(kept_in(path)))


def test_all_comes_back_in_order(recording: Path) -> None:
    *taken, end = read_inputs(recording)
    assert end == End()
    for one, other in zip(taken, loop_inputs(6), strict=True):
        assert_same(one, other)
    sent = [SentMessage(number, b"status.cam1.", encode(status(number), "json")) for number in range(5)]
    assert list(read_messages(recording)) == [*sent, End()]


def test_a_recording_may_be_given_as_its_file(recording: Path) -> None:
    assert list(read_messages(file_of(recording))) == list(read_messages(recording))
    assert has_inputs(file_of(recording))
    assert read_metadata(file_of(recording)) == read_metadata(recording)


def test_a_file_cut_anywhere_is_said_to_break_off(recording: Path, caplog) -> None:
    path = file_of(recording)
    content = path.read_bytes()
    counts = []
    for cut in range(0, len(content), 7):
        path.write_bytes(content[:cut])
        caplog.clear()
        given = list(read_messages(recording))
        is_whole = given[-1:] == [End()]
        counts.append(len(given) - is_whole)
        assert (
            [said.getMessage() for said in caplog.records] == []
            if is_whole
            else [
                f"{recording} breaks off: the program was killed, is still running, or the disk was full; "
                "what is there is read"
            ]
        )
    assert set(counts) == {0, 5}
    assert counts == sorted(counts)


def test_damage_is_refused_after_all_before_it(recording: Path) -> None:
    change(recording, lambda kept: [(topic, number, b"{" if number == 3 else one) for topic, number, one in kept])
    given = read_inputs(recording)
    for one in loop_inputs(6)[:3]:
        assert_same(next(given), one)
    with pytest.raises(
        SourceError, match=r"0000\.mcap is damaged: of the record at byte \d+, the content cannot be de"
    ):
        next(given)


def test_gaps_are_given_where_they_are(recording: Path) -> None:
    gap = {"kind": "steps_lost", "lost": 4}
    change(recording, lambda kept: [("recording.", 0, gap), *kept[:3], ("recording.", 1, gap | {"lost": 1})])
    first, taken, last = read_inputs(recording)
    assert (first, last) == (Gap(4), Gap(1))
    assert_same(taken, loop_inputs(1)[0])
    assert list(read_messages(recording)) == []


def test_without_media_there_are_no_steps(tmp_path: Path) -> None:
    folder = record(tmp_path, loop_inputs(6), [status(0)], TWO, media=False)
    assert not has_inputs(folder)
    with pytest.raises(SourceError, match="recorded without --record-media"):
        list(read_inputs(folder))


def test_what_others_have_added_is_passed_over(recording: Path, caplog) -> None:
    others = [("/imu", 0, {"x": 1}), ("video.other.", 0, {}), ("emotions", 1, {})]
    change(recording, lambda kept: [*others, *kept])
    assert len(list(read_messages(recording))) == 6
    assert len(list(read_inputs(recording))) == 8
    assert caplog.records == []


def test_what_was_sorted_by_time_gives_the_same(recording: Path) -> None:
    change(recording, lambda kept: sorted(kept, key=lambda one: (one[0] == "recording.", one[0] == "steps.")))
    for one, other in zip(read_inputs(recording), [*loop_inputs(6), End()], strict=True):
        assert one == End() or assert_same(one, other) is None


def test_steps_that_lie_are_refused(recording: Path) -> None:
    path = file_of(recording)
    kept = kept_in(path)
    step = next(fields for topic, _, fields in kept if topic == "steps.")

    def delivering(**delivery: object) -> dict[str, Any]:
        return step | {"deliveries": [delivery]}

    cases: dict[str, Any] = {
        r"its frame 9 of video\.cam2\. is missing": step
        | {"deliveries": [{"stream": 1, "kind": "frame", "sequence": 9}]},
        "it is not a step of 2 streams": step | {"dropped": [{}]},
        "must be a multiple of element size": step
        | {"deliveries": [{"stream": 0, "kind": "block", "samples": "AA=="}]},
        "hop_ns: found 0, expected a whole number from ": step | {"hop_ns": 0},
        f"now_ns: found {2**63}, expected a whole number from": step | {"now_ns": 2**63},
        "it lacks 'now_ns'": {},
        "cannot be decoded": b"[" * 100_000,
    }
    for problem, content in cases.items():
        rewrite(path, [("steps.", 0, content)], attached(path))
        with pytest.raises(SourceError, match=rf"0000\.mcap is damaged: of the record at byte \d+, .*{problem}"):
            list(read_inputs(recording))


def test_a_message_without_its_time_is_refused(recording: Path) -> None:
    change(recording, lambda _: [("status.cam1.", 0, {"seq": 1})])
    with pytest.raises(SourceError, match="it lacks 'mono_publish'"):
        list(read_messages(recording))


def test_nothing_follows_the_end(recording: Path) -> None:
    change(recording, lambda kept: [kept[-1], *kept])
    for read in (read_messages, read_inputs):
        with pytest.raises(SourceError, match="there should be none after the end"):
            list(read(recording))


def test_a_message_of_no_channel_is_refused(recording: Path) -> None:
    path = file_of(recording)
    writer = Writer(str(path))
    writer.start()
    writer.add_message(7, 0, b"{}", 0)
    writer.finish()
    with pytest.raises(SourceError, match="no channel 7 is there"):
        list(read_messages(recording))


def test_a_missing_file_of_a_long_run_is_named(recording: Path) -> None:
    file_of(recording).rename(recording / file_name(1))
    with pytest.raises(SourceError, match=rf"{recording} is incomplete: 0000\.mcap is missing, 0001\.mcap is there"):
        read_metadata(recording)


def test_where_there_is_none_the_newest_inside_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=f"no recording at {tmp_path}; foal-edge --record makes one"):
        read_metadata(tmp_path)
    for name, file in (("2024-02-01", METADATA), ("2024-03-01", file_name(0)), ("2024-01-01", file_name(0))):
        (tmp_path / name).mkdir()
        (tmp_path / name / file).touch()
    (tmp_path / "2025-01-01").mkdir()
    with pytest.raises(SourceError, match=f"give one of them, the latest is {tmp_path}/2024-03-01$"):
        read_metadata(tmp_path)


def test_another_file_is_no_recording(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").touch()
    with pytest.raises(
        SourceError, match=r"clip\.mp4 is no recording of foal-edge: it has no session\.json; foal-edge"
    ):
        read_metadata(tmp_path / "clip.mp4")
    rewrite(tmp_path / "robot.mcap", [("/imu", 0, {"x": 1})], b"{}", name="robot.json")
    with pytest.raises(SourceError, match=r"robot\.mcap is no recording of foal-edge"):
        read_metadata(tmp_path / "robot.mcap")


def test_metadata_that_cannot_be_meant_are_damage(recording: Path) -> None:
    path = file_of(recording)
    rewrite(path, [], json.dumps(json.loads(attached(path)) | {"threads": -1}).encode())
    with pytest.raises(SourceError, match=rf"session\.json in {path} is damaged: threads: found -1"):
        read_metadata(recording)


def test_the_golden_recording_is_whole(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert list(read_messages(GOLDEN))[-1] == list(read_inputs(GOLDEN))[-1] == End()
    assert caplog.records == []
