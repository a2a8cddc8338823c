"""What the page says, as HTML that trusts nothing it received."""

import pytest

from edge.view import markup
from edge.view.history import Change
from edge.view.link import Link
from edge.view.runtime import Runtime
from edge.wire.evidence import AudioEvidence, VideoEvidence
from edge.wire.messages import Node
from tests.edge.made_messages import EVENT, OF_PEOPLE, PREDICTION, STATS, STATUS, numbered
from tests.edge.view.made_markup import EVIL, Text, of, said


def test_nothing_that_was_received_becomes_markup():
    prediction = numbered(1, PREDICTION, label=EVIL, labels=[EVIL, "b"], bundle=EVIL, backend=EVIL, dropped={EVIL: 3})
    history = of(prediction, numbered(1, EVENT, label=EVIL, labels=[EVIL, "b"]))
    history.name = EVIL
    history.changes.append(Change(1, EVIL))
    runtime = Runtime(Link(f"ipc://{EVIL}"))
    runtime.links[0].problem = EVIL
    runtime.streams["a"] = history
    for html in (
        markup.about_runtime(runtime, 0.0),
        markup.title(history),
        markup.now(history),
        markup.evidence(history),
        markup.drops(history.dropped),
        markup.latency(history.latency()),
        markup.changes(history.changes),
    ):
        assert "img" not in Text(html).tags
    assert EVIL in said(markup.title(history))


def test_each_modality_says_its_state_in_words():
    audio = AudioEvidence("no_speech", -52.4, 0.02)
    video = VideoEvidence("no_face", 0, None, 28)
    text = said(markup.evidence(of(numbered(1, PREDICTION, audio=audio, video=video))))
    assert "no speech – sound, but no voice in it" in text
    assert "level -52 dBFS speech 2%" in text
    assert "no face – frames, but no face in them" in text
    assert "faces none face – frames 28 in the window agreement –" in text


def test_several_faces_are_told():
    video = VideoEvidence("ok", 3, PREDICTION.video.box, 30)
    assert "faces 3; the largest counts" in said(markup.evidence(of(numbered(1, PREDICTION, video=video))))


def test_the_newest_probabilities_are_a_table_from_top_to_bottom():
    text = said(markup.now(of(PREDICTION)))
    assert text == "Newest prediction: glad glad 75% calm 25%"


def test_the_main_person_is_named_where_there_are_several():
    text = said(markup.evidence(of(OF_PEOPLE["prediction"])))
    assert "voice of the main person" in text
    assert "faces 2; person 2 counts" in text
    assert "voice of" not in said(markup.evidence(of(PREDICTION)))


def test_the_steady_state_says_since_when():
    seconds = 1_000_000_000
    history = of(numbered(1, PREDICTION, mono_end=90 * seconds), numbered(1, EVENT, mono_since=5 * seconds))
    assert said(markup.title(history)) == "cam1 uncertain 50%, for 1 min 25 s"
    assert "no steady state yet" in markup.title(of(STATUS))


@pytest.mark.parametrize(
    ("silence_s", "expected"), [(0.0, "● live"), (12.0, "✕ gone"), (3700.0, "No message for 1 h 1 min")]
)
def test_a_runtime_says_whether_it_is_there(silence_s: float, expected: str):
    runtime = Runtime(Link("tcp://robot:5556"))
    runtime.add(STATS, 100.0)
    runtime.add(PREDICTION, 100.0)
    text = said(markup.about_runtime(runtime, 100.0 + silence_s))
    assert text.startswith("tcp://robot:5556")
    assert expected in text
    assert "tiny 0.0.1 on numpy · hop 0.5 s · busy 25% · up 4 s" in text


def test_a_proxy_tells_how_many_nodes_there_are_and_which_is_gone():
    runtime = Runtime(Link("tcp://robot:5556"))
    for name, at_s in (("lobby", 100.0), ("gate", 110.0)):
        runtime.add(numbered(0, STATS, node=Node(name, "p", 0, 0, 1)), at_s)
    text = said(markup.about_runtime(runtime, 110.0))
    assert "● live 2 nodes" in text
    assert "No message of lobby for 10 s." in text
    assert "gate" not in text


def test_who_waits_is_told_what_to_look_at():
    assert "does it want --keys?" in markup.about_runtime(Runtime(Link("tcp://robot:5556")), 0.0)


def test_drops_are_told_by_reason_and_only_where_there_are_some():
    text = said(markup.drops({"windows_late": 2, "frames_stale": 0, "new_reason": 1}))
    assert text == "Dropped since the start windows skipped because a later window was due as well 2 new_reason 1"
    assert said(markup.drops({"windows_late": 0})) == "Dropped since the start nothing"


def test_changes_come_newest_first_and_a_keyboard_can_scroll_them():
    html = markup.changes([Change(1_000_000_000, "audio: no_speech → ok"), Change(61_000_000_000, "video: lost")])
    assert said(html) == "Devices and sessions 00:01:01 video: lost 00:00:01 audio: no speech → ok"
    assert 'tabindex="0"' in html


@pytest.mark.parametrize(("seconds", "text"), [(0.9, "0 s"), (59.9, "59 s"), (61, "1 min 1 s"), (7384, "2 h 3 min")])
def test_durations(seconds: float, text: str):
    assert markup.duration(seconds) == text
