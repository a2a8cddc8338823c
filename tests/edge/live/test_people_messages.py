"""Messages about several people: of the main person, of each, and of who came and left."""

import numpy as np
import pytest

from edge.geometry import Box
from edge.live.active_speaker import UNCLEAR
from edge.live.inbox import Delivery, LoopInput
from edge.live.loop import Loop
from edge.live.recognizer import Recognizer
from edge.live.reporter import DropCounter, Reporter
from edge.live.speaker_turns import NOBODY
from edge.live.steady_state_config import SteadyStateConfig
from edge.live.stream_runner import Failures, StreamRunner
from edge.preprocess.media import Block, Frame
from edge.wire.evidence import PersonSeen
from edge.wire.messages import Message, PersonPrediction, Prediction, Status, SteadyState
from tests.edge.live.test_people import FRAME_MS, HOP_MS, MS, Crowd


class Watched:
    """Crowd whose messages are kept."""

    def __init__(self, manifest, recognizer: Recognizer, *turns: tuple[int, int]) -> None:
        self.crowd, self.messages = Crowd(manifest, recognizer, *turns), list[Message]()
        reporter = Reporter(
            "s", self.crowd.stream, DropCounter("cam1"), manifest, SteadyStateConfig(), self.messages.append
        )
        self.failures = Failures(1)
        self.loop = Loop([StreamRunner(0, self.crowd.stream, reporter, self.failures)], recognizer, latest_only=False)

    def play(self, begin_ms: int, end_ms: int, *there: int) -> None:
        """Show people, with sound, in steps of a frame."""
        self.crowd.there = there
        for at in range(begin_ms, end_ms, FRAME_MS):
            block = Block(np.tile(np.float32([0.5, -0.5]), FRAME_MS // 2), (at + FRAME_MS) * MS)
            media = [Frame(np.full((80, 80, 3), 128, np.uint8), at * MS), block]
            self.step(at + FRAME_MS, [Delivery(0, item) for item in media])

    def step(self, now_ms: int, deliveries: list[Delivery]) -> None:
        self.loop.run_once(LoopInput(now_ms * MS, 0, HOP_MS * MS, deliveries, [{}]))
        self.failures.raise_any()

    def of_kind(self, kind: type) -> list:
        return [message for message in self.messages if isinstance(message, kind)]


@pytest.fixture
def watch(manifest, numpy_backend):
    def make(*turns: tuple[int, int]) -> Watched:
        return Watched(manifest, Recognizer(manifest, numpy_backend), *turns)

    return make


def test_each_hop_has_a_prediction_of_the_main_person_and_of_each(watch) -> None:
    watched = watch((0, 1))
    watched.play(0, 2000, 1, 2)
    streams, people = watched.of_kind(Prediction), watched.of_kind(PersonPrediction)
    assert [message.person for message in streams] == [1] * 4
    assert [message.seq for message in streams] == [0, 1, 2, 3]
    assert [(message.person, message.seq) for message in people] == [(who, hop) for hop in range(4) for who in (1, 2)]
    assert [message.probs for message in streams] == [message.probs for message in people if message.person == 1]
    assert {message.audio.voice_of for message in people if message.person == 2} == {"other"}
    assert {message.agreement is None for message in people if message.person == 2} == {True}
    assert {message.agreement is None for message in people if message.person == 1} == {False}


def test_the_prediction_says_where_everyone_is_and_who_speaks(watch) -> None:
    watched = watch((0, 2))
    watched.play(0, 1000, 1, 2)
    message = watched.of_kind(Prediction)[-1]
    assert (message.person, message.video.faces, message.video.box) == (2, 3, Box(2, 0, 20, 20))
    assert message.video.people == [
        PersonSeen(1, Box(1, 0, 10, 10), speaking=False),
        PersonSeen(2, Box(2, 0, 20, 20), speaking=True),
    ]
    assert message.audio.voice_of == "person"
    assert all(each.video.people == [] for each in watched.of_kind(PersonPrediction))


def test_what_is_unclear_counts_for_nobody_and_is_said(watch) -> None:
    watched = watch((0, UNCLEAR))
    watched.play(0, 1000, 1, 2)
    message = watched.of_kind(Prediction)[-1]
    assert (message.audio.voice_of, message.agreement) == ("unclear", None)
    assert [person.speaking for person in message.video.people] == [None, None]
    assert message.audio.state == "no_speech"


def test_who_came_and_left_is_said_once(watch) -> None:
    watched = watch((0, NOBODY))
    watched.play(0, 1000, 1)
    watched.play(1000, 2000, 1, 2)
    watched.play(2000, 5000, 2)
    watched.step(5200, [Delivery(0, None)])
    statuses = watched.of_kind(Status)
    assert [(message.came, message.left) for message in statuses if message.came or message.left] == [
        ([1], []),
        ([2], []),
        ([], [1]),
        ([], [2]),
    ]
    assert statuses[-1].state == "stopped"
    assert {tuple(message.people) for message in statuses} == {(1,), (1, 2), (2,), ()}


def test_with_nobody_there_the_prediction_is_by_voice_and_of_nobody(watch) -> None:
    watched = watch((0, NOBODY))
    watched.play(0, 1000)
    message = watched.of_kind(Prediction)[-1]
    assert (message.person, message.audio.state, message.audio.voice_of, message.video.people) == (None, "ok", None, [])
    assert not watched.of_kind(PersonPrediction)


def test_the_steady_state_is_the_main_persons(watch) -> None:
    watched = watch((0, 1))
    watched.play(0, 4000, 1, 2)
    steady = {message.steady for message in watched.of_kind(PersonPrediction) if message.person == 1}
    assert steady == {watched.of_kind(SteadyState)[-1].label}


def test_numbers_go_on_where_somebody_comes_back(watch) -> None:
    watched = watch((0, NOBODY))
    watched.play(0, 1000, 1)
    watched.play(1000, 5000)
    watched.play(5000, 6000, 1)
    numbers = [message.seq for message in watched.of_kind(PersonPrediction)]
    assert numbers == list(range(len(numbers)))
