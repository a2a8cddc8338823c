"""Models of runs, and what they say of themselves."""

import pytest

from edge.backends.tensorrt.progress import quiet_engine_builder
from edge.bundle.load import SHIPPED, load
from edge.errors import UsageError
from edge.session.config import Config, StreamConfig
from edge.session.model import open_model

CPU = {"backend": "onnxruntime", "threads": 1}


def test_a_model_says_what_it_is_and_why() -> None:
    model = open_model(Config(detector="cascade", **CPU), load(SHIPPED), quiet_engine_builder())
    assert model.about == f"{model.name} on onnxruntime-cpu (as asked for), faces by cascade (as asked for)"
    assert (model.framing, model.detector) == ("face", "cascade")


def test_a_model_that_looks_for_no_faces_names_no_detector() -> None:
    model = open_model(Config(framing="whole", **CPU), load(SHIPPED), quiet_engine_builder())
    assert model.about == f"{model.name} on onnxruntime-cpu (as asked for)"


def test_a_run_depends_on_its_settings() -> None:
    streams = (StreamConfig(name="a", camera="off", av_offset_ms=-40.0), StreamConfig(name="b", demo=True))
    model = open_model(Config(**CPU), load(SHIPPED), quiet_engine_builder())
    spec = model.run_spec(Config(streams, hop_s=0.25), "session", 7)
    assert (spec.session, spec.begin_ns, spec.hop_ns, spec.latest_only) == ("session", 7, 250_000_000, True)
    a, b = spec.stream_specs
    assert (a.name, a.audio, a.video, a.audio_lag_ms, a.recorded) == ("a", True, False, 40.0, False)
    assert (b.name, b.audio, b.video, b.audio_lag_ms, b.recorded) == ("b", True, True, 0.0, True)


@pytest.mark.parametrize(("is_fast", "delays_ms"), [(False, [0, 0, 0, 0, 125]), (True, [0] * 5)])
def test_the_fifth_stream_of_a_live_run_begins_half_a_hop_later(is_fast: bool, delays_ms: list[int]) -> None:
    streams = tuple(StreamConfig(name=name, demo=True) for name in "abcde")
    model = open_model(Config(**CPU), load(SHIPPED), quiet_engine_builder())
    spec = model.run_spec(Config(streams, hop_s=0.25, fast=is_fast), "session", 7)
    assert spec.recording_begins_ns() == {
        name: 7 + delay_ms * 1_000_000 for name, delay_ms in zip("abcde", delays_ms, strict=True)
    }


def test_a_backend_that_is_not_known_is_refused() -> None:
    with pytest.raises(UsageError):
        open_model(Config(backend="openvino"), load(SHIPPED), quiet_engine_builder())


def test_people_are_not_told_apart_in_whole_frames() -> None:
    config = Config(streams=(StreamConfig(name="hall", people=3),), framing="whole", **CPU)
    with pytest.raises(UsageError, match="stream hall: 3 people are told apart by their faces, and foal-nano looks at"):
        open_model(config, load(SHIPPED), quiet_engine_builder()).run_spec(config, "s", 0)
