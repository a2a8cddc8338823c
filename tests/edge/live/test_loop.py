"""The loop in the middle, on a backend reckoned by hand and a clock that stands still."""

import threading
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from edge.errors import SourceError
from edge.live.inbox import Delivery, Inbox, LoopInput
from edge.live.loop import run_fast, run_live
from edge.live.recognizer import Recognizer
from edge.live.stream import Stream
from edge.live.suspension import SuspensionWatch
from edge.preprocess.media import Frame
from edge.sources.capture import Capture
from edge.wire.messages import Prediction, Status
from tests.edge.made_run import MS, MadeRun, Script, recorded

HOP_NS = 500 * MS


@pytest.fixture
def recognizer(manifest, numpy_backend) -> Recognizer:
    return Recognizer(manifest, numpy_backend)


@pytest.fixture
def all_of_them(recognizer) -> MadeRun:
    return MadeRun(recognizer, latest_only=False)


def play(made: MadeRun, *recordings: Script, stop: threading.Event | None = None) -> list[LoopInput]:
    inputs: list[LoopInput] = []
    run_fast(made.loop, recordings, HOP_NS, stop or threading.Event(), inputs.append)
    return inputs


def test_a_recording_gives_a_prediction_a_hop(all_of_them: MadeRun) -> None:
    play(all_of_them, Script(recorded(3000)))
    predictions = all_of_them.of_kind(Prediction)
    assert [message.mono_end // MS for message in predictions] == [500, 1000, 1500, 2000, 2500, 3000]
    assert [message.mono_start // MS for message in predictions] == [0, 0, 0, 0, 500, 1000]
    assert [message.video.frames for message in predictions] == [3, 5, 8, 10, 10, 10]


def without_times(message: Any) -> Any:
    fields = msgspec.to_builtins(message)
    if isinstance(message, Prediction):
        fields["latency_ms"] = fields["latency_ms"]["total"]
    return fields


def test_the_same_inputs_give_the_same_messages(recognizer) -> None:
    names = ("cam1", "cam10")
    one, other = MadeRun(recognizer, names, latest_only=False), MadeRun(recognizer, names, latest_only=False)
    inputs = play(one, Script(recorded(2500, sound_ms=1200)), Script(recorded(3300)))
    for loop_input in inputs:
        other.loop.run_once(loop_input)
    assert [without_times(message) for message in one.published] == [
        without_times(message) for message in other.published
    ]
    assert one.of_kind(Prediction)


def test_recordings_played_together_are_predicted_as_if_alone(recognizer) -> None:
    recordings = [recorded(2500, sound_ms=1200), recorded(3300), recorded(1700, picture_ms=800)]
    together = MadeRun(recognizer, ("a", "b", "c"), latest_only=False)
    play(together, *map(Script, recordings))
    for name, media in zip("abc", recordings, strict=True):
        alone = MadeRun(recognizer, (name,), latest_only=False)
        play(alone, Script(media))
        expected = [without_times(message) for message in alone.of_kind(Prediction)]
        of_stream = [message for message in together.of_kind(Prediction) if message.stream == name]
        assert [without_times(message) for message in of_stream][: len(expected)] == expected


def test_of_windows_that_are_due_together_the_last_wins_and_the_others_are_counted(recognizer) -> None:
    made = MadeRun(recognizer)
    made.step(2000, recorded(2000))
    assert [message.mono_end for message in made.of_kind(Prediction)] == [2000 * MS]
    assert made.reporters[0].drops.counts["windows_late"] == 3
    assert made.of_kind(Prediction)[0].dropped["windows_late"] == 3


def test_a_recording_keeps_all_of_them(all_of_them: MadeRun) -> None:
    all_of_them.step(2000, recorded(2000))
    assert len(all_of_them.of_kind(Prediction)) == 4
    assert all_of_them.reporters[0].drops.counts["windows_late"] == 0


def test_windows_without_evidence_are_counted_and_others_go_on(recognizer) -> None:
    made = MadeRun(recognizer, ("empty", "full"))
    for now_ms in range(500, 3001, 500):
        made.step(now_ms, [], [item for item in recorded(3000) if now_ms - 500 < item.end_ns // MS <= now_ms])
    assert [message.stream for message in made.of_kind(Prediction)] == ["full"] * 6
    assert [reporter.drops.counts["windows_empty"] for reporter in made.reporters] == [6, 0]


def test_what_is_pending_of_all_streams_goes_through_each_encoder_as_one_batch(recognizer, numpy_backend) -> None:
    made = MadeRun(recognizer, ("a", "b", "c"))
    made.step(500, recorded(500), recorded(500), recorded(0, sound_ms=500, picture_ms=1))
    sizes = [(name, len(next(iter(inputs.values())))) for name, inputs in numpy_backend.calls]
    assert sizes == [("image_encoder", 7), ("audio_encoder", 3), ("fusion", 3)]
    assert [message.stream for message in made.of_kind(Prediction)] == ["a", "b", "c"]
    assert [message.video.frames for message in made.of_kind(Prediction)] == [3, 3, 1]


def test_frames_dropped_for_overload_do_not_make_a_lost_camera(recognizer) -> None:
    frames = [item for item in recorded(2000) if isinstance(item, Frame)]
    made = MadeRun(recognizer, ("slow", "lost"))
    made.step(400, frames[:2], frames[:2])
    made.step(2000, frames[-2:], frames[-2:], dropped=[{"frames_overload": 6}, {}])
    assert [(message.stream, message.video.frames) for message in made.of_kind(Prediction)] == [
        ("slow", 4),
        ("lost", 2),
    ]


def test_a_stream_that_has_ended_gives_no_more_windows(recognizer) -> None:
    made = MadeRun(recognizer, ("a", "b"))
    made.take(500 * MS, [Delivery(0, item) for item in recorded(500)] + [Delivery(0, None)])
    made.step(1000, recorded(1000)[-10:], [])
    assert [(message.stream, message.seq) for message in made.of_kind(Prediction)] == [("a", 0)]
    assert made.loop.ends() == [Delivery(1, None)]


def test_it_wakes_for_the_next_window_or_to_look_after_its_devices(recognizer) -> None:
    made = MadeRun(recognizer)
    assert made.loop.deadline(450 * MS) == 500 * MS
    assert made.loop.deadline(100 * MS) == 300 * MS
    made.take(0, made.loop.ends())
    assert made.loop.deadline(450 * MS) == 650 * MS


def test_a_recording_ends_with_stopped(all_of_them: MadeRun) -> None:
    play(all_of_them, Script(recorded(1000)))
    assert all_of_them.published[-1].state == "stopped"


def test_a_recording_that_breaks_ends_with_stopped_too(all_of_them: MadeRun) -> None:
    play(all_of_them, Script(recorded(1000), SourceError("broken")))
    assert all_of_them.published[-1].state == "stopped"
    with pytest.raises(SourceError, match="broken"):
        all_of_them.failures.raise_any()


def test_a_recording_ends_early_where_it_is_stopped(all_of_them: MadeRun) -> None:
    stop = threading.Event()
    stop.set()
    play(all_of_them, Script(recorded(1000)), stop=stop)
    assert [message.state for message in all_of_them.published][-1] == "stopped"
    assert all_of_them.of_kind(Prediction) == []


class Unsupervised:
    """A hop that stays, and turns that are counted."""

    hop_ns = HOP_NS

    def __init__(self, inbox: Inbox) -> None:
        self._inbox, self.turns = inbox, 0

    def dropped(self) -> list[dict[str, int]]:
        return [dict(counted) for counted in self._inbox.dropped]

    def turn(self, started_ns: int, ended_ns: int) -> None:
        self.turns += 1


@pytest.fixture
def live(recognizer, clock, scripted_source) -> Callable[..., MadeRun]:
    """Run `acts` of a device or a recording through inbox and loop to the end."""

    def run(*acts: list[Any], made: MadeRun, reopen: bool = False, stop: threading.Event | None = None) -> None:
        stop, inbox = stop or threading.Event(), Inbox([1])
        put, end = partial(inbox.put, 0), partial(inbox.end, 0)
        capture = Capture(scripted_source(*acts), put, end, stop, is_open=True, reopen=reopen)
        capture.start()
        run_live(made.loop, inbox, clock, SuspensionWatch(clock), stop, Unsupervised(inbox), lambda _: None)
        capture.finish()

    return run


def test_live_everything_captured_is_used_and_the_end_is_told(live, recognizer, clock) -> None:
    clock.time_ns, made = 1000 * MS, MadeRun(recognizer)
    live(recorded(1000, picture_ms=300), made=made)
    assert made.of_kind(Prediction)[-1].mono_end == 1000 * MS
    assert (made.published[-1].state, made.published[-1].mono_publish) == ("stopped", 1000 * MS)


def test_live_the_error_of_a_broken_recording_is_raised_after_stopped(live, recognizer) -> None:
    made = MadeRun(recognizer)
    live([*recorded(100), SourceError("broken")], made=made)
    assert made.of_kind(Status)[-1].state == "stopped"
    with pytest.raises(SourceError, match="broken"):
        made.failures.raise_any()


def test_live_nothing_more_is_taken_of_a_stream_that_has_failed(live, recognizer, clock, monkeypatch) -> None:
    clock.time_ns, made = 1000 * MS, MadeRun(recognizer)
    monkeypatch.setattr(Stream, "cut", lambda stream, end_ns: 1 / 0)
    live(recorded(1000), recorded(1000), made=made, reopen=True)
    assert [message.state for message in made.of_kind(Status)][-1] == "stopped"
    with pytest.raises(ZeroDivisionError):
        made.failures.raise_any()


def test_live_nothing_is_waited_for_once_stop_is_set(live, recognizer) -> None:
    stop, made = threading.Event(), MadeRun(recognizer)
    stop.set()
    live(recorded(1000), made=made, stop=stop)
    assert made.published[-1].state == "stopped"


def test_frames_that_no_window_needs_yet_are_encoded_together(manifest, numpy_backend) -> None:
    """Of the first 1000 ms: the first alone, two before each window's end, and the one at its end."""
    batches: list[int] = []

    def counted(inputs: dict[str, Any]) -> Any:
        batches.append(len(inputs["frames"]))
        return numpy_backend.image_encoder(inputs)

    backend = SimpleNamespace(**{name: getattr(numpy_backend, name) for name in ("name", "audio_encoder", "fusion")})
    backend.image_encoder = counted
    made = MadeRun(Recognizer(manifest, backend), latest_only=False)
    play(made, Script(recorded(1000)))
    assert (sum(batches), batches) == (5, [1, 2, 2])
