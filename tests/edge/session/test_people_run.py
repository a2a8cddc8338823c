"""Whole runs with several people: drawn faces that come and leave are told apart, recorded and replayed."""

import threading
from pathlib import Path

import numpy as np
import pytest

from edge.backends.tensorrt.progress import quiet_engine_builder
from edge.clock import SECOND_NS
from edge.recognizer import Recognizer
from edge.session.config import Config, StreamConfig
from edge.session.run import run
from edge.sources.demo import PARTS, face
from edge.wire.messages import Message, PersonPrediction, Prediction, Status

FPS = 15


def two_faces(seconds: float, begin_s: float, end_s: float) -> np.ndarray:
    """Frames of a drawn face, and beside it a mirrored one from one time to another."""
    first, second = face(PARTS[0].mood), face(PARTS[1].mood)[:, ::-1]
    nobody = np.broadcast_to(second[:1, :1], second.shape)
    there = [begin_s <= index / FPS < end_s for index in range(round(seconds * FPS))]
    return np.stack([np.hstack([first, second if is_there else nobody]) for is_there in there])


@pytest.fixture(scope="module")
def film(make_clip, tone, tmp_path_factory) -> Path:
    return make_clip(tmp_path_factory.mktemp("film") / "two.mkv", two_faces(9, 2, 5), tone(9), fps=FPS)


def test_who_comes_and_leaves_has_messages_while_there(film: Path) -> None:
    settings = Config(fast=True, detector="cascade", streams=(StreamConfig(file=str(film), people=2),))
    said: list[Message] = []
    run(settings, threading.Event(), quiet_engine_builder(), lambda _: None, said.append)
    streams = [each for each in said if isinstance(each, Prediction)]
    people = [each for each in said if isinstance(each, PersonPrediction)]
    assert {each.person for each in streams} == {1}
    assert [each.mono_end for each in people if each.person == 1] == [each.mono_end for each in streams]
    second_s = [each.mono_end / SECOND_NS for each in people if each.person == 2]
    assert 2 < second_s[0] <= 4.5  # looked for every two seconds, published at the next hop
    assert 5 <= second_s[-1] <= 7.5  # there until not seen for two seconds
    changes = [(each.came, each.left) for each in said if isinstance(each, Status) and (each.came or each.left)]
    assert changes == [([1], []), ([2], []), ([], [2]), ([], [1])]


def test_a_recorded_run_of_several_people_replays_the_same(film: Path, edge_command, tmp_path: Path) -> None:
    edge_command("--file", film, "--fast", "--people", 2, "--quiet", "--record", tmp_path, "--record-media")
    [run] = tmp_path.iterdir()
    ended = edge_command("replay", run, "--compare")
    assert ended.status == 0, ended.err
    assert "messages are the same" in ended.out


def test_rows_of_an_annotation_are_of_each_person(film: Path) -> None:
    rows = Recognizer().annotate(film, people=2).rows
    assert {row.face_id for row in rows} == {1, 2}
    alone = Recognizer().annotate(film).rows
    assert [row.end_s for row in rows if row.face_id == 1] == [row.end_s for row in alone]


def test_the_first_person_of_two_is_seen_as_alone(film: Path) -> None:
    people = {row.end_s: row for row in Recognizer().annotate(film, audio=False, people=2).rows if row.face_id == 1}
    for row in Recognizer().annotate(film, audio=False).rows:
        followed = people[row.end_s]
        assert followed.frames == row.frames
        assert np.abs(np.subtract(followed.box, row.box)).max() <= 5  # detections of one face are pixels apart
