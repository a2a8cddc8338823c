"""`foal-edge replay`, and what `foal-edge --record` leaves for it, over real sockets and files."""

import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import zmq

from edge.recording.compare import MEASURED
from edge.recording.machine import here
from edge.recording.metadata import file_name
from edge.recording.reader import read_messages, read_metadata
from edge.sources.demo import MOODS, face
from edge.wire.messages import decode, encode, topic
from tests.edge.recording.made_golden import GOLDEN
from tests.edge.recording.made_recordings import attached, file_of, kept_in, rewrite

ANYWHERE = ("--bind", "tcp://127.0.0.1:*")
SENT = sum(hasattr(message, "topic") for message in read_messages(GOLDEN))
"""Messages of the golden recording."""
RUN = ("--control", "off", "--backend", "onnxruntime", "--threads", "1", "--quiet", *ANYWHERE)


@pytest.fixture
def clip(tmp_path: Path, make_clip: Callable[..., Path], tone: Callable[..., np.ndarray]) -> Path:
    """1.2 s of a drawn face and a tone."""
    return make_clip(tmp_path / "clip.mkv", np.stack([face(MOODS[1])] * 12), tone(1.2))


@pytest.fixture
def silent(tmp_path: Path) -> Path:
    """The golden recording without its sound and pictures."""
    folder = Path(shutil.copytree(GOLDEN, tmp_path / "silent"))
    path = file_of(folder)
    kept = [one for one in kept_in(path) if one[0].split(".")[0] not in ("audio", "video", "steps")]
    rewrite(path, kept)
    change_session(folder, media=False)
    return folder


@pytest.mark.parametrize("pace", [("--fast",), ()], ids=["fast", "live"])
@pytest.mark.parametrize("streams", [1, 2])
def test_a_run_is_recorded_and_gives_the_same_again(edge_command, tmp_path: Path, clip: Path, pace, streams) -> None:
    options = (
        ("--file", clip) if streams == 1 else ("--stream", f"name=a,file={clip}", "--stream", f"name=b,file={clip}")
    )
    ran = edge_command(*options, *pace, *RUN, "--record", tmp_path / "kept", "--record-media")
    assert ran.status == 0, ran.err
    (folder,) = (tmp_path / "kept").iterdir()
    again = edge_command("replay", folder, "--compare")
    assert (again.status, again.err) == (0, "")
    equal = int(again.out.split()[0])
    assert again.out == f"{equal} messages are the same, 0 were not recorded\n"
    sent = [message for message in read_messages(folder) if hasattr(message, "topic")]
    assert equal == sum(message.topic != b"stats." for message in sent)
    assert sum(message.topic.startswith(b"emotion.") for message in sent) >= (2 if pace else 1) * streams
    assert read_metadata(folder).fast == bool(pace)


def test_several_recordings_played_fast_give_the_same_again(edge_command, tmp_path: Path, clip: Path) -> None:
    streams = [part for name in "abc" for part in ("--stream", f"name={name},file={clip}")]
    runs = []
    for attempt in "12":
        kept = tmp_path / attempt
        assert edge_command(*streams, "--fast", *RUN, "--record", kept).status == 0
        (folder,) = kept.iterdir()
        sent = [msgspec.json.decode(one.body) for one in read_messages(folder) if hasattr(one, "body")]
        runs.append([{key: fields[key] for key in fields.keys() - MEASURED - {"session"}} for fields in sent])
    assert runs[0] == runs[1]
    assert sum(fields["type"] == "prediction" for fields in runs[0]) >= 6


def change_session(folder: Path, **changes: object) -> None:
    path = file_of(folder)
    rewrite(path, kept_in(path), json.dumps(json.loads(attached(path)) | changes).encode())


def frame_whole(folder: Path) -> None:
    """Have no face looked for in what was recorded with faces."""
    course = json.loads(attached(file_of(folder)))["course"]
    assert course["framing"] == "face"
    change_session(folder, course=course | {"framing": "whole"})


@pytest.mark.parametrize(
    ("machine", "reason"),
    [
        (None, "it does not say on which machine it was recorded"),
        ({"processor": "Another (x86_64)"}, "it was recorded on Another (x86_64), this is "),
        ({"versions": {"onnxruntime": "0.1"}}, "it was recorded with numpy none, here is "),
    ],
    ids=["0.1.0", "another processor", "another version"],
)
def test_what_another_machine_recorded_is_compared_within_a_tolerance_that_says_why(
    edge_command, tmp_path: Path, machine: dict[str, object] | None, reason: str
) -> None:
    folder = Path(shutil.copytree(GOLDEN, tmp_path / "elsewhere"))
    change_session(folder, machine=machine and msgspec.to_builtins(here()) | machine)
    ended = edge_command("replay", folder, "--compare")
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.startswith(
        f"{SENT} messages are the same, 0 were not recorded; floats within 0.001, since {reason}"
    )
    change_session(folder, threads=0, start_unix_ns=1)
    frame_whole(folder)
    refused = edge_command("replay", folder, "--compare")
    assert (refused.status, refused.out) == (1, "")
    assert "prediction 0 of stream main" in refused.err
    assert f"(compared were floats within 0.001, since {reason}" in refused.err
    assert "a value that near to a threshold may fall on its other side" in refused.err


