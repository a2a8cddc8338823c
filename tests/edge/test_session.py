"""Whole runs on the shipped bundle: what options mean together, and what comes out."""

import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from edge.bundle import SHIPPED
from edge.errors import PublishError, SourceError, UsageError
from edge.framing import FaceFraming
from edge.inbox import Inbox
from edge.messages import DROP_REASONS, Prediction, Status
from edge.options import make_workshop
from edge.session import Settings, check, make_devices, make_recording, open_devices, run
from edge.sources.camera import LocalCamera
from edge.sources.demo import MOODS, Demo, face
from edge.sources.media import MediaFile, read_frames
from edge.sources.microphone import Microphone
from edge.windowing import FrameGrid

SETTINGS = Settings(
    camera="0",
    mic="default",
    file=None,
    demo=True,
    fast=True,
    bundle=SHIPPED,
    framing=None,
    hop_s=0.5,
    stream="main",
    bind="tcp://127.0.0.1:*",
    wire_format="msgpack",
    backend="onnxruntime",
    threads=1,
)
IDLE = make_workshop(bool, quiet=True)


def run_through(settings: Settings) -> list[Any]:
    sent: list[Any] = []
    run(settings, threading.Event(), IDLE, lambda _: None, sent.append)
    return sent


def predictions_of(messages: list[Any]) -> list[Prediction]:
    return [message for message in messages if isinstance(message, Prediction)]


@pytest.fixture
def clip(tmp_path, make_clip, tone) -> Path:
    """1.2 s of a drawn face and a tone."""
    return make_clip(tmp_path / "clip.mkv", np.stack([face(MOODS[0])] * 12), tone(1.2))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"camera": "off", "mic": "off"}, "--camera off and --mic off"),
        ({"file": Path("a.mp4")}, "--demo and --file a.mp4"),
        ({"demo": False}, "--fast is for a recording"),
        ({"stream": "cam.1"}, "--stream 'cam.1'"),
        ({"stream": ""}, "--stream ''"),
        ({"stream": "-_"}, "--stream '-_'"),
        ({"stream": "a b"}, "--stream 'a b'"),
    ],
)
def test_options_that_cannot_be_meant_together(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        check(replace(SETTINGS, **changes))


@pytest.mark.parametrize("stream", ["main", "cam-1", "cam_1", "7"])
def test_names_of_streams(stream: str) -> None:
    check(replace(SETTINGS, stream=stream))


def test_what_is_recorded_and_what_is_a_device(manifest, clock, clip) -> None:
    assert isinstance(make_recording(SETTINGS, manifest), Demo)
    assert isinstance(make_recording(replace(SETTINGS, demo=False, file=clip), manifest), MediaFile)
    live = replace(SETTINGS, demo=False, fast=False)
    assert make_recording(live, manifest) is None
    assert [type(device) for device in make_devices(live, manifest, clock, Counter())] == [LocalCamera, Microphone]
    assert [type(device) for device in make_devices(replace(live, mic="off"), manifest, clock, Counter())] == [
        LocalCamera
    ]
    assert [type(device) for device in make_devices(replace(live, camera="off"), manifest, clock, Counter())] == [
        Microphone
    ]


def test_a_device_that_is_missing_is_said_and_the_other_goes_on(scripted_source, caplog) -> None:
    devices = [scripted_source([]), scripted_source(refusals=(SourceError("cannot open camera 9"),))]
    captures = open_devices(devices, Inbox(Counter()), threading.Event())
    assert len(captures) == 2
    assert [record.getMessage() for record in caplog.records] == [
        "cannot open camera 9. Going on without it; it is tried again from now on"
    ]


def test_where_nothing_opens_every_reason_is_given(scripted_source) -> None:
    devices = [scripted_source(refusals=(SourceError(f"cannot open {name}"),)) for name in ("camera", "microphone")]
    with pytest.raises(SourceError) as refused:
        open_devices(devices, Inbox(Counter()), threading.Event())
    assert str(refused.value) == "cannot open camera\ncannot open microphone"


def test_the_demo_gives_a_prediction_each_half_second_from_both_modalities() -> None:
    messages = run_through(SETTINGS)
    predictions = predictions_of(messages)
    assert [message.seq for message in predictions] == list(range(24))
    assert [message.mono_end for message in predictions] == [500_000_000 * k for k in range(1, 25)]
    assert {(message.audio.state, message.video.state) for message in predictions} == {("ok", "ok")}
    assert [message.video.frames for message in predictions][-1] == 30
    for message in predictions:
        assert sum(message.probs) == pytest.approx(1, abs=1e-5)
        assert message.confidence == max(message.probs)
        assert message.label == message.labels[int(np.argmax(message.probs))]
        assert -1 <= message.agreement <= 1
        assert message.dropped == dict.fromkeys(DROP_REASONS, 0)
    assert len({message.session for message in messages}) == 1
    assert isinstance(messages[-1], Status)
    assert messages[-1].state == "stopped"


def test_a_recording_gives_the_same_messages_twice(clip) -> None:
    settings = replace(SETTINGS, demo=False, file=clip)
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
        ({"mic": "off"}, ("off", "ok"), 5),
        ({"camera": "off"}, ("ok", "off"), 0),
        ({"framing": "whole"}, ("ok", "ok"), 5),
    ],
)
def test_a_modality_that_is_off_is_left_out(clip, changes: dict[str, Any], states, frames: int) -> None:
    message = predictions_of(run_through(replace(SETTINGS, demo=False, file=clip, **changes)))[1]
    assert (message.audio.state, message.video.state) == states
    assert message.video.frames == frames
    assert (message.agreement is None) == ("off" in states)
    assert (message.video.faces is None) == (changes != {"mic": "off"})


