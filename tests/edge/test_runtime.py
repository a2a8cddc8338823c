"""The loop in the middle, on a backend reckoned by hand and a clock that stands still."""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest

from edge.errors import SourceError
from edge.framing import WholeFraming
from edge.inbox import Inbox
from edge.messages import Prediction, Status
from edge.recognizer import Recognizer
from edge.runtime import Predictor, run_fast, run_live
from edge.samples import Block, Event, Frame
from edge.sources.capture import Capture
from edge.stream import Stream

MS = 1_000_000
WALL_NS = 10**15


def recorded(end_ms: int, *, sound_ms: int | None = None, picture_ms: int | None = None) -> list[Event]:
    """Sound and picture from 0 on, each to its own end where one is given."""
    blocks = [Block(np.full(20, 0.5, np.float32), at * MS) for at in range(20, (sound_ms or end_ms) + 1, 20)]
    frames = [Frame(np.full((8, 8, 3), 9, np.uint8), at * MS) for at in range(0, picture_ms or end_ms, 200)]
    return sorted([*blocks, *frames], key=lambda event: event.end_ns)


class Script:
    """A recording of events that are there, and perhaps an error."""

    name = "script"

    def __init__(self, events: list[Event], error: Exception | None = None) -> None:
        self._events, self._error = events, error

    def events(self):
        yield from self._events
        if self._error:
            raise self._error


@pytest.fixture
def predictor(manifest, numpy_backend, published) -> Predictor:
    stream = Stream(manifest, WholeFraming(8, 8), sound=True, picture=True, begin_ns=0, hop_ns=500 * MS)
    recognizer = Recognizer(manifest, numpy_backend)
    return Predictor("cam1", stream, recognizer, lambda ns: ns + WALL_NS, Counter(), published.append)


def of_kind(published: list[Any], kind: type) -> list[Any]:
    return [message for message in published if isinstance(message, kind)]