def test_without_record_media_only_messages_are_kept(edge_command, tmp_path: Path, clip: Path) -> None:
    assert edge_command("--file", clip, "--fast", *RUN, "--record", tmp_path / "kept").status == 0
    (folder,) = (tmp_path / "kept").iterdir()
    assert file_of(folder).name == file_name(0)
    assert {topic.split(".")[0] for topic, *_ in kept_in(file_of(folder))} == {
        "emotion",
        "event",
        "status",
        "recording",
    }
    refused = edge_command("replay", folder, "--compare")
    assert (refused.status, refused.out) == (2, "")
    assert f"{folder} was recorded without --record-media" in refused.err
    played = edge_command("replay", folder, "--fast", *ANYWHERE)
    assert played.status == 0
    assert len(played.out.splitlines()) == sum(hasattr(message, "topic") for message in read_messages(folder))


def hear(address: str, heard: list[list[bytes]], last: bytes) -> None:
    with zmq.Context() as context, context.socket(zmq.SUB) as socket:
        socket.subscribe(b"")
        socket.connect(address)
        while (not heard or heard[-1][1] != last) and socket.poll(20_000):
            heard.append(socket.recv_multipart())


def test_subscribers_get_what_was_sent(edge_command, tmp_path: Path, silent: Path) -> None:
    bodies = [one.body for one in read_messages(silent) if hasattr(one, "topic")]
    sent: list[Any] = [[topic(one), encode(one, "msgpack")] for one in map(decode, bodies)]
    address, heard = f"ipc://{tmp_path}/replayed", []
    listener = threading.Thread(target=hear, args=(address, heard, sent[-1][1]))
    listener.start()
    played = edge_command("replay", silent, "--bind", address)
    listener.join()
    assert played.status == 0
    assert f"replaying golden, publishing at {address}" in played.err
    assert len(played.out.splitlines()) == len(sent)
    assert len(heard) > 5
    assert heard == [one for one in sent if one in heard]


def test_with_media_the_model_looks_again_unless_told_not_to(edge_command) -> None:
    looked = edge_command("replay", GOLDEN, "--fast", *ANYWHERE)
    published = edge_command("replay", GOLDEN, "--fast", "--messages-only", *ANYWHERE)
    assert (looked.status, published.status) == (0, 0)
    unpublished = edge_command("replay", GOLDEN, "--fast")
    assert unpublished.err.endswith(", not publishing\n")
    assert unpublished.out == looked.out
    lines, others = looked.out.splitlines(), published.out.splitlines()
    assert len(lines) == len(others) == SENT
    assert edge_command("replay", GOLDEN, "--fast", "--quiet", *ANYWHERE).out == ""


@pytest.mark.parametrize(
    ("arguments", "status", "problem"),
    [
        ((GOLDEN, "--compare", "--messages-only"), 2, "was recorded with --record-media"),
        ((GOLDEN, "--bind", "tcp://0.0.0.0:5556"), 2, "--insecure"),
        ((GOLDEN, "--bundle", "/nowhere", "--compare"), 2, "/nowhere is not the recorded bundle foal-nano"),
        ((GOLDEN, "--bundle", "/nowhere"), 4, "no bundle at /nowhere"),
        ((GOLDEN.parent,), 3, f"give one of them, the latest is {GOLDEN.parent}"),
        ((GOLDEN / "x",), 3, "no recording at"),
        ((Path(__file__),), 3, "is no recording: it begins with"),
    ],
)
def test_what_cannot_be_replayed_is_said(edge_command, arguments: tuple[Any, ...], status: int, problem: str) -> None:
    ended = edge_command("replay", *arguments)
    assert (ended.status, ended.out) == (status, "")
    assert problem in ended.err


def test_a_difference_is_exit_status_1(edge_command, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(GOLDEN, tmp_path / "changed"))
    frame_whole(folder)
    ended = edge_command("replay", folder, "--compare")
    assert ended.status == 1
    assert "prediction 0 of stream main" in ended.err


@pytest.mark.parametrize("kept_topics", [("steps", "video"), ()], ids=["no message", "nothing"])
def test_where_nothing_can_be_compared_nothing_is_the_same(edge_command, tmp_path: Path, kept_topics) -> None:
    copied = tmp_path / "copied"
    shutil.copytree(GOLDEN, copied)
    path = file_of(copied)
    rewrite(path, [one for one in kept_in(path) if one[0].split(".")[0] in kept_topics])
    ended = edge_command("replay", copied, "--compare")
    assert ended.status == 1
    assert "nothing to compare" in ended.err


def test_recordings_of_the_first_version_are_replayed_as_well(edge_command) -> None:
    old = GOLDEN.parent / "schema_1"
    played = edge_command("replay", old, "--fast", "--messages-only", *ANYWHERE)
    assert played.status == 0
    assert len(played.out.splitlines()) == sum(hasattr(message, "topic") for message in read_messages(old))
