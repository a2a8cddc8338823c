"""Bags of ROS 2, written without ROS and read back by rosbags and, where it is there, by the mcap library."""

import json
import math
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

rosbags = pytest.importorskip("rosbags", reason="pip install 'foal-edge[ros]'")

from rosbags.highlevel import AnyReader  # noqa: E402
from rosbags.rosbag2 import Reader  # noqa: E402

from edge.bridges import ros_messages as ros  # noqa: E402
from edge.bridges.rosbag import RosbagBridge  # noqa: E402
from edge.errors import FoalError, UsageError  # noqa: E402
from edge.wire.messages import Message, Node, decode  # noqa: E402
from tests.edge.made_messages import (  # noqa: E402
    EVENT,
    OF_PEOPLE,
    PERSON,
    PREDICTION,
    STATS,
    STATUS,
    WITHOUT_PICTURE,
    numbered,
)

ROOT = Path(__file__).parents[3]
T_NS = 1_764_000_000_123_456_789
LATE = numbered(7, PREDICTION, t_end=T_NS, t_publish=T_NS + 10**7, label="fear", labels=["calm", "fear"])


def written(folder: Path, *messages: Message) -> dict[str, list[tuple[int, Any]]]:
    """Topic -> time in the bag and message, read with the types that the bag itself holds."""
    bridge = RosbagBridge(folder)
    for message in messages:
        bridge.send(message)
    bridge.close()
    found: dict[str, list[tuple[int, Any]]] = {}
    with AnyReader([folder]) as reader:
        for connection, t_ns, raw in reader.messages():
            found.setdefault(connection.topic, []).append((t_ns, reader.deserialize(raw, connection.msgtype)))
    return found


def test_a_prediction_is_an_expression_with_its_capture_time(tmp_path) -> None:
    ((t_ns, said),) = written(tmp_path / "bag", LATE)["/humans/faces/cam1/expression"]
    assert t_ns == T_NS + 10**7
    assert (said.header.stamp.sec, said.header.stamp.nanosec) == divmod(T_NS, 10**9)
    assert (said.header.frame_id, said.expression, said.confidence) == ("cam1", "scared", 0.75)
    assert math.isnan(said.valence)
    assert math.isnan(said.arousal)


@pytest.mark.parametrize(
    ("label", "word"),
    [("angry", "angry"), ("disgust", "disgusted"), ("fear", "scared"), ("surprise", "surprised"), ("bored", "bored")],
)
def test_labels_become_the_words_of_ros4hri(label: str, word: str) -> None:
    assert ros.expression(ros.typestore(), numbered(0, PREDICTION, label=label)).expression == word


def test_what_is_uncertain_is_no_expression(tmp_path) -> None:
    said = ros.expression(ros.typestore(), numbered(0, PREDICTION, label="uncertain"))
    assert (said.expression, said.confidence) == ("", 0.0)


def test_every_message_is_there_as_json_whole(tmp_path) -> None:
    found = written(tmp_path / "bag", *WITHOUT_PICTURE)
    of_stream = [f"/foal_edge/cam1/{kind}" for kind in ("emotion", "event", "status")]
    topics = [*of_stream, "/foal_edge/stats", "/foal_edge/cam1/person"]
    assert [decode(found[topic][0][1].data.encode()) for topic in topics] == WITHOUT_PICTURE


def test_the_stats_of_each_node_of_a_fleet_have_a_topic() -> None:
    assert ros.json_topic(numbered(0, STATS, node=Node("lobby-2", "p", 0, 0, 0))) == "/foal_edge/lobby_2/stats"


def test_faces_are_listed_while_their_streams_deliver(tmp_path) -> None:
    states = [
        numbered(0, STATUS, t_publish=10),
        numbered(1, STATUS, t_publish=20),
        numbered(0, STATUS, t_publish=30, stream="2nd-cam"),
        numbered(2, STATUS, t_publish=40, state="lost"),
        numbered(1, STATUS, t_publish=50, stream="2nd-cam", state="stopped"),
    ]
    found = written(tmp_path / "bag", *states)["/humans/faces/tracked"]
    assert [(t_ns, said.ids) for t_ns, said in found] == [
        (10, ["cam1"]),
        (30, ["s2nd_cam", "cam1"]),
        (40, ["s2nd_cam"]),
        (50, []),
    ]


