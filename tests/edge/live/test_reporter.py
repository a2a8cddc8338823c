"""What is said of one stream: predictions, steady states, statuses, each with its number."""

import numpy as np
import pytest

from edge.live.inbox import Delivery
from edge.live.recognizer import Recognizer
from edge.preprocess.media import Block, Frame, Media
from edge.wire.drop_reasons import DROP_REASONS
from edge.wire.messages import Prediction, Status, SteadyState
from tests.edge.made_run import MS, WALL_NS, MadeRun, recorded

NONE_DROPPED = dict.fromkeys(DROP_REASONS, 0)


@pytest.fixture
def made(manifest, numpy_backend) -> MadeRun:
    return MadeRun(Recognizer(manifest, numpy_backend), latest_only=False)


def test_a_prediction_says_what_it_stood_on(made: MadeRun) -> None:
    made.step(500, recorded(500))
    message = made.of_kind(Prediction)[0]
    heard, seen = 1, 3
    odds = np.exp((seen - heard) / 2.0)
    assert message.label == "glad"
    assert message.probs == pytest.approx([1 / (1 + odds), odds / (1 + odds)])
    assert message.confidence == message.probs[1]
    assert message.agreement == pytest.approx(0.96)
    assert (message.audio.state, message.audio.speech) == ("ok", 0.0)
    assert message.audio.rms_dbfs == pytest.approx(-6.02, abs=0.001)
    assert (message.video.state, message.video.faces, message.video.box) == ("ok", None, None)
    assert (message.bundle, message.backend, message.stream) == ("tiny 0.0.1", "numpy", "cam1")
    assert (message.t_start, message.t_end) == (WALL_NS, WALL_NS + 500 * MS)
    assert (message.latency_ms.total, message.dropped) == (0.0, NONE_DROPPED)


def test_numbers_count_each_kind_of_message(made: MadeRun) -> None:
    made.play(recorded(5000))
    for kind in (Prediction, Status, SteadyState):
        numbers = [message.seq for message in made.of_kind(kind)]
        assert numbers == list(range(len(numbers)))
        assert numbers


def test_the_first_window_brings_the_first_steady_state(made: MadeRun) -> None:
    made.play(recorded(5000))
    media = made.of_kind(SteadyState)
    prediction = made.of_kind(Prediction)[0]
    assert (media[0].previous, media[0].mono_since, media[0].t_since) == (
        None,
        prediction.mono_end,
        prediction.t_end,
    )
    assert media[0].labels == ["calm", "glad"]
    assert sum(media[0].probs) == pytest.approx(1)


def test_what_was_dropped_before_it_arrived_is_added_to_the_windows(made: MadeRun) -> None:
    made.step(500, recorded(500), dropped=[{"frames_overload": 3, "messages_queue": 1}])
    made.step(9000, [], dropped=[{"frames_overload": 3, "messages_queue": 2}])
    assert made.of_kind(Prediction)[0].dropped == NONE_DROPPED | {"frames_overload": 3, "messages_queue": 1}
    expected = {"frames_overload": 3, "messages_queue": 2, "windows_empty": 16}
    assert made.of_kind(Status)[-1].dropped == NONE_DROPPED | expected


def test_losing_the_sound_is_told(made: MadeRun) -> None:
    made.play(recorded(0, sound_ms=1000, picture_ms=3000))
    states = [(message.state, message.audio, message.video) for message in made.of_kind(Status)]
    assert ("online", "ok", "ok") in states
    assert states[-1] == ("degraded", "lost", "ok")
    predictions = made.of_kind(Prediction)
    assert [message.audio.state for message in predictions] == ["ok", "ok", "ok", "lost", "lost"]
    assert [message.agreement is None for message in predictions] == [False, False, False, True, True]
    assert (predictions[-1].audio.rms_dbfs, predictions[-1].audio.speech) == (None, None)


@pytest.mark.parametrize(
    ("sound_ms", "picture_ms", "state"),
    [(3000, 3000, "online"), (1000, 3000, "degraded"), (3000, 1000, "degraded"), (1000, 1000, "lost")],
)
def test_a_stream_is_as_well_as_its_modalities(made: MadeRun, sound_ms: int, picture_ms: int, state: str) -> None:
    made.step(3000, recorded(0, sound_ms=sound_ms, picture_ms=picture_ms))
    assert made.of_kind(Status)[-1].state == state


