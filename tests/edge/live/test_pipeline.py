"""The streams of a run and the loop over them, as their course says."""

import msgspec
import pytest

from edge.live.inbox import Delivery, LoopInput
from edge.live.pipeline import RunSpec, StreamSpec, build_pipeline
from edge.live.recognizer import Recognizer
from edge.wire.messages import CameraPicture, Message, Prediction
from tests.edge.made_run import MS, recorded, run_spec


def test_a_course_survives_being_written_down() -> None:
    written = run_spec("lobby", "door")
    assert msgspec.json.decode(msgspec.json.encode(written), type=RunSpec) == written


def test_each_lane_hears_and_sees_what_it_is_to(manifest, numpy_backend) -> None:
    stream_specs = (StreamSpec("a", True, False), StreamSpec("b", False, True))
    published: list[Prediction] = []
    made = build_pipeline(
        msgspec.structs.replace(run_spec("a", "b"), stream_specs=stream_specs),
        Recognizer(manifest, numpy_backend),
        published.append,
    )
    deliveries = [Delivery(index, item) for index in (0, 1) for item in recorded(500)]
    made.loop.run_once(LoopInput(500 * MS, 0, 500 * MS, deliveries, [{}, {}]))
    states = {m.stream: (m.audio.state, m.video.state) for m in published if isinstance(m, Prediction)}
    assert states == {"a": ("ok", "off"), "b": ("off", "ok")}
    assert [stream.reporter.predictions for stream in made.streams] == [1, 1]
    made.loop.close()


def test_the_windows_of_a_stream_begin_after_its_delay(manifest, numpy_backend) -> None:
    stream_specs = (StreamSpec("a", True, True), StreamSpec("b", True, True, recorded=True, delay_ns=125 * MS))
    spec = msgspec.structs.replace(run_spec("a", "b"), stream_specs=stream_specs)
    assert spec.recording_begins_ns() == {"b": spec.begin_ns + 125 * MS}
    published: list[Prediction] = []
    made = build_pipeline(spec, Recognizer(manifest, numpy_backend), published.append)
    deliveries = [Delivery(index, item) for index in (0, 1) for item in recorded(1000)]
    made.loop.run_once(LoopInput(1000 * MS, 0, 500 * MS, deliveries, [{}, {}]))
    ends = {m.stream: m.mono_end - spec.begin_ns for m in published if isinstance(m, Prediction)}
    assert ends == {"a": 1000 * MS, "b": 625 * MS}
    made.loop.close()


@pytest.mark.parametrize("shows_picture", [False, True])
def test_pictures_are_published_only_where_they_are_asked_for(manifest, numpy_backend, shows_picture: bool) -> None:
    published: list[Message] = []
    recognizer = Recognizer(manifest, numpy_backend)
    made = build_pipeline(run_spec("a"), recognizer, published.append, shows_picture=shows_picture)
    made.loop.run_once(LoopInput(1000 * MS, 0, 500 * MS, [Delivery(0, item) for item in recorded(1000)], [{}]))
    assert any(isinstance(message, CameraPicture) for message in published) == shows_picture
    made.loop.close()


@pytest.mark.parametrize(("latest_only", "count"), [(True, 1), (False, 4)])
def test_a_course_says_whether_every_window_counts(manifest, numpy_backend, latest_only: bool, count: int) -> None:
    made = build_pipeline(
        run_spec("a", latest_only=latest_only), Recognizer(manifest, numpy_backend), lambda message: None
    )
    deliveries = [Delivery(0, item) for item in recorded(2000)]
    made.loop.run_once(LoopInput(2000 * MS, 0, 500 * MS, deliveries, [{}]))
    assert made.streams[0].reporter.predictions == count