def test_a_recording_gives_a_prediction_a_hop(predictor, published) -> None:
    run_fast(predictor, Script(recorded(3000)), threading.Event())
    predictions = of_kind(published, Prediction)
    assert [message.seq for message in predictions] == [0, 1, 2, 3, 4, 5]
    assert [message.mono_end // MS for message in predictions] == [500, 1000, 1500, 2000, 2500, 3000]
    assert [message.mono_start // MS for message in predictions] == [0, 0, 0, 0, 500, 1000]
    assert [message.video.frames for message in predictions] == [3, 5, 8, 10, 10, 10]


def test_a_prediction_says_what_it_stood_on(predictor, published) -> None:
    run_fast(predictor, Script(recorded(500)), threading.Event())
    message = of_kind(published, Prediction)[0]
    heard, seen = 1, 3
    odds = np.exp((seen - heard) / 2.0)
    assert message.label == "glad"
    assert message.probs == pytest.approx([1 / (1 + odds), odds / (1 + odds)])
    assert message.confidence == message.probs[1]
    assert message.agreement == pytest.approx(0.96)
    assert (message.audio.state, message.audio.rms_dbfs, message.audio.speech) == ("ok", pytest.approx(-6.0206), 0.0)
    assert (message.video.state, message.video.faces, message.video.box) == ("ok", None, None)
    assert (message.bundle, message.backend, message.stream) == ("tiny 0.0.1", "numpy", "cam1")
    assert (message.t_start, message.t_end) == (WALL_NS, WALL_NS + 500 * MS)
    assert message.latency_ms.total == 0.0


def test_the_same_recording_gives_the_same_messages(manifest, numpy_backend) -> None:
    def run() -> list[Any]:
        messages: list[Any] = []
        stream = Stream(manifest, WholeFraming(8, 8), sound=True, picture=True, begin_ns=0, hop_ns=500 * MS)
        recognizer = Recognizer(manifest, numpy_backend)
        predictor = Predictor("cam1", stream, recognizer, lambda ns: ns, Counter(), messages.append)
        run_fast(predictor, Script(recorded(2500, sound_ms=1200)), threading.Event())
        assert {message.session for message in messages} == {predictor.session}
        return [without_stage_times(message) for message in messages]

    assert run() == run()


def without_stage_times(message: Any) -> Any:
    fields = msgspec.to_builtins(message) | {"session": ""}
    if isinstance(message, Prediction):
        fields["latency_ms"] = fields["latency_ms"]["total"]
    return fields


def test_of_windows_that_are_due_together_the_last_wins_and_the_others_are_counted(predictor, published) -> None:
    predictor.add(recorded(2000))
    predictor.predict_due(2000 * MS, latest_only=True)
    assert [message.mono_end for message in of_kind(published, Prediction)] == [2000 * MS]
    assert predictor.dropped == {"windows_late": 3}
    assert of_kind(published, Prediction)[0].dropped == {"windows_late": 3}


def test_a_recording_keeps_all_of_them(predictor, published) -> None:
    predictor.add(recorded(2000))
    predictor.predict_due(2000 * MS, latest_only=False)
    assert len(of_kind(published, Prediction)) == 4
    assert predictor.dropped["windows_late"] == 0


def test_windows_without_evidence_are_counted(predictor, published) -> None:
    for now_ms in range(500, 3001, 500):
        predictor.predict_due(now_ms * MS, latest_only=True)
    assert of_kind(published, Prediction) == []
    assert predictor.dropped["windows_empty"] == 6


def test_losing_the_sound_is_told(predictor, published) -> None:
    for event in recorded(0, sound_ms=1000, picture_ms=3000):
        predictor.add([event])
        predictor.predict_due(event.end_ns, latest_only=False)
    states = [(message.state, message.audio, message.video) for message in of_kind(published, Status)]
    assert ("online", "ok", "ok") in states
    assert states[-1] == ("degraded", "lost", "ok")
    predictions = of_kind(published, Prediction)
    assert [message.audio.state for message in predictions] == ["ok", "ok", "ok", "lost", "lost"]
    assert [message.agreement is None for message in predictions] == [False, False, False, True, True]
    assert (predictions[-1].audio.rms_dbfs, predictions[-1].audio.speech) == (None, None)


@pytest.mark.parametrize(
    ("sound_ms", "picture_ms", "state"),
    [(3000, 3000, "online"), (1000, 3000, "degraded"), (3000, 1000, "degraded"), (1000, 1000, "lost")],
)
def test_a_stream_is_as_well_as_its_modalities(predictor, published, sound_ms, picture_ms, state) -> None:
    predictor.add(recorded(0, sound_ms=sound_ms, picture_ms=picture_ms))
    predictor.predict_due(3000 * MS, latest_only=True)
    assert of_kind(published, Status)[-1].state == state


def test_the_status_is_told_on_change_and_every_second(predictor, published) -> None:
    for event in recorded(5000):
        predictor.add([event])
        predictor.predict_due(event.end_ns, latest_only=False)
    times_ms = [message.mono_publish // MS for message in of_kind(published, Status)]
    assert times_ms[0] == 0
    steady = [time for time in times_ms if time >= 100]
    assert np.diff(steady).tolist() == [1000] * (len(steady) - 1)
    assert len(steady) >= 4


def test_a_recording_ends_with_stopped(predictor, published) -> None:
    run_fast(predictor, Script(recorded(1000)), threading.Event())
    assert published[-1].state == "stopped"


def test_a_recording_that_breaks_ends_with_stopped_too(predictor, published) -> None:
    with pytest.raises(SourceError, match="broken"):
        run_fast(predictor, Script(recorded(1000), SourceError("broken")), threading.Event())
    assert published[-1].state == "stopped"


def test_a_recording_ends_early_where_it_is_stopped(predictor, published) -> None:
    stop = threading.Event()
    stop.set()
    run_fast(predictor, Script(recorded(1000)), stop)
    assert [message.state for message in published] == ["stopped"]


@pytest.fixture
def live(predictor, clock, scripted_source) -> Callable[..., None]:
    """Run `acts` of a device or a recording through inbox and loop to the end."""

    def run(*acts: list[Any], reopen: bool = False, stop: threading.Event | None = None) -> None:
        stop, inbox = stop or threading.Event(), Inbox(predictor.dropped)
        source = scripted_source(*acts)
        capture = Capture(source, inbox, stop, is_open=True, reopen=reopen)
        run_live(predictor, inbox, [capture], clock, stop)

    return run


def test_live_everything_captured_is_used_and_the_end_is_told(live, predictor, published, clock) -> None:
    clock.time_ns = 1000 * MS
    live(recorded(1000, picture_ms=300))
    assert of_kind(published, Prediction)[-1].mono_end == 1000 * MS
    assert (published[-1].state, published[-1].mono_publish) == ("stopped", 1000 * MS)


def test_live_the_error_of_a_broken_recording_is_raised_after_stopped(live, published) -> None:
    with pytest.raises(SourceError, match="broken"):
        live([*recorded(100), SourceError("broken")])
    assert published[-1].state == "stopped"


def test_live_an_unexpected_error_of_a_device_ends_the_run(live, published) -> None:
    with pytest.raises(ZeroDivisionError):
        live([ZeroDivisionError()], reopen=True)
    assert published[-1].state == "stopped"


def test_live_nothing_is_predicted_once_stop_is_set(live, published) -> None:
    stop = threading.Event()
    stop.set()
    live(recorded(1000), stop=stop)
    assert [message.state for message in published] == ["stopped"]
