"""The journal of a run: each line says when, and nothing is said twice."""

import pytest

from edge.cli.journal import Journal
from edge.cli.times import Times
from edge.sources.caption import Caption
from edge.wire.evidence import AudioEvidence, Latency, VideoEvidence
from edge.wire.messages import Message, Node
from tests.edge.made_messages import EVENT, OF_PEOPLE, PERSON, PREDICTION, STATS, STATUS, numbered

SECOND = 1_000_000_000
SEEN = VideoEvidence("ok", 1, None, 30)
HEARD = AudioEvidence("ok", -20.0, 0.8)


def journal(*captions: Caption, shows_latency: bool = True) -> Journal:
    return Journal(Times({"cam1": 0}), captions, shows_latency=shows_latency)


def lines(*messages: Message) -> list[str]:
    told = journal()
    return [line for message in messages for line in told.lines(message)]


def test_a_prediction_says_when_what_how_sure_by_what_and_how_late() -> None:
    message = numbered(7, PREDICTION, mono_end=7 * SECOND, audio=HEARD, video=SEEN, latency_ms=Latency(1, 2, 3, 12.4))
    assert lines(message) == ["0:07.0  cam1  glad       calm  25%  glad  75%  by voice and face  12 ms"]
    assert list(journal(shows_latency=False).lines(message)) == [
        "0:07.0  cam1  glad       calm  25%  glad  75%  by voice and face"
    ]


@pytest.mark.parametrize(
    ("audio", "video", "words"),
    [
        (HEARD, SEEN, "by voice and face"),
        (HEARD, VideoEvidence("no_face", 0, None, 0), "by voice "),
        (AudioEvidence("no_speech", -60.0, 0.0), SEEN, "by face "),
        (AudioEvidence("off", None, None), VideoEvidence("ok", None, None, 3), "by picture "),
        (AudioEvidence("no_speech", -60.0, 0.0), VideoEvidence("dark", 0, None, 0), "by nothing "),
    ],
)
def test_a_prediction_says_what_it_is_based_on(audio, video, words: str) -> None:
    assert words in lines(numbered(0, PREDICTION, audio=audio, video=video))[0]


def test_an_event_tells_the_change() -> None:
    assert lines(EVENT, numbered(0, EVENT, label="calm", previous=None, mono_since=SECOND)) == [
        "0:00.0  cam1  is now uncertain (50%), before glad",
        "0:01.0  cam1  is now calm (50%)",
    ]


def test_a_state_is_told_in_words_and_once() -> None:
    lost = numbered(1, STATUS, state="degraded", audio="lost")
    assert lines(STATUS, STATUS, lost, lost, STATUS) == [
        "0:00.0  cam1  online: audio ok, video off",
        "0:00.0  cam1  degraded: audio lost (nothing arrives), video off",
        "0:00.0  cam1  online: audio ok, video off",
    ]
    assert lines(numbered(0, STATUS, audio="no_speech", video="dark")) == [
        "0:00.0  cam1  online: audio no_speech (nobody speaks), video dark (lens covered, or too little light)"
    ]
    assert lines(numbered(0, STATUS, state="stopped")) == ["0:00.0  cam1  stopped"]


def test_each_stream_has_a_state_of_its_own() -> None:
    other = numbered(0, STATUS, stream="door", t_publish=0)
    assert [line.split("  ")[1] for line in lines(STATUS, other, STATUS, other)] == ["cam1", "door"]


def test_a_new_hop_is_told() -> None:
    assert lines(STATUS, numbered(1, STATUS, hop_s=0.75))[1].endswith("video off, a prediction every 0.75 s")


def test_people_are_told_when_they_come_and_when_they_leave() -> None:
    there = numbered(1, OF_PEOPLE["status"], t_publish=STATUS.t_publish)
    gone = numbered(2, STATUS, left=[1, 2])
    assert lines(STATUS, there, numbered(2, there, came=[], left=[]), gone)[1:] == [
        "0:00.0  cam1  person 2 came, person 3 left; 2 there",
        "0:00.0  cam1  person 1 left, person 2 left; nobody there",
    ]


def test_a_person_is_named_by_number_and_the_steady_label_is_told_on_a_change() -> None:
    messages = [numbered(n, PERSON, mono_end=n * SECOND, steady=label) for n, label in enumerate(("uncertain", "calm"))]
    other = numbered(0, messages[1], person=1)
    prediction = "calm       calm  62%  glad  38%  by voice and face  4 ms"
    assert lines(*messages, other, numbered(2, messages[1], mono_end=2 * SECOND)) == [
        f"0:00.0  cam1 person 2  {prediction}",
        "0:01.0  cam1 person 2  is now calm",
        f"0:01.0  cam1 person 2  {prediction}",
        "0:01.0  cam1 person 1  is now calm",
        f"0:01.0  cam1 person 1  {prediction}",
        f"0:02.0  cam1 person 2  {prediction}",
    ]


def test_drops_are_told_when_they_have_grown() -> None:
    assert lines(numbered(0, STATS, dropped={"windows_late": 0})) == []
    grown = numbered(1, STATS, dropped={"windows_late": 2})
    assert lines(STATS, STATS, grown, grown) == [
        "0:00.0  dropped so far: windows_late 1",
        "0:00.0  dropped so far: windows_late 2",
    ]


def test_drops_are_told_by_node() -> None:
    of_a, of_b = (numbered(0, STATS, node=Node(name, "p", None, None, None)) for name in "ab")
    assert lines(of_a, of_b, of_a, of_b) == [
        "0:00.0  a  dropped so far: windows_late 1",
        "0:00.0  b  dropped so far: windows_late 1",
    ]


def test_what_the_demo_shows_is_told_when_it_shows_it() -> None:
    told = journal(Caption(0, "a face"), Caption(2 * SECOND, "a hand"))
    first = list(told.lines(numbered(0, PREDICTION, mono_end=SECOND)))
    assert first[0] == "0:00.0  the demo shows a face"
    assert len(first) == 2
    assert list(told.news(numbered(1, PREDICTION, mono_end=2 * SECOND))) == ["0:02.0  the demo shows a hand"]
    assert list(told.news(numbered(2, PREDICTION, mono_end=3 * SECOND))) == []
