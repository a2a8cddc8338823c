"""What a run leaves: every message has its schema, times are in order, and a long run has several files."""

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import numpy as np
import pytest
from mcap.reader import make_reader

from edge.recording import writer as module
from edge.recording.metadata import file_name
from edge.recording.reader import read_inputs, read_messages, read_metadata
from edge.recording.records import End, Gap, Mark
from edge.recording.writer import RunWriter
from edge.wire.messages import decode
from tests.edge.made_messages import WITHOUT_PICTURE
from tests.edge.recording.made_golden import BEGIN_NS, GOLDEN, UNIX_AHEAD_NS
from tests.edge.recording.made_recordings import (
    MS,
    START_UNIX_NS,
    about,
    assert_same,
    file_of,
    kept_in,
    loop_inputs,
    record,
    status,
)

TWO = about("cam1", "cam2")


def assert_valid(path: Path) -> dict[str, list[int]]:
    """Every message has its schema; the log times of each channel."""
    times: dict[str, list[int]] = {}
    validators: dict[int, Any] = {}
    with path.open("rb") as file:
        for schema, channel, message in make_reader(file, validate_crcs=True).iter_messages():
            assert (schema.encoding, channel.message_encoding) == ("jsonschema", "json")
            if schema.id not in validators:
                validators[schema.id] = jsonschema.Draft202012Validator(json.loads(schema.data))
            validators[schema.id].validate(json.loads(message.data))
            times.setdefault(channel.topic, []).append(message.log_time)
    return times


def test_every_message_of_a_run_has_its_schema_and_its_time_in_order() -> None:
    times = assert_valid(file_of(GOLDEN))
    names = {"emotion", "event", "status", "video", "audio"}
    assert times.keys() == {*(f"{name}.main." for name in names), "steps.", "recording."}
    end_ns = BEGIN_NS + UNIX_AHEAD_NS + 4_100 * MS
    for topic, found in times.items():
        assert found == sorted(found), topic
        assert all(BEGIN_NS + UNIX_AHEAD_NS <= time_ns < end_ns for time_ns in found), topic
    sent = [json.loads(message.body) for message in read_messages(GOLDEN) if not isinstance(message, End)]
    assert times["emotion.main."] == [fields["t_publish"] for fields in sent if fields["type"] == "prediction"]


def test_messages_of_every_kind_stand_in_the_channel_of_their_topic(tmp_path: Path) -> None:
    path = file_of(record(tmp_path, [], WITHOUT_PICTURE, about()))
    assert_valid(path)
    assert [topic for topic, *_ in kept_in(path)] == [
        "emotion.cam1.",
        "event.cam1.",
        "status.cam1.",
        "stats.",
        "person.cam1.2.",
        "recording.",
    ]
    assert [decode(json.dumps(fields).encode()) for *_, fields in kept_in(path)[:-1]] == WITHOUT_PICTURE


def test_pictures_and_sound_stand_before_their_step(tmp_path: Path) -> None:
    path = file_of(record(tmp_path, loop_inputs(6), [], TWO))
    times = assert_valid(path)
    kept = kept_in(path)
    assert [topic for topic, *_ in kept[:5]] == ["audio.cam1.", "video.cam2.", "steps.", "audio.cam1.", "steps."]
    assert [number for topic, number, _ in kept if topic == "video.cam2."] == [0, 1]
    steps = [fields for topic, _, fields in kept if topic == "steps."]
    assert steps[4]["deliveries"][1] == {"stream": 1, "kind": "frame", "end_ns": 800 * MS, "sequence": 1}
    assert times["video.cam2."] == [START_UNIX_NS, START_UNIX_NS + 800 * MS]
    assert times["steps."] == [START_UNIX_NS + number * MS for number in range(7)]
    begins = [START_UNIX_NS + number * 20 * MS - 20 * 10**9 // 16_000 for number in range(6)]
    assert times["audio.cam1."] == begins, "a block of 20 samples begins as long before its end"
    sound = [fields for topic, _, fields in kept if topic == "audio.cam1."]
    assert [fields["timestamp"]["sec"] * 10**9 + fields["timestamp"]["nsec"] for fields in sound] == begins
    heard = np.frombuffer(base64.b64decode(sound[3]["data"]), "<i2") / 32768
    assert heard == pytest.approx(loop_inputs(6)[3].deliveries[0].media.samples.clip(-1, 1), abs=1 / 32768)


def test_a_run_that_counts_from_0_is_read_as_any_other(tmp_path: Path) -> None:
    early = [replace(one, unix_ahead_ns=-5) for one in loop_inputs(3)]
    folder = record(tmp_path, early, [status(0)], about("cam1", "cam2", fast=True, start_unix_ns=0))
    assert_valid(file_of(folder))
    for one, other in zip(read_inputs(folder), [*early, End()], strict=True):
        assert one == End() or assert_same(one, other) is None


def test_a_gap_is_marked_where_it_is(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path, msgspec.structs.replace(TWO, media=True))
    one, other = loop_inputs(1)
    writer.add(one)
    writer.mark(Mark("steps_lost", 3))
    writer.add(status(0))
    writer.mark(Mark("messages_lost", 2))
    writer.add(other)
    writer.finish()
    writer.close()
    assert [type(each).__name__ for each in read_inputs(tmp_path)] == ["LoopInput", "Gap", "LoopInput", "End"]
    _, *marks = read_messages(tmp_path)
    assert marks == [Gap(2), End()]
    assert_valid(file_of(tmp_path))


def test_a_long_run_has_several_files_each_of_which_can_be_read_by_itself(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(module, "MOST_CHUNKS", 2)
    writer = RunWriter(tmp_path, msgspec.structs.replace(TWO, media=True))
    for number, one in enumerate(loop_inputs(9)):
        writer.add(one)
        writer.add(status(number))
        writer.flush()
    writer.finish()
    writer.close()
    paths = sorted(tmp_path.iterdir())
    assert [path.name for path in paths] == [file_name(number) for number in range(5)]
    for path in paths:
        assert_valid(path)
        assert read_metadata(path) == read_metadata(tmp_path)
    for one, other in zip(read_inputs(tmp_path), [*loop_inputs(9), End()], strict=True):
        assert one == End() or assert_same(one, other) is None
    assert [message.mono_ns for message in read_messages(tmp_path) if message != End()] == list(range(10))
    assert [message.mono_ns for message in read_messages(paths[1])] == [2, 3]
