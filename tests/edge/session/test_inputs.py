"""From what was asked for to what delivers it."""

import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from edge.bundle.manifest import Manifest
from edge.clock import Clock
from edge.errors import SourceError
from edge.live.inbox import Delivery, Inbox
from edge.session import inputs
from edge.session.config import StreamConfig
from edge.session.inputs import StreamInput, make_devices, make_inbox, make_inputs, make_recording, open_devices, pace
from edge.sources.adapters import Shifted, ShiftedRecording
from edge.sources.camera import LocalCamera
from edge.sources.capture import Capture
from edge.sources.demo import MOODS, Demo, face
from edge.sources.looped import Looped
from edge.sources.media import MediaFile
from edge.sources.microphone import Microphone


@pytest.fixture
def clip(tmp_path, make_clip, tone) -> Path:
    return make_clip(tmp_path / "clip.mkv", np.stack([face(MOODS[0])] * 2), tone(0.2))


def test_recordings(manifest, clip) -> None:
    assert isinstance(make_recording(StreamConfig(demo=True), manifest), Demo)
    assert isinstance(make_recording(StreamConfig(file=str(clip)), manifest), MediaFile)
    assert isinstance(make_recording(StreamConfig(file=str(clip), av_offset_ms=5), manifest), ShiftedRecording)
    assert isinstance(make_recording(StreamConfig(demo=True, av_offset_ms=5, loop=True), manifest), Looped)
    assert make_recording(StreamConfig(), manifest) is None


@pytest.mark.parametrize(
    ("config", "kinds"),
    [
        (StreamConfig(), [LocalCamera, Microphone]),
        (StreamConfig(mic="off"), [LocalCamera]),
        (StreamConfig(camera="off"), [Microphone]),
        (StreamConfig(camera=0, av_offset_ms=20), [LocalCamera, Shifted]),
    ],
)
def test_devices(manifest, clock, config: StreamConfig, kinds: list[type]) -> None:
    devices = make_devices(config, manifest, clock, Counter())
    assert [type(device) for device in devices] == kinds
    assert StreamInput(0, config, None, Counter(), 16000).captures == len(kinds)


def test_a_recording_has_one_capture(manifest) -> None:
    (made,) = make_inputs([StreamConfig(demo=True)], manifest)
    assert made.captures == 1


def open_all(streams: Sequence[StreamConfig], manifest: Manifest, clock: Clock) -> list[Capture]:
    made = make_inputs(streams, manifest)
    return open_devices(made, manifest, make_inbox(made), clock, threading.Event())


@pytest.fixture
def refuse(monkeypatch, scripted_source):
    """Every stream's devices: one that opens and one that does not, or none that does."""

    def install(*, all_of_them: bool) -> None:
        def make(config: StreamConfig, *_: object) -> list[object]:
            missing = scripted_source(refusals=(SourceError(f"cannot open camera of {config.name}"),))
            return [missing] if all_of_them else [missing, scripted_source([])]

        monkeypatch.setattr(inputs, "make_devices", make)

    return install


def test_a_device_that_is_missing_is_said_and_the_others_go_on(refuse, manifest, clock, caplog) -> None:
    refuse(all_of_them=False)
    streams = [StreamConfig("a"), StreamConfig("b"), StreamConfig("c", demo=True)]
    captures = open_all(streams, manifest, clock)
    assert len(captures) == 4
    assert [record.getMessage() for record in caplog.records] == [
        f"cannot open camera of {name}. Going on without it; it is tried again from now on" for name in "ab"
    ]


def test_where_nothing_opens_every_reason_is_given(refuse, manifest, clock) -> None:
    refuse(all_of_them=True)
    with pytest.raises(SourceError) as refused:
        open_all([StreamConfig("a"), StreamConfig("b")], manifest, clock)
    assert str(refused.value).splitlines() == [
        "cannot open camera of a",
        "cannot open camera of b",
        "without devices, foal-edge --demo shows what a run is, and --file plays a recording",
    ]


def test_beside_a_recording_every_device_may_be_missing(refuse, manifest, clock) -> None:
    refuse(all_of_them=True)
    streams = [StreamConfig("a"), StreamConfig("b", demo=True)]
    assert len(open_all(streams, manifest, clock)) == 1


def test_a_recording_that_cannot_be_opened_ends_its_own_stream_alone(manifest, clip) -> None:
    streams = [StreamConfig("a", file="nowhere.mp4"), StreamConfig("b", file=str(clip)), StreamConfig("c")]
    unopened, opened, none = (made.recording for made in make_inputs(streams, manifest))
    assert isinstance(opened, MediaFile)
    assert none is None
    with pytest.raises(SourceError, match=r"no such file: nowhere\.mp4"):
        list(unopened.read())


def test_without_any_other_stream_recordings_that_cannot_be_opened_are_refused(manifest) -> None:
    streams = [StreamConfig(name, file=f"{name}.mp4") for name in "ab"]
    with pytest.raises(SourceError, match=r"no such file: a\.mp4(.|\n)*no such file: b\.mp4"):
        make_inputs(streams, manifest)


def test_recordings_are_paced_into_their_own_stream(manifest, clip, clock) -> None:
    inbox, stop = Inbox([1, 1]), threading.Event()
    made = make_inputs([StreamConfig(), StreamConfig(file=str(clip))], manifest)
    (capture,) = pace(made, inbox, clock, lambda stream: 7_000_000_000 * stream, stop)
    capture.start()
    capture.finish()
    deliveries = inbox.take(0)
    assert {delivery.stream for delivery in deliveries} == {1}
    assert deliveries[-1] == Delivery(1, None)
    assert min(delivery.media.end_ns for delivery in deliveries[:-1]) == 7_000_000_000