def test_the_status_is_told_every_second_where_nothing_changes(made: MadeRun) -> None:
    made.play(recorded(5000))
    steady = [time for time in (message.mono_publish // MS for message in made.of_kind(Status)) if time >= 200]
    assert np.diff(steady).tolist() == [1000] * (len(steady) - 1)
    assert len(steady) >= 4


def test_another_hop_is_told(made: MadeRun) -> None:
    made.play(recorded(600))
    made.hop_ms = 800
    made.step(800, [])
    assert [message.hop_s for message in made.of_kind(Status)][-2:] == [0.5, 0.8]


def test_the_end_is_told_once_and_last(made: MadeRun) -> None:
    made.step(500, recorded(500))
    for _ in range(2):
        made.take(500 * MS, [Delivery(0, None)])
    made.step(2000, [])
    assert [message.state for message in made.of_kind(Status)].count("stopped") == 1
    assert made.published[-1].state == "stopped"


def sounding(end_ms: int, loud_ms: int, *, pictures: bool) -> list[Media]:
    """Blocks that are a voice until `loud_ms`, then too faint for one; with pictures of a face or none."""
    levels = [(at, 0.5 if at <= loud_ms else 0.1) for at in range(20, end_ms + 1, 20)]
    blocks = [Block(np.tile(np.float32([level, -level]), 10), at * MS) for at, level in levels]
    faces = [item for item in recorded(end_ms) if isinstance(item, Frame)] if pictures else []
    return sorted([*blocks, *faces], key=lambda item: item.end_ns)


def made_with(manifest, backend) -> MadeRun:
    return MadeRun(Recognizer(manifest, backend), latest_only=False)


def test_sound_without_a_voice_is_no_speech_and_the_face_speaks_alone(voice_manifest, numpy_backend) -> None:
    made = made_with(voice_manifest, numpy_backend)
    made.play(sounding(3000, 0, pictures=True))
    for message in made.of_kind(Prediction):
        assert (message.audio.state, message.audio.speech, message.agreement) == ("no_speech", 0.0, None)
        assert message.audio.rms_dbfs == pytest.approx(-20, abs=0.01)
        assert (message.label, message.video.state) == ("glad", "ok")
    assert made.of_kind(Status)[-1].audio == "no_speech"
    assert made.of_kind(Status)[-1].state == "online"


def test_where_nobody_speaks_and_no_face_is_seen_the_label_is_uncertain(voice_manifest, numpy_backend) -> None:
    made = made_with(voice_manifest, numpy_backend)
    made.play(sounding(3000, 0, pictures=False))
    predictions = made.of_kind(Prediction)
    assert len(predictions) >= 5
    for message in predictions:
        assert (message.label, message.probs, message.confidence) == ("uncertain", [0.5, 0.5], 0.5)
    assert [message.label for message in made.of_kind(SteadyState)] == ["uncertain"]


def test_a_voice_comes_and_goes_with_the_seconds_of_it_in_the_window(voice_manifest, numpy_backend) -> None:
    """A window of 2 s wants 1 s of voice: the first half second has too little, and so has the last second of pause."""
    made = made_with(voice_manifest, numpy_backend)
    made.play(sounding(4500, 2000, pictures=False))
    predictions = made.of_kind(Prediction)
    states = [(message.mono_end // MS, message.audio.state) for message in predictions]
    assert states == [(at, "ok" if 1000 <= at <= 3000 else "no_speech") for at in range(500, 4501, 500)]
    assert [message.label for message in predictions] == ["uncertain", *["calm"] * 5, *["uncertain"] * 3]
    changes = [message.audio for message in made.of_kind(Status)]
    assert changes == sorted(changes, reverse=True)
    assert set(changes) == {"ok", "no_speech"}
    assert [message.label for message in made.of_kind(SteadyState)] == ["uncertain", "calm", "uncertain"]


def test_a_bundle_that_knows_no_voice_measures_energy(made: MadeRun) -> None:
    made.play(sounding(2000, 1000, pictures=False))
    last = made.of_kind(Prediction)[-1]
    assert (last.audio.state, last.label) == ("ok", "calm")
    assert last.audio.speech == pytest.approx(0.5, abs=0.02)


def test_a_muted_or_lost_microphone_is_told_before_the_voice(voice_manifest, numpy_backend) -> None:
    made = made_with(voice_manifest, numpy_backend)
    silence = [Block(np.zeros(20, np.float32), at * MS) for at in range(1020, 3001, 20)]
    made.play([*sounding(1000, 0, pictures=False), *silence, Frame(np.full((8, 8, 3), 99, np.uint8), 4000 * MS)])
    assert [message.audio for message in made.of_kind(Status)][-1] == "lost"
    assert "silent" in [message.audio for message in made.of_kind(Status)]