def test_in_its_own_time_a_recording_gives_the_same_windows_and_real_times(clip) -> None:
    messages = run_through(replace(SETTINGS, demo=False, file=clip, fast=False, hop_s=1.0))
    message = predictions_of(messages)[0]
    assert message.mono_publish >= message.mono_end > message.mono_start > 0
    assert message.t_end > 1_600_000_000 * 10**9
    assert message.latency_ms.total == pytest.approx((message.mono_publish - message.mono_end) / 1e6)
    assert (message.audio.state, message.video.state) == ("ok", "ok")
    assert messages[-1].state == "stopped"


def test_a_clip_shorter_than_a_hop_gives_no_window(clip) -> None:
    with pytest.raises(SourceError, match=r"gave no window: it is shorter than the hop of 2\.0 s"):
        run_through(replace(SETTINGS, demo=False, file=clip, hop_s=2.0))


def test_a_port_in_use_is_refused(clip) -> None:
    def start_another(line: str) -> None:
        address = line.rpartition(" ")[2]
        with pytest.raises(PublishError, match=f"cannot publish at {address}"):
            run_through(replace(SETTINGS, demo=False, file=clip, bind=address))

    run(replace(SETTINGS, demo=False, file=clip), threading.Event(), IDLE, start_another, lambda _: None)


def test_a_run_that_is_stopped_ends_at_once_without_a_complaint() -> None:
    stop, sent = threading.Event(), []
    stop.set()
    run(SETTINGS, stop, IDLE, lambda _: None, sent.append)
    assert [message.state for message in sent] == ["stopped"]


def test_real_recordings_are_heard_and_seen(recordings: list[Path]) -> None:
    for path in recordings:
        frames = list(read_frames(path, FrameGrid(5.0)))
        height, width = frames[0].picture.shape[:2]
        boxes = {FaceFraming(64, 64)(frame.picture).box for frame in frames}
        predictions = predictions_of(run_through(replace(SETTINGS, demo=False, file=path)))
        assert len(predictions) >= 3, path
        assert {(message.audio.state, message.video.state) for message in predictions} == {("ok", "ok")}
        assert max(message.audio.speech for message in predictions) > 0.1
        for message in predictions:
            x, y, box_width, box_height = message.video.box
            assert message.video.box in boxes
            assert min(x, y) >= 0
            assert (x + box_width <= width, y + box_height <= height) == (True, True)