def test_each_of_several_people_is_a_face(tmp_path) -> None:
    there = OF_PEOPLE["status"]
    messages = [
        numbered(0, STATUS, t_publish=10),
        PERSON,
        numbered(1, there, t_publish=20),
        numbered(0, STATUS, t_publish=25, stream="door"),
        numbered(2, STATUS, t_publish=30, left=[1, 2]),
        numbered(3, STATUS, t_publish=40),
        numbered(4, there, t_publish=50, state="stopped"),
    ]
    found = written(tmp_path / "bag", *messages)
    assert [said.expression for _, said in found["/humans/faces/cam1_person_2/expression"]] == ["calm"]
    assert "/humans/faces/cam1/expression" not in found
    assert [(t_ns, said.ids) for t_ns, said in found["/humans/faces/tracked"]] == [
        (10, ["cam1"]),
        (20, ["cam1_person_1", "cam1_person_2"]),
        (25, ["cam1_person_1", "cam1_person_2", "door"]),
        (30, ["door"]),
    ]


def test_the_types_hash_as_ros_computes_them(tmp_path) -> None:
    # REP 2016's hash of the fields alone: of std_msgs/String as every ROS 2 from Iron on prints it
    known = "RIHS01_df668c740482bbd48fb39d76a70dfd4bd59db1288021743503259e948f6b1a18"
    assert ros.typestore().hash_rihs01(ros.TEXT) == known
    assert ros.typestore().hash_rihs01(ros.EXPRESSION).startswith("RIHS01_")


def test_the_bag_says_what_it_holds(tmp_path) -> None:
    written(tmp_path / "bag", *WITHOUT_PICTURE)
    with Reader(tmp_path / "bag") as reader:
        counts = {connection.topic: (connection.msgtype, connection.msgcount) for connection in reader.connections}
        assert counts["/humans/faces/cam1/expression"] == ("hri_msgs/msg/Expression", 1)
        assert counts["/foal_edge/stats"] == ("std_msgs/msg/String", 1)
    assert (tmp_path / "bag" / "metadata.yaml").is_file()


def test_the_mcap_library_reads_it_too(tmp_path) -> None:
    mcap_reader = pytest.importorskip("mcap.reader", reason="pip install mcap")
    written(tmp_path / "bag", LATE, STATS)
    with (tmp_path / "bag" / "bag.mcap").open("rb") as file:
        found = list(mcap_reader.make_reader(file, validate_crcs=True).iter_messages())
    kinds = {(channel.topic, schema.name, schema.encoding, channel.message_encoding) for schema, channel, _ in found}
    assert ("/humans/faces/cam1/expression", "hri_msgs/msg/Expression", "ros2msg", "cdr") in kinds
    times = {channel.topic: message.log_time for _, channel, message in found}
    assert times["/foal_edge/cam1/emotion"] == T_NS + 10**7


def test_a_bag_that_was_killed_keeps_what_was_flushed(tmp_path) -> None:
    stream_reader = pytest.importorskip("mcap.stream_reader", reason="pip install mcap")
    code = (
        "import os, signal, sys; from pathlib import Path; from edge.bridges.rosbag import RosbagBridge\n"
        "from tests.edge.made_messages import EVENT, numbered\n"
        "bridge = RosbagBridge(Path(sys.argv[1]))\n"
        "for seq in range(5): bridge.send(numbered(seq, EVENT))\n"
        "bridge._flushed_s = -1e9; bridge.send(numbered(5, EVENT)); bridge.send(numbered(6, EVENT))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    exceptions = pytest.importorskip("mcap.exceptions", reason="pip install mcap")
    ended = subprocess.run([sys.executable, "-c", code, str(tmp_path / "bag")], cwd=ROOT, env={**os.environ})
    assert ended.returncode == -signal.SIGKILL
    kept = []
    with (tmp_path / "bag" / "bag.mcap").open("rb") as file, suppress(exceptions.EndOfFile):  # there is no end
        for record in stream_reader.StreamReader(file, emit_chunks=False).records:
            if type(record).__name__ == "Message":
                kept.append(json.loads(record.data[8:].rstrip(b"\0"))["seq"])
    assert kept == [0, 1, 2, 3, 4, 5]


def test_a_folder_that_is_there_is_not_overwritten(tmp_path) -> None:
    with pytest.raises(UsageError, match=r"exists already.*give a new folder"):
        RosbagBridge(tmp_path)


def test_a_full_disk_is_said(tmp_path, monkeypatch) -> None:
    bridge = RosbagBridge(tmp_path / "bag")
    bridge.send(EVENT)
    storage = bridge._writer.storage
    storage.bio.close()
    with open("/dev/full", "wb", buffering=0) as full:
        storage.bio = full
        bridge._flushed_s = -1e9
        with pytest.raises(FoalError, match=r"cannot write the bag .*: No space left on device; make room"):
            bridge.send(EVENT)


@pytest.mark.parametrize(
    ("text", "name"), [("cam1", "cam1"), ("2nd-cam", "s2nd_cam"), ("a--b", "a_b"), ("-_x", "_x"), ("", "s")]
)
def test_names_are_those_that_ros_takes(text: str, name: str) -> None:
    assert ros.ros_name(text) == name
